//! Reports are read page by page, in the order in which they were stored.

use rusqlite::{Connection, params};
use usage_proto::Payload;
use usage_server::{Database, Kind, Selection, Server, Store};

use crate::client::{SERVER, STATS, USAGE, post, start};
use crate::storage::beside;

/// Stores reports by hand: their number, and the length of the text in each.
fn fill(server: &Server, count: u32, length: usize) {
    let connection = beside(server);
    connection
        .execute_batch(
            "BEGIN; INSERT INTO product VALUES (1, 'p0'), (2, 'p1'), (3, 'p2') ON CONFLICT DO NOTHING",
        )
        .unwrap();
    let data = format!(r#"[{{"tags":{{}},"values":{{"a":"{}"}}}}]"#, "x".repeat(length));
    for number in 0..count {
        connection
            .execute(
                "INSERT INTO report (received_at, kind, product_id, data)
                 VALUES (unixepoch('2026-01-01') * 1000, 3, ?1, ?2)",
                params![number % 3 + 1, data],
            )
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

#[test]
fn many_reports_come_once_each_and_in_order() {
    let server = start();
    fill(&server, 3333, 10);
    let positions: Vec<i64> = server.store().usage().map(|row| row.unwrap().position).collect();
    assert_eq!(positions, (1..=3333).collect::<Vec<_>>());

    let of = |selection| server.store().reports(selection).read_all().unwrap();
    let ones = of(Selection::new().product("p1"));
    assert_eq!(ones.len(), 1111);
    assert!(ones.iter().all(|row| row.position % 3 == 2), "{ones:?}");
    assert_eq!(of(Selection::new().product("p1").after(3000)).len(), 111);
    assert!(of(Selection::new().product("p1").kind(Kind::Stats)).is_empty());
    assert!(of(Selection::new().after(3333)).is_empty());
}

/// Whoever reads on gets what was stored while they read, and whoever stops goes on where they were.
#[test]
fn what_is_stored_meanwhile_is_not_left_out() {
    let server = start();
    fill(&server, 1500, 10);
    let mut rows = server.store().usage();
    let mut last = 0;
    for _ in 0..1200 {
        last = rows.next().unwrap().unwrap().position;
    }
    fill(&server, 1500, 10);
    assert_eq!(rows.count(), 1800);
    let rest = server.store().reports(Selection::new().after(last));
    assert_eq!(rest.count(), 1800);
}

/// Large reports make pages short: a page has an end in bytes too.
#[test]
fn large_reports_come_all_the_same() {
    let server = start();
    fill(&server, 9, 700_000);
    assert_eq!(server.store().usage().count(), 9);
}

#[test]
fn a_selection_by_time_takes_what_is_as_old_or_younger() {
    let server = start();
    fill(&server, 3, 1);
    post(&server, "/api/v1/usage/influxdb", USAGE);
    let text = server.store().usage().last().unwrap().unwrap().received_at;
    let time = humantime::parse_rfc3339(&text).unwrap();
    let count = |time| server.store().reports(Selection::new().since(time)).count();
    assert_eq!(count(time), 1);
    assert_eq!(count(time + std::time::Duration::from_millis(1)), 0);
    assert_eq!(count(std::time::UNIX_EPOCH), 4);
}

#[test]
fn reports_of_every_kind_are_read_together() {
    let server = start();
    post(&server, "/api/v1/stats/influxdb", STATS);
    post(&server, "/api/v1/servers", SERVER);
    post(&server, "/api/v1/usage/influxdb", USAGE);
    let rows = server.store().reports(Selection::new()).read_all().unwrap();
    assert!(matches!(
        [&rows[0].report, &rows[1].report, &rows[2].report],
        [Payload::Stats(_), Payload::Server(_), Payload::Usage(_)]
    ));
    let instances: Vec<_> = rows.iter().map(|row| row.instance.as_deref()).collect();
    assert_eq!(instances, [Some("serv1"), Some("serv1"), None]);
}

/// What cannot be read ends the reading, and is not left out without a word.
#[test]
fn a_row_that_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let store = Store::open(&Database::file(&path)).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "INSERT INTO product VALUES (1, 'p');
             INSERT INTO report (received_at, kind, product_id, data) VALUES (0, 3, 1, '{');",
        )
        .unwrap();
    let mut rows = store.usage();
    let error = rows.next().unwrap().unwrap_err();
    assert!(error.to_string().contains("usage.db"), "{error}");
    assert!(rows.next().is_none());
}
