//! The whole protocol without a socket: what would be sent, and what an answer says.

#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;

use http::Response;
use usage_proto::{Api, BaseUrl, ResponseErrorKind, Server, Token, Usage, UsageData};

fn main() -> Result<(), Box<dyn Error>> {
    let api = Api::new(BaseUrl::STAGING)
        .with_application("influxdb/1.8.10")?
        .with_token(Token::new("token-goes-here")?)?;

    let usage = Usage::new("influxdb").data(UsageData::new().tag("os", "linux").value("shards", 3));
    let request = api.build_request(&usage)?;
    println!("{} {}", request.method(), request.uri());
    println!("{}", String::from_utf8_lossy(request.body()));

    let taken = Response::builder().status(201).body("{}")?;
    println!("saved: {}", api.parse_response(taken)?.status());

    // A server without a host's name.
    let server = Server::new().cluster_id("clus1").server_id("serv1").product("influxdb");
    println!("{}", String::from_utf8_lossy(api.build_request(&server)?.body()));
    let body = r#"{"errors":{"host":["Host can not be blank."]}}"#;
    let refused = Response::builder().status(422).body(body)?;
    if let Err(error) = api.parse_response(refused)
        && let ResponseErrorKind::Validation(fields) = &error.kind
    {
        println!("refused: {:?}; try again: {}", fields.errors, error.is_retryable());
    }
    Ok(())
}
