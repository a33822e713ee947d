//! The description says what is answered, and all that is answered is described.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use usage_proto::{Forget, Server as ServerReport, Stats, StatsData, UsageData};
use usage_server::{Config, Database, Limits, Registration, Server, Terms};

use crate::client::{
    Answer, Client, FORGET, Request, SERVER, STATS, USAGE, get, start, start_with, temporary,
};

const REPORTS: [(&str, &str, &str); 3] = [
    ("/api/v1/servers", "/api/v1/servers", SERVER),
    ("/api/v1/stats/{product}", "/api/v1/stats/influxdb", STATS),
    ("/api/v1/usage/{product}", "/api/v1/usage/influxdb", USAGE),
];
const PAGES: [&str; 4] = ["/healthz", "/readyz", "/openapi.json", "/start"];
const START: &str = "/start?cluster_id=c&product=p";
const BACK: &str = "/start?cluster_id=c&product=p&redirect_url=http%3A%2F%2F127.0.0.1%3A1%2F";
const FORM: &str = "organisation=Example&email=name%40example.com";

fn described() -> Value {
    serde_json::from_str(include_str!("../../src/openapi.json")).unwrap()
}

/// What a part of the description leads to.
fn followed<'a>(root: &'a Value, part: &'a Value) -> &'a Value {
    match part.get("$ref") {
        Some(reference) => {
            let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
            root.pointer(pointer).expect(pointer)
        }
        None => part,
    }
}

/// Answers that came, by path and method as the description has them.
#[derive(Default)]
struct Came(BTreeMap<(String, String), BTreeSet<String>>);

impl Came {
    /// Looks whether the description has such an answer, with such headers and such a body.
    #[track_caller]
    fn note(&mut self, path: &str, method: &str, status: u16, answer: &Answer) {
        let root = described();
        let method = method.to_ascii_lowercase();
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let operation = &root["paths"][path][&method];
        let responses = operation["responses"].as_object().expect("an operation");
        let response = responses.get(&status.to_string());
        let described = format!("{method} {path} {status}");
        let response = followed(&root, response.expect(&described));
        let content_type = answer.header("content-type").unwrap();
        let essence = content_type.split(';').next().unwrap();
        let schema = &response["content"][essence]["schema"];
        assert!(!schema.is_null(), "{method} {path} {status}: {content_type}");
        if essence == "application/json" {
            let name = schema["$ref"].as_str().map(|name| name.rsplit('/').next().unwrap());
            check(name, &answer.json());
        }
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            if header["required"] == true {
                let value = answer.header(&name.to_ascii_lowercase());
                assert!(value.is_some(), "{method} {path} {status}: no {name}");
            }
        }
        self.came(path, &method, status);
    }

    fn came(&mut self, path: &str, method: &str, status: u16) {
        let operation = (path.to_owned(), method.to_owned());
        self.0.entry(operation).or_default().insert(status.to_string());
    }
}

/// Whether a body is what its schema of this name means.
#[track_caller]
fn check(schema: Option<&str>, body: &Value) {
    let object = body.as_object().expect("an object");
    let keys: Vec<_> = object.keys().map(String::as_str).collect();
    match schema {
        Some("Empty") => assert!(keys.is_empty(), "{body}"),
        Some("Forgotten") => assert!(keys == ["reports"] && body["reports"].is_u64(), "{body}"),
        Some("Status") => assert_eq!(*body, serde_json::json!({"status": "ok"})),
        Some("Error") => assert!(keys == ["error"] && body["error"].is_string(), "{body}"),
        Some("ValidationErrors") => {
            assert_eq!(keys, ["errors"]);
            let fields = body["errors"].as_object().unwrap();
            let messages = |list: &Value| list.as_array().unwrap().iter().all(Value::is_string);
            assert!(!fields.is_empty() && fields.values().all(messages), "{body}");
        }
        // The description itself, which has no name.
        other => assert!(other.is_none() && keys.contains(&"openapi"), "{other:?} {body}"),
    }
}

fn open() -> Config {
    temporary().registration(Registration::Open)
}

/// A server whose database is gone, and the directory that it was in.
fn without_database() -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.db");
    let config = Config::new(Database::file(&path)).registration(Registration::Open);
    let server = start_with(config);
    std::fs::rename(&path, directory.path().join("away")).unwrap();
    (server, directory)
}

/// The rest of a request whose body never comes, or breaks off.
fn unfinished(request: &Request) -> Request {
    request.clone().header("Content-Type", "application/json").header("Content-Length", "2")
}

fn broken(server: &Server, method: &str, target: &str) -> Answer {
    let mut client = Client::connect(server);
    client.write(format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    ));
    client.answer()
}

fn too_large(method: &str, target: &str) -> Request {
    Request::new(method, target).header("Content-Length", "9999999")
}

#[test]
#[cfg(unix)]
fn every_answer_is_described_and_everything_described_is_answered() {
    let mut came = Came::default();
    let server = start_with(open());
    let hasty = start_with(open().body_deadline(Duration::from_millis(20)));
    let (gone, _directory) = without_database();
    let busy = start_with(open().terms(Terms::new().limits(Limits::new().requests_per_address(1))));
    get(&busy, "/");

    for (path, target, body) in REPORTS {
        let good = Request::post(target, body);
        let success = if path.contains("stats") { 200 } else { 201 };
        came.note(path, "POST", success, &good.send(&server));
        came.note(path, "POST", 400, &good.clone().header("Host", "x").send(&server));
        came.note(path, "POST", 401, &good.clone().token("no-such-token").send(&server));
        came.note(path, "POST", 403, &good.clone().header("Origin", "null").send(&server));
        if path.contains("{product}") {
            let target = target.replace("influxdb", "%FF");
            came.note(path, "POST", 404, &Request::post(&target, body).send(&server));
        }
        came.note(path, "POST", 405, &Request::new("PUT", target).send(&server));
        came.note(path, "POST", 413, &too_large("POST", target).send(&server));
        came.note(path, "POST", 415, &Request::new("POST", target).send(&server));
        came.note(path, "POST", 422, &Request::post(target, "[").send(&server));
        came.note(path, "POST", 422, &broken(&server, "POST", target));
        came.note(path, "POST", 429, &good.send(&busy));
        came.note(path, "POST", 500, &good.send(&gone));
        came.note(path, "POST", 500, &unfinished(&Request::new("POST", target)).send(&hasty));
    }
    let (path, target) = ("/api/v1/forget/{product}", "/api/v1/forget/influxdb");
    let good = Request::post(target, FORGET);
    came.note(path, "POST", 200, &good.send(&server));
    came.note(path, "POST", 400, &good.clone().header("Host", "x").send(&server));
    came.note(path, "POST", 401, &good.clone().token("no-such-token").send(&server));
    came.note(path, "POST", 403, &good.clone().header("Origin", "null").send(&server));
    let guessable = Request::post(target, r#"{"cluster_id":"c","server_id":"s"}"#);
    came.note(path, "POST", 403, &guessable.send(&server));
    let no_product = Request::post("/api/v1/forget/%FF", FORGET);
    came.note(path, "POST", 404, &no_product.send(&server));
    came.note(path, "POST", 405, &Request::new("DELETE", target).send(&server));
    came.note(path, "POST", 413, &too_large("POST", target).send(&server));
    came.note(path, "POST", 413, &Request::post(target, " ".repeat(16 * 1024 + 1)).send(&server));
    came.note(path, "POST", 415, &Request::new("POST", target).send(&server));
    came.note(path, "POST", 422, &Request::post(target, "{}").send(&server));
    came.note(path, "POST", 422, &broken(&server, "POST", target));
    came.note(path, "POST", 429, &good.send(&busy));
    came.note(path, "POST", 500, &good.send(&gone));
    came.note(path, "POST", 500, &unfinished(&Request::new("POST", target)).send(&hasty));
    for path in PAGES {
        let target = if path == "/start" { START } else { path };
        came.note(path, "GET", 200, &get(&server, target));
        let two_hosts = Request::new("GET", target).header("Host", "x");
        came.note(path, "GET", 400, &two_hosts.send(&server));
        came.note(path, "GET", 405, &Request::new("DELETE", target).send(&server));
        came.note(path, "GET", 413, &too_large("GET", target).send(&server));
        came.note(path, "GET", 422, &broken(&server, "GET", target));
        came.note(path, "GET", 500, &unfinished(&Request::new("GET", target)).send(&hasty));
        match path {
            // That a thread has ended would be a defect, and is described all the same.
            "/healthz" => came.came("/healthz", "get", 503),
            "/readyz" => came.note(path, "GET", 503, &get(&gone, target)),
            _ => came.note(path, "GET", 429, &get(&busy, target)),
        }
    }
    came.note("/start", "GET", 400, &get(&server, "/start"));
    came.note("/start", "GET", 404, &get(&start(), START));
    let form = |target, body| Request::post(target, body);
    came.note("/start", "POST", 200, &form(START, FORM).send(&server));
    came.note("/start", "POST", 303, &form(BACK, FORM).send(&server));
    came.note("/start", "POST", 400, &form("/start", FORM).send(&server));
    came.note("/start", "POST", 400, &form(START, FORM).header("Host", "x").send(&server));
    came.note("/start", "POST", 403, &form(START, FORM).header("Origin", "null").send(&server));
    came.note("/start", "POST", 404, &form(START, FORM).send(&start()));
    came.note("/start", "POST", 405, &Request::new("PUT", START).send(&server));
    came.note("/start", "POST", 413, &too_large("POST", START).send(&server));
    came.note("/start", "POST", 422, &form(START, "").send(&server));
    came.note("/start", "POST", 422, &broken(&server, "POST", START));
    came.note("/start", "POST", 429, &form(START, FORM).send(&busy));
    came.note("/start", "POST", 500, &form(START, FORM).send(&gone));
    came.note("/start", "POST", 500, &unfinished(&Request::new("POST", START)).send(&hasty));

    let mut listed = Came::default();
    for (path, operations) in described()["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let statuses = operation["responses"].as_object().unwrap().keys().cloned().collect();
            listed.0.insert((path.clone(), method.clone()), statuses);
        }
    }
    assert_eq!(listed.0, came.0);
}

#[test]
fn it_is_served_as_it_is() {
    let server = start();
    let answer = get(&server, "/openapi.json");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), described());
    assert_eq!(described()["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(described()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(root: &Value, part: &Value, count: &mut usize) {
        if part.get("$ref").is_some() {
            followed(root, part);
            *count += 1;
        }
        match part {
            Value::Array(list) => list.iter().for_each(|part| walk(root, part, count)),
            Value::Object(map) => map.values().for_each(|part| walk(root, part, count)),
            _ => {}
        }
    }
    let (root, mut count) = (described(), 0);
    walk(&root, &root, &mut count);
    assert!(count > 50, "{count}");
}

/// The fields are those that this project's clients write.
#[test]
fn the_payloads_are_those_of_the_clients() {
    let root = described();
    let fields = |schema: &str| -> BTreeSet<String> {
        let schema = &root["components"]["schemas"][schema];
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let written =
        |value: Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let server = serde_json::to_value(ServerReport::new()).unwrap();
    assert_eq!(fields("Server"), written(server));
    assert_eq!(fields("Forget"), written(serde_json::to_value(Forget::new("p")).unwrap()));
    let item = StatsData::new("engine");
    assert_eq!(fields("StatsItem"), written(serde_json::to_value(&item).unwrap()));
    let stats = Stats::new("p").data(item);
    assert_eq!(fields("Stats"), written(serde_json::to_value(stats).unwrap()));
    assert_eq!(fields("UsageItem"), written(serde_json::to_value(UsageData::new()).unwrap()));
}

/// What `\S` means differs from engine to engine, so that the description lists what is blank.
#[test]
fn what_is_blank_is_described_as_it_is() {
    let blank: Vec<char> = (char::MIN..=char::MAX).filter(|c| c.is_whitespace()).collect();
    let written = |c: char| match c {
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        ' ' => " ".to_owned(),
        c => format!("\\u{:04x}", u32::from(c)),
    };
    let runs = blank.chunk_by(|one, next| u32::from(*one) + 1 == u32::from(*next));
    let class: String = runs
        .map(|run| match run {
            [first, _, .., last] => format!("{}-{}", written(*first), written(*last)),
            few => few.iter().map(|c| written(*c)).collect(),
        })
        .collect();
    let root = described();
    let pattern = |pointer: &str| root.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    for pointer in [
        "/components/schemas/Filled/pattern",
        "/components/parameters/Product/schema/pattern",
        "/components/parameters/ForgottenProduct/schema/pattern",
    ] {
        assert_eq!(pattern(pointer), format!("[^{class}]"), "{pointer}");
    }
}
