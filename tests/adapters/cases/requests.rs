//! What a server gets to see.

use bytes::Bytes;
use testkit::outcome::{Outcome, in_vain, saved, sent};
use testkit::samples::{CREATED, LESS_SHORT, TOKEN, api, large_usage, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Other, Timeout};

use crate::adapter::{Adapter, Client};
use crate::case::{Case, Difference, holds, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("request: goes out as it was built", as_it_was_built),
        Case::new("request: a large one arrives whole", large),
        Case::new("request: a prefix of the base URL is kept", prefix),
        Case::new("request: one that cannot be sent is not tried again", cannot_be_sent),
        Case::new("request: one without a body", no_body),
        Case::new("request: execute hands over one byte above the limit", one_byte_more),
    ]
}

fn as_it_was_built(adapter: Adapter) -> Result<(), Difference> {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::new(adapter, &server.url(), Deadlines::new());
    let built = api(&server.url()).build_request(&usage()).unwrap();
    same("the outcome", &Outcome::of(&client.save(&usage())), &saved(201, "{}"))?;

    let [request] = &server.received()[..] else { return Err("not one request".to_owned()) };
    same("the request line", &request.line(), &"POST /api/v1/usage/influxdb HTTP/1.1")?;
    same("the body", &&request.body[..], &&built.body()[..])?;
    same("the token", &request.header("x-authorization"), &vec![TOKEN])?;
    for (name, value) in built.headers() {
        let name = name.as_str();
        same(name, &request.header(name), &vec![value.to_str().unwrap()])?;
    }
    // What a transport adds. `Accept: */*` says no more than its absence.
    same("host", &request.header("host"), &vec![&*server.address().to_string()])?;
    let length = built.body().len().to_string();
    same("content-length", &request.header("content-length"), &vec![&*length])?;
    let accept = request.header("accept");
    holds("no `Accept`, or all", matches!(accept[..], [] | ["*/*"]), &accept)?;
    let lines = request.head.lines().filter(|line| line.contains(':')).count();
    same("headers", &lines, &(built.headers().len() + 2 + accept.len()))
}

fn large(adapter: Adapter) -> Result<(), Difference> {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::new(adapter, &server.url(), Deadlines::new().total(PATIENCE));
    same("the outcome", &Outcome::of(&client.save(&large_usage())), &saved(201, "{}"))?;
    let built = api(&server.url()).build_request(&large_usage()).unwrap();
    let [request] = &server.received()[..] else { return Err("not one request".to_owned()) };
    holds("the body came whole", request.body == *built.body(), &request.body.len())
}

fn prefix(adapter: Adapter) -> Result<(), Difference> {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::new(adapter, &format!("{}/a%20b", server.url()), Deadlines::new());
    same("the outcome", &Outcome::of(&client.save(&usage())), &saved(201, "{}"))?;
    let [request] = &server.received()[..] else { return Err("not one request".to_owned()) };
    same("the line", &request.line(), &"POST /a%20b/api/v1/usage/influxdb HTTP/1.1")
}

fn cannot_be_sent(adapter: Adapter) -> Result<(), Difference> {
    let client = Client::new(adapter, "http://127.0.0.1:1", Deadlines::new());
    for uri in ["/no/host", "ftp://127.0.0.1/"] {
        let request = http::Request::post(uri).body(Bytes::new()).unwrap();
        let error = client.execute(request).unwrap_err();
        same(uri, &Outcome::unanswered(&error), &in_vain(Other))?;
    }
    Ok(())
}

/// Nothing of a body may have left, but of the request.
fn no_body(adapter: Adapter) -> Result<(), Difference> {
    let server = ScriptedServer::start([Script::new().read_request().hold()]);
    let client = Client::new(adapter, &server.url(), Deadlines::new().total(LESS_SHORT));
    let request = http::Request::post(server.url()).body(Bytes::new()).unwrap();
    let error = client.execute(request).unwrap_err();
    same("the outcome", &Outcome::unanswered(&error), &sent(Timeout))
}

/// W38: that is how an event loop sees that a body is too large.
fn one_byte_more(adapter: Adapter) -> Result<(), Difference> {
    let long = "x".repeat(100_000);
    let server = ScriptedServer::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{long}"
    ));
    let client = Client::new(adapter, &server.url(), Deadlines::new());
    let request = api(&server.url()).build_request(&usage()).unwrap();
    let response = client.execute(request).map_err(|error| format!("{error:?}"))?;
    same("the length", &response.body().len(), &((64 << 10) + 1))
}
