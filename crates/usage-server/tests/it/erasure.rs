//! Somebody is forgotten: everything of theirs, in every table, and nothing of others.

use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use usage_server::{Database, Erased, Erasure, Selection, Server, Store, StoreError};

use crate::client::{Request, SERVER, STATS, post, start};
use crate::storage::beside;

const USAGE: &str = "/api/v1/usage/influxdb";

/// Rows in a table.
fn count(server: &Server, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    beside(server).query_row(&count, [], |row| row.get(0)).unwrap()
}

fn erased(reports: u64, tokens: u64) -> Erased {
    let mut erased = Erased::default();
    (erased.reports, erased.tokens) = (reports, tokens);
    erased
}

fn instance(id: &str) -> Erasure {
    Erasure::Instance(id.to_owned())
}

#[test]
fn an_instance_is_erased_wherever_its_id_stands() {
    let server = start();
    let bodies = [
        r#"[{"tags":{"server_id":"serv1"},"values":{}}]"#,
        r#"[{"tags":{},"values":{"server_id":" serv1 "}}]"#,
        r#"[{"tags":{"cluster_id":"serv1"},"values":{"num":1}}]"#,
        r#"[{"tags":{},"values":{"server_id":"other"}},{"tags":{},"values":{"server_id":"serv1"}}]"#,
    ];
    for body in bodies {
        post(&server, USAGE, body);
    }
    post(&server, "/api/v1/servers", SERVER);
    post(&server, "/api/v1/stats/influxdb", STATS);
    // What is not about it.
    post(&server, USAGE, r#"[{"tags":{"server_id":"serv10"},"values":{"a":"serv1"}}]"#);
    post(&server, USAGE, "[]");
    let store = server.store();
    assert_eq!(store.count_erasure(&instance("serv1")).unwrap(), erased(6, 0));
    assert_eq!(store.reports(Selection::new()).count(), 8, "nothing is erased by counting");
    assert_eq!(store.erase(&instance(" serv1")).unwrap(), erased(6, 0));
    assert_eq!(store.count_erasure(&instance("serv1")).unwrap(), erased(0, 0));
    assert_eq!(store.erase(&instance("serv1")).unwrap(), erased(0, 0));
    assert_eq!(["report", "other_id"].map(|table| count(&server, table)), [2, 0]);

    post(&server, USAGE, r#"[{"tags":{},"values":{"cluster_id":4242}}]"#);
    assert_eq!(store.erase(&instance("4242")).unwrap(), erased(1, 0));
    // The cluster of a server that has registered.
    post(&server, "/api/v1/servers", SERVER);
    assert_eq!(store.erase(&instance("clus1")).unwrap(), erased(1, 0));
}

#[test]
fn an_organisation_is_erased_with_its_tokens_and_keys() {
    let server = start();
    let store = server.store();
    let token = server.create_token("Example Inc.").unwrap();
    let other = server.create_token("Other").unwrap();
    let send = |token: &usage_proto::Token, key: &str| {
        Request::post(USAGE, "[]").token(token.expose()).key(key).send(&server).status
    };
    for number in 0..250 {
        assert_eq!(send(&token, &format!("key{number}")), 201);
    }
    assert_eq!(send(&other, "key"), 201);
    let organisation = Erasure::Organisation("Example Inc. ".to_owned());
    assert_eq!(store.count_erasure(&organisation).unwrap(), erased(250, 1));
    assert_eq!(send(&token, "one more"), 201);
    assert_eq!(store.erase(&organisation).unwrap(), erased(251, 1));
    assert_eq!(send(&token, "key1"), 401);
    assert_eq!(send(&other, "key"), 201, "the key of another");
    assert_eq!((count(&server, "registration"), count(&server, "report")), (0, 1));
    assert_eq!(store.tokens().unwrap().len(), 1);
    // What stays is an id that no other token gets.
    let next = server.create_token("Next").unwrap();
    assert_eq!(store.token_id(&next).unwrap(), Some(3));
    assert_eq!(store.token_id(&token).unwrap(), None);
    let error = store.erase(&organisation).unwrap_err();
    assert!(matches!(error, StoreError::NoOrganisation { .. }), "{error:?}");
}

#[test]
fn what_is_old_is_erased() {
    let server = start();
    for _ in 0..3 {
        post(&server, USAGE, "[]");
        post(&server, "/api/v1/servers", SERVER);
    }
    beside(&server)
        .execute_batch(
            "UPDATE report SET received_at = unixepoch('2020-01-01') * 1000 WHERE id <= 3",
        )
        .unwrap();
    let before = |time| Erasure::Before(time);
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let time = SystemTime::now() - year;
    let store = server.store();
    assert_eq!(store.count_erasure(&before(time)).unwrap(), erased(3, 0));
    assert_eq!(store.erase(&before(time)).unwrap(), erased(3, 0));
    assert_eq!(store.erase(&before(SystemTime::UNIX_EPOCH)).unwrap(), erased(0, 0));
    assert_eq!(store.erase(&before(SystemTime::now() + year)).unwrap(), erased(3, 0));
    assert_eq!(store.reports(Selection::new()).count(), 0);
}

/// An open server takes any name: those of which nothing is left are not kept, however it went, and by
/// whichever process.
#[test]
fn a_product_goes_with_its_last_report() {
    let server = start();
    let token = server.create_token("Example Inc.").unwrap();
    let other = Store::open(&Database::file(server.store().path())).unwrap();
    let registered = SERVER.replace("influxdb", "registered");
    post(&server, "/api/v1/servers", registered);
    post(&server, "/api/v1/stats/counted", STATS);
    for product in ["one", "two", "both"] {
        let target = format!("/api/v1/usage/{product}");
        Request::post(&target, "[]").token(token.expose()).send(&server);
    }
    for _ in 0..2 {
        // It has a name again, although the server knew it by another number.
        post(&server, "/api/v1/usage/both", r#"[{"tags":{"server_id":"serv2"},"values":{}}]"#);
        assert_eq!(other.erase(&instance("serv2")).unwrap(), erased(1, 0));
    }
    assert_eq!(count(&server, "product"), 5);
    post(&server, "/api/v1/usage/both", "[]");
    assert_eq!(other.erase(&instance("serv1")).unwrap(), erased(2, 0));
    assert_eq!(count(&server, "product"), 3);
    other.erase(&Erasure::Organisation("Example Inc.".to_owned())).unwrap();
    assert_eq!(count(&server, "product"), 1);
    post(&server, "/api/v1/usage/one", "[]");
    assert_eq!(server.store().usage().last().unwrap().unwrap().report.product, "one");
    let later = SystemTime::now() + Duration::from_secs(60);
    assert_eq!(other.erase(&Erasure::Before(later)).unwrap(), erased(2, 0));
    assert_eq!((count(&server, "product"), count(&server, "report")), (0, 0));
}

/// What is kept says that something was erased, and not what.
#[test]
fn an_erasure_is_noted_by_a_hash() {
    let server = start();
    post(&server, "/api/v1/servers", SERVER.replace("serv1", "a-name-to-be-forgotten"));
    server.store().erase(&instance("a-name-to-be-forgotten")).unwrap();
    let (kind, hash, reports): (String, Vec<u8>, i64) = beside(&server)
        .query_row("SELECT kind, hash, reports FROM erasure", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!((kind.as_str(), hash.len(), reports), ("instance", 32, 1));
    assert_eq!(server.store().erase(&instance("never-seen")).unwrap(), erased(0, 0));
    assert_eq!(count(&server, "erasure"), 2);

    // Nor is it in the file, once the log beside it is written into it.
    let path = server.store().path().to_owned();
    let connection = Connection::open(&path).unwrap();
    server.store().reports(Selection::new()).count();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap();
        let name = b"a-name-to-be-forgotten";
        assert!(!bytes.windows(name.len()).any(|window| window == name), "{end}");
    }
}

#[test]
fn nothing_is_erased_by_a_blank_name() {
    let server = start();
    post(&server, USAGE, "[]");
    let store = server.store();
    for blank in [instance(" "), instance("")] {
        assert!(matches!(store.erase(&blank), Err(StoreError::BlankErasure)));
        assert!(matches!(store.count_erasure(&blank), Err(StoreError::BlankErasure)));
    }
    let nobody = Erasure::Organisation(String::new());
    assert!(matches!(store.erase(&nobody), Err(StoreError::NoOrganisation { .. })));
    assert_eq!(store.usage().count(), 1);
}
