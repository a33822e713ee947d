//! `register --print`: the address at which a customer registers.

use usage_proto::{Api, BaseUrl, Registration};

use crate::cli::RegisterArgs;
use crate::failure::Failure;
use crate::{output, reach};

pub(crate) fn run(args: &RegisterArgs, json: bool) -> Result<(), Failure> {
    let api = Api::new(reach::base_url(args.url.as_deref(), BaseUrl::PRODUCTION)?);
    let mut registration = Registration::new(&args.cluster_id, &args.product);
    if let Some(url) = &args.redirect_url {
        registration = registration.redirect_url(url);
    }
    let url = api.registration_url(&registration)?;
    if json {
        output::json(&Printed { url: url.as_str() })?;
    } else {
        output::line(url.as_str())?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct Printed<'a> {
    url: &'a str,
}
