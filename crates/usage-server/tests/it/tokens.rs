//! Whose report it is.

use usage_server::StoreError;

use crate::client::{Client, Request, SERVER, USAGE, post, start};

const TARGET: &str = "/api/v1/usage/influxdb";

fn organisations(server: &usage_server::Server) -> Vec<Option<String>> {
    server.store().usage().read_all().unwrap().into_iter().map(|row| row.organisation).collect()
}

#[test]
fn a_token_in_the_header_names_the_organisation() {
    let server = start();
    let token = server.create_token("Example Inc.").unwrap();
    let answer = Request::post(TARGET, USAGE).token(token.expose()).send(&server);
    assert_eq!(answer.status, 201);
    assert_eq!(organisations(&server), [Some("Example Inc.".to_owned())]);
}

#[test]
fn a_token_in_the_query_names_the_organisation() {
    let server = start();
    let token = server.create_token("Example Inc.").unwrap();
    let target = format!("{TARGET}?a=b&token={}&c=d", token.expose());
    assert_eq!(post(&server, &target, USAGE).status, 201);
    assert_eq!(organisations(&server), [Some("Example Inc.".to_owned())]);
}

#[test]
fn the_header_wins_over_the_query() {
    let server = start();
    let one = server.create_token("One").unwrap();
    let two = server.create_token("Two").unwrap();
    let target = format!("{TARGET}?token={}", two.expose());
    Request::post(&target, USAGE).token(one.expose()).send(&server);
    assert_eq!(organisations(&server), [Some("One".to_owned())]);

    let refused = Request::post(&target, USAGE).token("unknown").send(&server);
    assert_eq!(refused.status, 401);
}

#[test]
fn no_token_is_taken_as_anonymous() {
    let server = start();
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
    assert_eq!(organisations(&server), [None]);
}

/// The original Go client sends an empty header for a token of white space (W6).
#[test]
fn a_blank_token_is_no_token() {
    let server = start();
    for blank in ["", " ", "\t"] {
        assert_eq!(Request::post(TARGET, USAGE).token(blank).send(&server).status, 201);
    }
    for blank in ["?token=", "?token=%20", "?token", "?"] {
        assert_eq!(post(&server, &format!("{TARGET}{blank}"), USAGE).status, 201, "{blank}");
    }
    assert_eq!(organisations(&server), [const { None }; 7]);

    // It does not hide one in the query.
    let token = server.create_token("Example Inc.").unwrap();
    let target = format!("{TARGET}?token={}", token.expose());
    Request::post(&target, USAGE).token("").send(&server);
    assert_eq!(organisations(&server).last().unwrap().as_deref(), Some("Example Inc."));
}

#[test]
fn an_unknown_token_is_refused_with_a_way_out() {
    let server = start();
    let known = server.create_token("Example Inc.").unwrap();
    let cut = &known.expose()[1..];
    for token in ["unknown", cut, "with space", "%20", "caf\u{e9}"] {
        let answer = Request::post("/api/v1/servers", SERVER).token(token).send(&server);
        assert_eq!(answer.status, 401, "{token}");
        assert!(answer.error().contains("register again"), "{}", answer.error());
        assert!(answer.header("www-authenticate").is_some());
        assert!(!answer.body.contains(cut), "{}", answer.body);
    }
    assert_eq!(post(&server, "/api/v1/servers?token=unknown", SERVER).status, 401);
    assert!(server.store().servers().read_all().unwrap().is_empty());
}

#[test]
fn an_unknown_token_is_told_before_a_bad_body() {
    let server = start();
    let mut client = Client::connect(&server);
    assert_eq!(client.send(&Request::post("/api/v1/servers", "{").token("unknown")).status, 401);
}

#[test]
fn tokens_differ_and_belong_to_someone() {
    let server = start();
    let one = server.create_token("Example Inc.").unwrap();
    let two = server.create_token("Example Inc.").unwrap();
    assert!(one != two);
    assert!(one.expose().len() >= 32);
    for blank in ["", " \n"] {
        assert!(matches!(server.create_token(blank), Err(StoreError::BlankOrganisation)));
    }
}
