//! W57, W58: a customer who has opted out is forgotten, and nobody else.

use std::time::Duration;

use usage_server::{Kind, Limits, Selection, Server, Terms};

use crate::client::{Answer, Client, FORGET, Request, post, start, start_with, temporary};
use crate::storage::beside;

const ADDRESS: &str = "/api/v1/forget/influxdb";
const USAGE: &str = "/api/v1/usage/influxdb";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn usage(cluster_id: &str, server_id: &str) -> String {
    format!(
        r#"[{{"tags":{{}},"values":{{"cluster_id":"{cluster_id}","server_id":"{server_id}"}}}}]"#
    )
}

fn forget(server: &Server) -> Answer {
    post(server, ADDRESS, FORGET)
}

fn left(server: &Server) -> usize {
    server.store().reports(Selection::new()).count()
}

fn count(server: &Server, series: &str) -> Option<String> {
    let text = server.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(str::to_owned)
}

#[test]
fn w57_everything_of_a_server_goes_and_nothing_of_others() {
    let server = start();
    let report = format!(
        r#"{{"cluster_id":"clus1","server_id":"{ID}","host":"h","product":"influxdb","version":"1"}}"#
    );
    let stats = format!(r#"{{"cluster_id":"clus1","server_id":"{ID}","stats":[{{"name":"n"}}]}}"#);
    post(&server, "/api/v1/servers", report);
    post(&server, "/api/v1/stats/influxdb", stats);
    post(&server, USAGE, usage("clus1", ID));
    post(&server, USAGE, format!(r#"[{{"tags":{{"server_id":"{ID}"}},"values":null}}]"#));
    // Another server, another cluster, a cluster alone, another product, and nobody.
    post(&server, USAGE, usage("clus1", "serv2"));
    post(&server, USAGE, usage("clus2", ID));
    post(&server, USAGE, usage("clus1", ""));
    post(&server, "/api/v1/usage/other", usage("clus1", ID));
    post(&server, USAGE, "[]");

    let answer = forget(&server);
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"reports":4}"#));
    assert_eq!(left(&server), 5);
    assert_eq!(server.store().reports(Selection::new().kind(Kind::Usage)).count(), 5);
    // Twice is the same.
    assert_eq!(forget(&server).body, r#"{"reports":0}"#);
    assert_eq!(left(&server), 5);
    assert_eq!(
        count(&server, "usage_requests_total{route=\"forget\",status=\"200\"}").as_deref(),
        Some("2")
    );
}

#[test]
fn w57_reports_of_another_organisation_are_not_touched() {
    let server = start();
    let [own, other] = ["Example Inc.", "Other"].map(|name| server.create_token(name).unwrap());
    let store = server.store();
    let rotated =
        store.rotate_token(store.token_id(&own).unwrap().unwrap(), Duration::from_secs(3600));
    let rotated = rotated.unwrap();
    for token in [&own, &rotated, &other] {
        Request::post(USAGE, usage("clus1", ID)).token(token.expose()).send(&server);
    }
    post(&server, USAGE, usage("clus1", ID));
    let ask = |body: &str, token: &str| Request::post(ADDRESS, body).token(token).send(&server);

    // Without a token: what came without one.
    assert_eq!(forget(&server).body, r#"{"reports":1}"#);
    assert_eq!(ask(FORGET, "no-such-token").status, 401);
    post(&server, USAGE, usage("clus1", ID));
    assert_eq!(left(&server), 4);

    // Of the organisation, whichever of its tokens it came with; and what came without one.
    assert_eq!(ask(FORGET, rotated.expose()).body, r#"{"reports":3}"#);
    let rows = store.usage().read_all().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.organisation.as_deref()).collect();
    assert_eq!(names, [Some("Other")]);
    assert_eq!(ask(FORGET, own.expose()).body, r#"{"reports":0}"#);
}

/// Those of an organisation that was removed belong to nobody who could ask.
#[test]
fn w57_reports_that_lost_their_organisation_are_nobodys_to_erase() {
    let server = start();
    let gone = server.create_token("Gone").unwrap();
    Request::post(USAGE, usage("clus1", ID)).token(gone.expose()).send(&server);
    server.store().remove_organisation("Gone").unwrap();
    assert_eq!(Request::post(ADDRESS, FORGET).token(gone.expose()).send(&server).status, 401);
    assert_eq!(forget(&server).body, r#"{"reports":0}"#);
    let other = server.create_token("Other").unwrap();
    let answer = Request::post(ADDRESS, FORGET).token(other.expose()).send(&server);
    assert_eq!(answer.body, r#"{"reports":0}"#);
    assert_eq!(left(&server), 1);
}

#[test]
fn w58_ids_that_anybody_may_guess_need_a_token() {
    let server = start();
    let token = server.create_token("Example Inc.").unwrap();
    let short = r#"{"cluster_id":"clus1","server_id":"0123456789abcde"}"#;
    for token in [None, Some(&token)] {
        let report = Request::post(USAGE, usage("clus1", "0123456789abcde"));
        match token {
            Some(token) => report.token(token.expose()).send(&server),
            None => report.send(&server),
        };
    }
    let refused = post(&server, ADDRESS, short);
    assert_eq!(refused.status, 403);
    assert!(refused.error().contains("16 hexadecimal digits"), "{}", refused.error());
    assert_eq!(count(&server, "usage_refused_total{reason=\"guessable\"}").as_deref(), Some("1"));
    // White space makes an id no harder to guess.
    let padded = r#"{"cluster_id":"clus1                ","server_id":"0123456789abcde "}"#;
    assert_eq!(post(&server, ADDRESS, padded).status, 403);

    // A token says whose they are: those of its organisation go, and the anonymous ones do not.
    let answer = Request::post(ADDRESS, short).token(token.expose()).send(&server);
    assert_eq!(answer.body, r#"{"reports":1}"#);
    let rows = server.store().usage().read_all().unwrap();
    assert_eq!((rows.len(), rows[0].organisation.as_deref()), (1, None));
    // The cluster's id is not looked for in a report that names none, so its length says nothing; and a
    // long name of a host is known to many.
    for server_id in ["1", "db-server-01.example.com", "----------------", "0123456789abcdeg"] {
        let guessed = format!(r#"{{"cluster_id":"{ID}","server_id":"{server_id}"}}"#);
        assert_eq!(post(&server, ADDRESS, guessed).status, 403, "{server_id}");
    }
    for server_id in ["0123456789abcdef", "0123-4567-89ab-CDEF", ID] {
        let known = format!(r#"{{"cluster_id":"c","server_id":"{server_id}"}}"#);
        assert_eq!(post(&server, ADDRESS, known).status, 200, "{server_id}");
    }
}

/// Whoever registers types the name of an organisation, and it may be another one's.
#[test]
fn w58_a_name_alone_gives_nobody_the_reports_of_others() {
    let server = start();
    let [own, same_name] = ["Example Inc."; 2].map(|name| server.create_token(name).unwrap());
    let short = r#"{"cluster_id":"clus1","server_id":"serv1"}"#;
    Request::post(USAGE, usage("clus1", "serv1")).token(own.expose()).send(&server);
    let ask = |token: &usage_proto::Token| {
        Request::post(ADDRESS, short).token(token.expose()).send(&server).body
    };
    assert_eq!(ask(&same_name), r#"{"reports":0}"#);
    assert_eq!(ask(&own), r#"{"reports":1}"#);
}

#[test]
fn w57_what_is_not_such_a_request_is_refused_in_known_words() {
    let server = start();
    let answer = post(&server, ADDRESS, r#"{"cluster_id":null,"server_id":" "}"#);
    assert_eq!(answer.status, 422);
    let errors = answer.json();
    assert_eq!(errors["errors"]["cluster_id"][0], "ClusterID can not be blank.");
    assert_eq!(errors["errors"]["server_id"][0], "ServerID can not be blank.");
    assert_eq!(post(&server, "/api/v1/forget/%20", FORGET).status, 422);
    for body in ["", "[]", "7", r#"{"server_id":7}"#] {
        let answer = post(&server, ADDRESS, body);
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.json()["errors"]["body"][0].is_string(), "{body}");
    }
    assert_eq!(post(&server, "/api/v1/forget", FORGET).status, 404);
    assert_eq!(post(&server, "/api/v1/forget/a/b", FORGET).status, 404);
    let put = Request::new("DELETE", ADDRESS).send(&server);
    assert_eq!((put.status, put.header("allow")), (405, Some("POST")));
    // W54, W1
    assert_eq!(post(&server, "//api/v1/forget/a%2Fb", FORGET).status, 200);
    // No page asks in the name of who looks at it.
    let page = Request::post(ADDRESS, FORGET).header("Origin", "https://example.com");
    assert_eq!(page.send(&server).status, 403);
}

/// An operator who takes a product's reports no longer still has the old ones.
#[test]
fn w57_a_product_that_is_not_taken_any_more_is_forgotten_all_the_same() {
    let server = start();
    post(&server, USAGE, usage("clus1", ID));
    server.set_terms(Terms::new().products(["other"]));
    assert_eq!(post(&server, USAGE, usage("clus1", ID)).status, 422);
    assert_eq!(forget(&server).body, r#"{"reports":1}"#);
}

#[test]
fn w56_who_asks_is_counted_like_who_reports() {
    let limits = Limits::new().requests_per_token(2).requests_per_address(4);
    let server = start_with(temporary().terms(Terms::new().limits(limits)));
    let token = server.create_token("Example Inc.").unwrap();
    let request = Request::post(ADDRESS, FORGET).token(token.expose());
    let mut client = Client::connect(&server);
    assert_eq!([0; 3].map(|_| client.send(&request).status), [200, 200, 429]);
    let anonymous = Request::post(ADDRESS, FORGET);
    assert_eq!([0; 2].map(|_| client.send(&anonymous).status), [200, 429]);
}

/// Slices of 100, in rows that are not all of this server.
#[test]
fn w57_many_reports_go_and_the_rest_stays_where_it_was() {
    let server = start();
    let mut client = Client::connect(&server);
    for number in 0..250 {
        let cluster = if number % 5 == 0 { "clus2" } else { "clus1" };
        let report = Request::post(USAGE, usage(cluster, ID)).key(&format!("key{number}"));
        assert_eq!(client.send(&report).status, 201);
    }
    assert_eq!(forget(&server).body, r#"{"reports":200}"#);
    assert_eq!(left(&server), 50);
    // Their keys are forgotten as well: what names a report names a person.
    let keys: i64 = beside(&server)
        .query_row(
            "SELECT (SELECT count(idempotency_key) FROM report) + (SELECT count(*) FROM left_key)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(keys, 50);
}

/// What is noted says that somebody was forgotten, and not who; and nothing where nothing was there.
#[test]
fn w57_it_is_noted_by_a_hash_once() {
    let server = start();
    post(&server, USAGE, usage("clus1", ID));
    for _ in 0..3 {
        assert_eq!(forget(&server).status, 200);
    }
    let noted: Vec<(String, Vec<u8>, i64)> = beside(&server)
        .prepare("SELECT kind, hash, reports FROM erasure")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!((noted[0].0.as_str(), noted[0].1.len(), noted[0].2), ("forgotten", 32, 1));
}

/// The address has no id in it, and the log has the address alone.
#[test]
fn w57_no_log_line_says_who_was_forgotten() {
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = lines.clone();
    let server = start_with(temporary().on_request(move |request| {
        log.lock().unwrap().push(format!("{request} {request:?}"));
    }));
    forget(&server);
    let lines = lines.lock().unwrap();
    assert!(lines[0].starts_with("POST /api/v1/forget/influxdb 200 in "), "{}", lines[0]);
    assert!(!lines[0].contains(ID) && !lines[0].contains("clus1"), "{}", lines[0]);
}
