//! W43: a known key is answered like the first time, and stored once.

use crate::client::{Request, SERVER, STATS, USAGE, start, start_with};
use crate::storage::all_at_once;
use usage_server::{Config, Database};

const TARGET: &str = "/api/v1/usage/influxdb";
const KEY: &str = "8e03978e40d5431c9c8b7a6f5e4d3c2b";

#[test]
fn a_repeated_report_is_stored_once() {
    let server = start();
    for (target, body, status) in
        [("/api/v1/servers", SERVER, 201), ("/api/v1/stats/p", STATS, 200), (TARGET, USAGE, 201)]
    {
        let request = Request::post(target, body).key(target);
        let first = request.send(&server);
        let second = request.send(&server);
        assert_eq!((first.status, second.status), (status, status));
        assert_eq!(first.body, second.body);
    }
    let store = server.store();
    let rows = (
        store.servers().read_all().unwrap(),
        store.stats().read_all().unwrap(),
        store.usage().read_all().unwrap(),
    );
    assert_eq!((rows.0.len(), rows.1.len(), rows.2.len()), (1, 1, 1));
}

#[test]
fn without_a_key_each_report_counts() {
    let server = start();
    for _ in 0..2 {
        assert_eq!(Request::post(TARGET, USAGE).send(&server).status, 201);
    }
    assert_eq!(server.store().usage().read_all().unwrap().len(), 2);
}

/// All of them pass the first look before any of them is stored: the index decides.
#[test]
fn repeated_reports_in_one_commit_are_stored_once() {
    let server = start();
    let answers = all_at_once(&server, &vec![Request::post(TARGET, USAGE).key(KEY); 16], |_| ());
    assert!(answers.iter().all(|answer| (answer.status, answer.body.as_str()) == (201, "{}")));
    assert_eq!(server.store().usage().read_all().unwrap().len(), 1);
    let metrics = server.store().metrics();
    assert_eq!((metrics.stored, metrics.repeated), (1, 15));
}

#[test]
fn repeated_reports_side_by_side_are_stored_once() {
    let server = start();
    let request = Request::post(TARGET, USAGE).key(KEY);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(request.send(&server).status, 201));
        }
    });
    assert_eq!(server.store().usage().read_all().unwrap().len(), 1);
}

#[test]
fn a_key_belongs_to_its_token() {
    let server = start();
    let one = server.create_token("One").unwrap();
    let two = server.create_token("Two").unwrap();
    let request = Request::post(TARGET, USAGE).key(KEY);
    for _ in 0..2 {
        request.send(&server);
        request.clone().token(one.expose()).send(&server);
        request.clone().token(two.expose()).send(&server);
    }
    assert_eq!(server.store().usage().read_all().unwrap().len(), 3);
    // A known key opens no door.
    assert_eq!(request.token("unknown").send(&server).status, 401);
}

/// Other numbers for the same are answered like the first time: a restart may collect anew.
#[test]
fn w43_other_numbers_under_a_known_key_are_answered_like_the_first() {
    let server = start();
    for (target, first, others, status) in [
        ("/api/v1/stats/p", STATS, &[&*STATS.replace("39", "40"), "not JSON", "{}"][..], 200),
        ("/api/v1/usage/a%20b", USAGE, &["[]", "", "[1]"], 201),
        ("/api/v1/servers", SERVER, &[&SERVER.replace("1.0", "1.1")], 201),
    ] {
        let key = |body: &str| Request::post(target, body).key(target);
        assert_eq!(key(first).send(&server).status, status);
        for body in others {
            let answer = key(body).send(&server);
            assert_eq!((answer.status, answer.body.as_str()), (status, "{}"), "{target} {body}");
        }
    }
    let store = server.store();
    let rows = (
        store.servers().read_all().unwrap(),
        store.stats().read_all().unwrap(),
        store.usage().read_all().unwrap(),
    );
    assert_eq!((rows.0.len(), rows.1.len(), rows.2.len()), (1, 1, 1));
    assert_eq!(rows.0[0].report.version, "1.0");
}

/// A key that was used for another kind or another product is not an answer to this report, be it
/// right or broken.
#[test]
fn w43_a_key_belongs_to_what_it_was_used_for() {
    let other = SERVER.replace("influxdb", "kapacitor");
    let purposes = [
        ("/api/v1/servers", SERVER),
        ("/api/v1/servers", &other),
        ("/api/v1/stats/influxdb", STATS),
        ("/api/v1/stats/kapacitor", STATS),
        ("/api/v1/usage/influxdb", USAGE),
        ("/api/v1/usage/kapacitor", USAGE),
    ];
    for token in [false, true] {
        for (first, &(target, body)) in purposes.iter().enumerate() {
            let server = start();
            let token = token.then(|| server.create_token("Example Inc.").unwrap());
            let post = |target: &str, body: &str| {
                let request = Request::post(target, body).key(KEY);
                let request = match &token {
                    Some(token) => request.token(token.expose()),
                    None => request,
                };
                request.send(&server)
            };
            let status = post(target, body).status;
            assert!(status < 300);
            for (second, &(target, body)) in purposes.iter().enumerate() {
                if second == first {
                    assert_eq!(post(target, body).status, status);
                    continue;
                }
                for body in [body, "not JSON"] {
                    // Of a server that is broken nobody knows the product.
                    let both_servers = first < 2 && second < 2;
                    let field =
                        if body == "not JSON" && both_servers { "body" } else { "idempotency_key" };
                    let answer = post(target, body);
                    assert_eq!(answer.status, 422, "{first} {second} {body}");
                    let json = answer.json();
                    assert!(json["errors"][field][0].is_string(), "{first} {second} {json}");
                    assert_eq!(json["errors"].as_object().unwrap().len(), 1);
                }
            }
            assert_eq!(server.store().metrics().stored, 1 + u64::from(token.is_some()));
        }
    }
}

/// All of them are in one transaction, so that none of them was known when it came.
#[test]
fn w43_a_key_belongs_to_the_first_in_a_commit() {
    let server = start();
    let requests = [
        Request::post("/api/v1/usage/a", USAGE).key(KEY),
        Request::post("/api/v1/usage/b", USAGE).key(KEY),
        Request::post("/api/v1/stats/a", STATS).key(KEY),
        Request::post("/api/v1/usage/a", "[]").key(KEY),
    ];
    let answers = all_at_once(&server, &requests, |_| ());
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [201, 422, 422, 201]);
    let metrics = server.store().metrics();
    assert_eq!((metrics.stored, metrics.repeated), (1, 1));
}

#[test]
fn a_refused_report_does_not_use_up_its_key() {
    let server = start();
    assert_eq!(Request::post("/api/v1/servers", "{}").key(KEY).send(&server).status, 422);
    assert_eq!(Request::post("/api/v1/servers", SERVER).key(KEY).send(&server).status, 201);
    assert_eq!(server.store().servers().read_all().unwrap().len(), 1);
}

#[test]
fn a_key_is_known_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = Database::file(directory.path().join("usage.db"));
    let request = Request::post(TARGET, USAGE).key(KEY);
    for _ in 0..2 {
        let server = start_with(Config::new(file.clone()));
        assert_eq!(request.send(&server).status, 201);
        assert_eq!(server.store().usage().read_all().unwrap().len(), 1);
        server.shutdown().unwrap();
    }
}

/// 400 would look like a success to deployed Go clients.
#[test]
fn a_key_that_can_not_be_read_is_a_field_error() {
    let server = start();
    let long = format!("\"{}\"", "k".repeat(257));
    for key in ["bare", "\"\"", "\"open", "\"a\"b\"", "", long.as_str()] {
        let answer = Request::post(TARGET, USAGE).header("Idempotency-Key", key).send(&server);
        assert_eq!(answer.status, 422, "{key}");
        let json = answer.json();
        let message = json["errors"]["idempotency_key"][0].as_str().unwrap();
        assert!(message.contains("quoted string of 1 to 256"), "{message}");
    }
    let twice = Request::post(TARGET, USAGE).key("a").key("b");
    assert_eq!(twice.send(&server).status, 422);
    assert!(server.store().usage().read_all().unwrap().is_empty());

    let longest = "k".repeat(256);
    assert_eq!(Request::post(TARGET, USAGE).key(&longest).send(&server).status, 201);
}
