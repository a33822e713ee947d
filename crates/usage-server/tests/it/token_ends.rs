//! Tokens end: revoked, replaced, or with their organisation.

use std::time::Duration;

use usage_proto::Token;
use usage_server::{Server, Store, StoreError, TokenChoice};

use crate::client::{Request, USAGE, start};

const TARGET: &str = "/api/v1/usage/influxdb";

fn status(server: &Server, token: &Token) -> u16 {
    Request::post(TARGET, USAGE).token(token.expose()).send(server).status
}

fn id(store: &Store, token: &Token) -> i64 {
    store.token_id(token).unwrap().unwrap()
}

/// Not in ten seconds, but with the next request, and whoever revokes it: another process too.
#[test]
fn a_revoked_token_is_refused() {
    let server = start();
    let beside = Store::open(&usage_server::Database::file(server.store().path())).unwrap();
    let [one, two, other] =
        ["Example Inc.", "Example Inc.", "Other"].map(|name| server.create_token(name).unwrap());
    assert_eq!([&one, &two, &other].map(|token| status(&server, token)), [201; 3]);
    assert_eq!(beside.revoke_tokens(TokenChoice::Id(id(&beside, &one))).unwrap(), 1);
    assert_eq!([&one, &two, &other].map(|token| status(&server, token)), [401, 201, 201]);
    // Once more is no harm.
    beside.revoke_tokens(TokenChoice::Id(id(&beside, &one))).unwrap();
    let all = TokenChoice::Organisation(" Example Inc. ".to_owned());
    assert_eq!(beside.revoke_tokens(all).unwrap(), 2);
    assert_eq!([&one, &two, &other].map(|token| status(&server, token)), [401, 401, 201]);
    // Its reports stay, and are its own.
    let of = |rows: Vec<usage_server::Stored<_>>| {
        rows.iter().filter(|row| row.organisation.as_deref() == Some("Example Inc.")).count()
    };
    assert_eq!(of(server.store().usage().read_all().unwrap()), 3);
    assert!(!server.store().has_token("Example Inc.").unwrap());
    assert!(server.store().has_token("Other").unwrap());
}

#[test]
fn what_is_not_there_cannot_end() {
    let server = start();
    let store = server.store();
    let nobody = || "Nobody".to_owned();
    let error = store.revoke_tokens(TokenChoice::Id(7)).unwrap_err();
    assert!(matches!(error, StoreError::NoToken { id: 7, .. }), "{error:?}");
    let error = store.rotate_token(7, Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::NoToken { id: 7, .. }), "{error:?}");
    let error = store.revoke_tokens(TokenChoice::Organisation(nobody())).unwrap_err();
    assert!(matches!(error, StoreError::NoOrganisation { .. }), "{error:?}");
    for name in ["Nobody", "", " "] {
        let error = store.remove_organisation(name).unwrap_err();
        assert!(matches!(error, StoreError::NoOrganisation { .. }), "{error:?}");
    }
    let stranger = Token::new("a-token-of-somebody-else").unwrap();
    assert_eq!(store.token_id(&stranger).unwrap(), None);
}

#[test]
fn a_token_that_is_replaced_counts_for_a_while() {
    let server = start();
    let store = server.store();
    let old = server.create_token("Example Inc.").unwrap();
    let new = store.rotate_token(id(store, &old), Duration::from_secs(3600)).unwrap();
    assert!(new != old);
    assert_eq!([&old, &new].map(|token| status(&server, token)), [201; 2]);
    let listed = store.tokens().unwrap();
    assert_eq!(listed[0].organisation, listed[1].organisation);
    assert!(listed[0].ends_at.as_ref().unwrap() > &listed[1].created_at);
    assert!(listed.iter().all(|token| !token.has_ended) && listed[1].ends_at.is_none());

    let newest = store.rotate_token(id(store, &new), Duration::ZERO).unwrap();
    assert_eq!([&old, &new, &newest].map(|token| status(&server, token)), [201, 401, 201]);
    let error = store.rotate_token(id(store, &new), Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Ended { .. }), "{error:?}");
    // An end that is near is not put off.
    store.rotate_token(id(store, &old), Duration::from_secs(999_999)).unwrap();
    assert_eq!(store.tokens().unwrap()[0].ends_at, listed[0].ends_at);
}

#[test]
fn an_organisation_is_removed_and_its_reports_are_not() {
    let server = start();
    let store = server.store();
    let token = server.create_token("Example Inc.").unwrap();
    server.create_token("Other").unwrap();
    assert_eq!(status(&server, &token), 201);
    assert_eq!(store.remove_organisation("Example Inc.").unwrap(), 1);
    assert_eq!(status(&server, &token), 401);
    let rows = store.usage().read_all().unwrap();
    assert_eq!((rows.len(), rows[0].organisation.as_deref()), (1, None));
    let names: Vec<_> = store.tokens().unwrap().into_iter().map(|one| one.organisation).collect();
    assert_eq!(names, ["Other"]);
    assert_eq!(store.token_id(&token).unwrap(), None);
    assert!(store.remove_organisation("Example Inc.").is_err());
    // The name is free for somebody else, who does not get the reports.
    server.create_token("Example Inc.").unwrap();
    assert_eq!(store.usage().read_all().unwrap()[0].organisation, None);
}

/// Keys of the removed organisation stay its own.
#[test]
fn a_removed_organisation_leaves_no_key_to_others() {
    let server = start();
    let token = server.create_token("Example Inc.").unwrap();
    let keyed = || Request::post(TARGET, USAGE).key("key");
    keyed().token(token.expose()).send(&server);
    server.store().remove_organisation("Example Inc.").unwrap();
    assert_eq!(keyed().send(&server).status, 201);
    assert_eq!(server.store().usage().count(), 2);
}
