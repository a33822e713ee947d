//! `serve --metrics`, and where it says that they are.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::serving::Serving;
use crate::usagectl::{PATIENCE, run};

fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn metrics_have_an_address_of_their_own() {
    let serving = Serving::start(&["--json", "--metrics", "127.0.0.1:0"]);
    let object: Value = serde_json::from_str(&serving.url).unwrap();
    let (url, metrics) = (object["url"].as_str().unwrap(), object["metrics"].as_str().unwrap());
    assert!(!url.ends_with(metrics), "{object}");
    let ran = run(&["save", "usage", "--product", "p", "-", "--url", url]).stdin("[]").done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = ask(metrics, "/metrics");
    assert!(text.contains("usage_requests_total{route=\"usage\",status=\"201\"} 1\n"), "{text}");
    assert!(ask(metrics, "/readyz").starts_with("HTTP/1.1 200 OK"));
    let log = serving.stop().stderr;
    assert!(log.contains(&format!("metrics at {metrics}, path /metrics")), "{log}");
}

#[test]
fn an_address_for_metrics_that_is_taken_is_named_with_its_option() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--metrics", &address])
        .directory(directory.path())
        .done();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains(&address) && ran.stderr.contains("--metrics"), "{}", ran.stderr);
}
