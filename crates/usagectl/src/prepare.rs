//! From the arguments to the request: the one way that `save` and `preview` both go.

use std::path::Path;

use bytes::Bytes;
use http::Request;
use usage_proto::{Api, BaseUrl, Server, Stats, Usage};

use crate::cli::{ApiArgs, Kind, LOCAL, RequestArgs};
use crate::failure::Failure;
use crate::json_file::JsonFile;
use crate::{reach, token_file};

/// A request, and the API that it is for.
pub(crate) struct Prepared {
    pub(crate) api: Api,
    pub(crate) request: Request<Bytes>,
}

pub(crate) fn prepare(args: &RequestArgs) -> Result<Prepared, Failure> {
    let api = api(&args.api)?;
    let file = JsonFile::read(&args.file)?;
    let request = match args.kind {
        Kind::Server => api.build_request(&server_in(&file, args.product.as_deref())?),
        Kind::Stats => {
            let mut stats: Stats = file.parse()?;
            stats.product = args.product.clone().unwrap_or_default();
            api.build_request(&stats)
        }
        Kind::Usage => {
            let mut usage: Usage = file.parse()?;
            usage.product = args.product.clone().unwrap_or_default();
            api.build_request(&usage)
        }
    }?;
    Ok(Prepared { api, request })
}

/// The server that a file describes.
pub(crate) fn server(path: &Path, product: Option<&str>) -> Result<Server, Failure> {
    server_in(&JsonFile::read(path)?, product)
}

fn server_in(file: &JsonFile, product: Option<&str>) -> Result<Server, Failure> {
    let mut server: Server = file.parse()?;
    server.product = agreed(file, product, server.product)?;
    Ok(server)
}

/// The API that the arguments name, with the token that comes with them.
pub(crate) fn api(args: &ApiArgs) -> Result<Api, Failure> {
    let local = BaseUrl::new(&format!("http://{LOCAL}")).map_err(usage_proto::BuildError::from)?;
    let mut base_url = reach::base_url(args.url.as_deref(), local)?;
    if args.allow_plaintext_token {
        base_url = base_url.allow_plaintext_token();
    }
    let api = Api::new(base_url).with_application(&args.application)?;
    match token_file::find(args.token_file.as_deref())? {
        Some(token) => Ok(api.with_token(token)?),
        None => Ok(api),
    }
}

/// The product of a server: of its file, or of the option where the file names none.
fn agreed(file: &JsonFile, option: Option<&str>, named: String) -> Result<String, Failure> {
    match option {
        Some(product) if named.is_empty() => Ok(product.to_owned()),
        Some(product) if product != named => {
            let message = format!(
                "the product is `{named}`, and --product says `{product}`: leave the option out, \
                 or make them agree"
            );
            Err(file.refuse("product", &message))
        }
        _ => Ok(named),
    }
}
