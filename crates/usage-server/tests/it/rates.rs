//! More than one may send, and more variety than a product may bring.

use std::sync::mpsc::channel;

use usage_server::{Config, Limits, Server, ServerEvent, Terms};

use crate::client::{
    Answer, Client, PATIENCE, Request, SERVER, STATS, USAGE, get, post, start_with, temporary,
};

const TARGET: &str = "/api/v1/usage/influxdb";

fn limited(limits: Limits) -> Config {
    temporary().terms(Terms::new().limits(limits))
}

/// 429, with words, and a wait of whole seconds within a minute.
#[track_caller]
fn check_refused(answer: &Answer, words: &str) -> u64 {
    assert_eq!(answer.status, 429, "{answer:?}");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let error = answer.error();
    assert!(error.contains(words) && error.contains(&format!("in {wait} s")), "{error}");
    wait
}

fn count(server: &Server, series: &str) -> String {
    let text = server.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or("none").to_owned()
}

#[test]
fn w56_an_address_has_a_number_of_requests() {
    let server = start_with(limited(Limits::new().requests_per_address(3)));
    // Whatever they are, and on whatever connection.
    let mut client = Client::connect(&server);
    assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
    assert_eq!(get(&server, "/no-such-route").status, 404);
    assert_eq!(post(&server, "/api/v1/servers", "{}").status, 422);
    for target in [TARGET, "/start?cluster_id=c&product=p"] {
        let wait = check_refused(&client.send(&Request::post(target, USAGE)), "from this address");
        assert!(wait <= 20, "a third of a minute: {wait}");
    }
    // A server that is busy is not dead.
    assert_eq!(client.send(&Request::new("GET", "/healthz")).status, 200);
    assert_eq!(get(&server, "/readyz").status, 200);
    assert_eq!(server.store().metrics().stored, 1);
    assert_eq!(count(&server, "usage_refused_total{reason=\"address_rate\"}"), "2");

    // The operator changes his mind.
    server.set_terms(Terms::new());
    assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
}

#[test]
fn w56_an_address_has_a_number_of_bytes() {
    let server = start_with(limited(Limits::new().bytes_per_address(1000)));
    let body = |bytes: usize| format!("[{}]", " ".repeat(bytes - 2));
    let mut client = Client::connect(&server);
    // A large one is taken, and its size counted afterwards.
    assert_eq!(client.send(&Request::post(TARGET, body(500))).status, 201);
    assert_eq!(client.send(&Request::post(TARGET, body(900))).status, 201);
    let wait = check_refused(&client.send(&Request::post(TARGET, body(2))), "from this address");
    assert!((20..=25).contains(&wait), "400 bytes are missing: {wait}");
    // What was refused has cost nothing.
    let again = check_refused(&client.send(&Request::post(TARGET, body(900))), "from this address");
    assert!(again <= wait, "{again}");
}

#[test]
fn w56_a_token_has_a_number_of_requests_and_bytes() {
    for limits in [Limits::new().requests_per_token(2), Limits::new().bytes_per_token(80)] {
        let server = start_with(limited(limits));
        let [first, second] = ["a", "b"].map(|name| server.create_token(name).unwrap());
        let send = |token: &str| Request::post(TARGET, USAGE).token(token).send(&server);
        // Two of these are more than 80 bytes.
        for _ in 0..2 {
            assert_eq!(send(first.expose()).status, 201);
        }
        check_refused(&send(first.expose()), "with this token");
        // Others are others, and who has no token is limited by the address alone.
        assert_eq!(send(second.expose()).status, 201);
        for _ in 0..5 {
            assert_eq!(post(&server, TARGET, USAGE).status, 201);
        }
        assert_eq!(count(&server, "usage_refused_total{reason=\"token_rate\"}"), "1");
    }
}

#[test]
fn only_products_that_are_named_are_taken() {
    let server = start_with(temporary().terms(Terms::new().products(["influxdb", "a/b"])));
    let mut client = Client::connect(&server);
    for (target, body, status) in [
        (TARGET, USAGE, 201),
        ("/api/v1/stats/a%2Fb", STATS, 200),
        ("/api/v1/servers", SERVER, 201),
        ("/api/v1/usage/InfluxDB", USAGE, 422),
        ("/api/v1/stats/influx", STATS, 422),
        ("/api/v1/servers", &SERVER.replace("influxdb", "another"), 422),
    ] {
        let answer = client.send(&Request::post(target, body));
        assert_eq!(answer.status, status, "{target}");
        if status == 422 {
            let words = answer.json()["errors"]["product"][0].as_str().unwrap().to_owned();
            assert!(words.contains("not taken here"), "{words}");
        }
    }
    assert_eq!(server.store().metrics().stored, 3);
    assert_eq!(count(&server, "usage_refused_total{reason=\"product\"}"), "3");
    // What is repeated of a name is bounded.
    let long = format!("/api/v1/usage/{}", "x".repeat(256));
    let answer = post(&server, &long, USAGE);
    assert!(answer.status == 422 && answer.body.len() < 200, "{}", answer.body);
}

#[test]
fn too_much_variety_is_stored_under_one_name() {
    let (events, told) = channel();
    let config = limited(Limits::new().keys_per_day(2).values_per_day(3))
        .on_event(move |event| events.send(event.clone()).unwrap());
    let server = start_with(config);
    for number in 0..10 {
        let body = format!(
            r#"[{{"tags":{{"os":"os{number}","key{number}":"x"}},"values":{{"server_id":"{number}"}}}}]"#
        );
        assert_eq!(post(&server, TARGET, body).status, 201);
    }
    let event = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(event, ServerEvent::TooVaried { .. }), "{event:?}");
    assert!(event.to_string().contains("influxdb"), "{event}");
    assert!(told.try_recv().is_err(), "it is told once");
    // `key0` and `key1` are known; `x` under each of them and `os0` are, too.
    assert_eq!(count(&server, "usage_overflowed_total{what=\"value\"}"), "9");
    assert_eq!(count(&server, "usage_overflowed_total{what=\"key\"}"), "8");
}

/// Somebody brings as many keys as there may be: what comes later is found by its ids all the same.
#[test]
fn nobody_takes_the_ids_from_the_reports_of_others() {
    let server = start_with(limited(Limits::new().keys_per_day(2).values_per_day(2)));
    let junk = r#"[{"tags":{"junk1":"a","junk2":"b"}}]"#;
    assert_eq!(post(&server, TARGET, junk).status, 201);
    let id = "0123456789abcdef0123456789abcdef";
    for place in ["tags", "values"] {
        let body = format!(r#"[{{"{place}":{{"server_id":"{id}","edition":"x"}}}}]"#);
        assert_eq!(post(&server, TARGET, body).status, 201);
    }
    let forget = format!(r#"{{"server_id":"{id}","cluster_id":"c"}}"#);
    let answer = post(&server, "/api/v1/forget/influxdb", forget);
    assert_eq!(answer.json(), serde_json::json!({"reports": 2}));
}
