//! An answer comes after the commit, and many requests share one.

use std::sync::mpsc::channel;
use std::thread;

use rusqlite::Connection;
use usage_server::Server;

use crate::client::{
    Answer, PATIENCE, Request, SERVER, STATS, USAGE, get, post, start, start_with, temporary,
    wait_until,
};

const TARGET: &str = "/api/v1/usage/influxdb";

/// A second process's view of the database.
pub(crate) fn beside(server: &Server) -> Connection {
    Connection::open(server.store().path()).unwrap()
}

/// Holds back the writer until all requests wait for it, in this order, and returns their answers.
pub(crate) fn all_at_once(
    server: &Server,
    requests: &[Request],
    meanwhile: impl FnOnce(&Connection),
) -> Vec<Answer> {
    let lock = beside(server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for request in requests {
            clients.push(scope.spawn(|| request.send(server)));
            wait_until("the request waits for the writer", || {
                server.store().metrics().waiting == clients.len() as u64
            });
        }
        meanwhile(&lock);
        lock.execute_batch("COMMIT").unwrap();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn a_row_is_there_when_its_answer_is() {
    let server = start();
    let other = beside(&server);
    for count in 1..=20_u32 {
        assert_eq!(post(&server, TARGET, USAGE).status, 201);
        let rows: u32 =
            other.query_row("SELECT count(*) FROM report", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, count);
    }
}

#[test]
fn the_database_is_in_wal_mode() {
    let server = start();
    let mode: String =
        beside(&server).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn waiting_requests_share_a_commit() {
    let server = start();
    let answers = all_at_once(&server, &vec![Request::post(TARGET, USAGE); 64], |_| ());
    assert!(answers.iter().all(|answer| answer.status == 201));
    let metrics = server.store().metrics();
    assert_eq!((metrics.commits, metrics.stored, metrics.waiting), (1, 64, 0));
    assert_eq!(server.store().usage().read_all().unwrap().len(), 64);
}

#[test]
fn ids_grow_with_each_report() {
    let server = start();
    for _ in 0..3 {
        post(&server, TARGET, USAGE);
        post(&server, "/api/v1/servers", SERVER);
    }
    let ids = |rows: Vec<i64>| rows.windows(2).all(|pair| pair[0] < pair[1]);
    assert!(ids(server
        .store()
        .usage()
        .read_all()
        .unwrap()
        .iter()
        .map(|row| row.position)
        .collect()));
    assert!(ids(server
        .store()
        .servers()
        .read_all()
        .unwrap()
        .iter()
        .map(|row| row.position)
        .collect()));
}

/// One of each, and a look whether it is ready: the number of its kind, and what it gets.
fn one_of_each() -> [(Request, i64, u16); 4] {
    [
        (Request::post("/api/v1/servers", SERVER).key("one"), 1, 201),
        (Request::post("/api/v1/stats/p", STATS).key("two"), 2, 200),
        (Request::new("GET", "/readyz"), 0, 200),
        (Request::post(TARGET, USAGE).key("three"), 3, 201),
    ]
}

/// Changes the database while the requests wait, and returns the answers.
fn changed(server: &Server, statement: &str, requests: &[Request]) -> Vec<Answer> {
    all_at_once(server, requests, |lock| lock.execute_batch(statement).unwrap())
}

#[test]
fn a_report_that_cannot_be_stored_fails_alone() {
    for broken in 1..=3 {
        let (failures, failed) = channel();
        let server = start_with(temporary().on_request(move |request| {
            drop(failures.send(request.failure.clone()));
        }));
        // Each three times, so that there is more than one that fails, in front and behind.
        let cases: Vec<_> = (0..3).flat_map(|_| one_of_each()).collect();
        let requests: Vec<_> = cases.iter().map(|(request, ..)| request.clone()).collect();
        // An index that has no value for a report of this kind.
        let index = format!(
            "CREATE INDEX broken ON report (CASE kind WHEN {broken} THEN abs(-9223372036854775808) END)"
        );
        let answers = changed(&server, &index, &requests);
        for (answer, (_, kind, status)) in answers.iter().zip(&cases) {
            let expected = if *kind == broken { 500 } else { *status };
            assert_eq!(answer.status, expected, "{broken} {kind}");
        }
        // What went wrong inside is for the log.
        let failures: Vec<_> =
            (0..cases.len()).filter_map(|_| failed.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(failures.len(), 3);
        assert!(
            failures.iter().all(|failure| failure.contains("integer overflow")),
            "{failures:?}"
        );
        // The others are stored once each, and the keys of those that failed are free.
        let metrics = server.store().metrics();
        assert_eq!((metrics.stored, metrics.repeated), (2, 4), "{broken}");
        beside(&server).execute_batch("DROP INDEX broken").unwrap();
        for (request, _, status) in one_of_each() {
            assert_eq!(request.send(&server).status, status);
        }
        assert_eq!(server.store().metrics().stored, 3);
    }
}

/// Where nothing works, each hears of it, and each may come again.
#[test]
fn a_failed_commit_is_told_to_each_request_in_it() {
    let server = start();
    let requests = one_of_each().map(|(request, ..)| request);
    let answers = changed(&server, "ALTER TABLE report RENAME TO elsewhere", &requests);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [500, 500, 200, 500]);
    assert_eq!(server.store().metrics().stored, 0);
    beside(&server).execute_batch("ALTER TABLE elsewhere RENAME TO report").unwrap();
    for (request, _, status) in one_of_each() {
        assert_eq!(request.send(&server).status, status);
    }
    assert_eq!(server.store().metrics().stored, 3);
}

/// A product that comes with a report that cannot be stored goes with it, and comes with the next one.
#[test]
fn a_product_is_stored_with_its_first_report() {
    let server = start();
    let first =
        r#"[{"tags":{"server_id":"one"},"values":{}},{"tags":{"server_id":"other"},"values":{}}]"#;
    let requests = [first, "[]", first, "[]"].map(|body| Request::post(TARGET, body));
    let table = "ALTER TABLE other_id RENAME TO elsewhere";
    let answers = changed(&server, table, &requests);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [500, 201, 500, 201]);
    let reports = server.store().usage().read_all().unwrap();
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(|row| row.report.product == "influxdb"), "{reports:?}");
}

#[test]
fn a_full_queue_asks_to_come_again() {
    let server = start_with(temporary().queue(1));
    let lock = beside(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (answers, answered) = channel();
    thread::scope(|scope| {
        for _ in 0..5 {
            let answers = answers.clone();
            scope.spawn(|| {
                let answers = answers;
                answers.send(post(&server, TARGET, USAGE)).unwrap();
            });
        }
        // The writer holds one and the queue another at most, as long as the lock is held.
        for _ in 0..3 {
            let answer = answered.recv_timeout(PATIENCE).unwrap();
            // 503 would look like a success to deployed Go clients.
            assert_eq!(answer.status, 500);
            assert_eq!(answer.header("retry-after"), Some("5"));
            assert!(answer.error().contains("too many"), "{}", answer.error());
        }
        lock.execute_batch("COMMIT").unwrap();
        let rest =
            [answered.recv_timeout(PATIENCE).unwrap(), answered.recv_timeout(PATIENCE).unwrap()];
        let stored = rest.iter().filter(|answer| answer.status == 201).count();
        assert!(stored >= 1);
        assert_eq!(server.store().usage().read_all().unwrap().len(), stored);
    });
}

#[test]
fn it_is_not_ready_while_the_database_is_not() {
    let server = start_with(temporary().queue(1));
    let lock = beside(&server);
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        // Fill the writer's hands and its queue.
        for filled in 1..=2 {
            scope.spawn(|| {
                loop {
                    if post(&server, TARGET, USAGE).status == 201 {
                        break;
                    }
                }
            });
            wait_until("a request waits", || server.store().metrics().waiting >= filled);
        }
        assert_eq!(get(&server, "/healthz").status, 200);
        let answer = get(&server, "/readyz");
        assert_eq!(answer.status, 503);
        assert!(answer.error().contains("database"), "{}", answer.error());
        lock.execute_batch("COMMIT").unwrap();
    });
    assert_eq!(get(&server, "/readyz").status, 200);
}
