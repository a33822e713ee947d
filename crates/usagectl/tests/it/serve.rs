//! `serve`: where it listens, what it logs, how it stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::serving::Serving;
use crate::usagectl::{self, File, PATIENCE, run};

fn save(serving: &Serving) -> usagectl::Ran {
    run(&["save", "usage", "--product", "influxdb", "-", "--url", &serving.url]).stdin("[]").done()
}

#[test]
fn it_stops_cleanly_on_either_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let serving = Serving::start(&[]);
        assert_eq!(save(&serving).code, Some(0));
        let ran = serving.stop_by(signal);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.trim_end().ends_with("stopped"), "{}", ran.stderr);
    }
}

#[test]
fn each_request_is_a_line_of_the_log() {
    let serving = Serving::start(&[]);
    assert_eq!(save(&serving).code, Some(0));
    let unknown = run(&["save", "usage", "--product", "a b", "-", "--url", &serving.url])
        .env("USAGE_TOKEN", "no-such-token")
        .stdin("[]")
        .done();
    assert_eq!(unknown.code, Some(3));
    let log = serving.stop().stderr;
    let requests: Vec<&str> = log.lines().filter(|line| line.contains("POST ")).collect();
    assert_eq!(requests.len(), 2, "{log}");
    assert!(requests[0].contains("POST /api/v1/usage/influxdb 201"), "{log}");
    assert!(requests[1].contains("POST /api/v1/usage/a%20b 401"), "{log}");
    // In front of each line stands the time, in UTC.
    assert!(log.lines().all(|line| line.as_bytes()[23] == b'Z'), "{log}");
}

/// A request that is on its way when the signal comes gets its answer.
#[test]
fn it_answers_what_is_in_flight() {
    let serving = Serving::start(&[]);
    let mut stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The interim answer shows that the server has read the head, and waits for the body.
    stream
        .write_all(
            b"POST /api/v1/usage/influxdb HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
              content-type: application/json\r\ncontent-length: 2\r\n\r\n",
        )
        .unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");

    kill_process(serving.pid(), Signal::TERM).unwrap();
    stream.write_all(b"[]").unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 201 Created\r\n"), "{rest}");
    let store = serving.store();
    assert_eq!(store.usage().read_all().unwrap().len(), 1);
    drop(store);
    assert_eq!(serving.finish().code, Some(0));
}

/// Who does not want to wait for the drain sends a second signal.
#[test]
fn a_second_signal_stops_it_at_once() {
    let mut serving = Serving::start(&[]);
    let mut stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
    stream
        .write_all(
            b"POST /api/v1/usage/influxdb HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
              content-type: application/json\r\ncontent-length: 2\r\n\r\n",
        )
        .unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");

    kill_process(serving.pid(), Signal::TERM).unwrap();
    serving.wait_for_log("stopping");
    assert_eq!(serving.insist(Signal::INT).code, Some(130));
}

#[test]
fn what_it_has_stored_is_in_the_file() {
    let serving = Serving::start(&[]);
    assert_eq!(save(&serving).code, Some(0));
    let directory = serving.keep();
    let path = directory.path().join("usage.db");
    let store = usage_server::Store::open(&usage_server::Database::file(path)).unwrap();
    assert_eq!(store.usage().read_all().unwrap().len(), 1);
}

#[test]
fn the_object_says_where_it_listens() {
    let mut serving = Serving::start(&["--json", "--create-token", "Example Inc."]);
    let object: Value = serde_json::from_str(&serving.url).unwrap();
    let url = object["url"].as_str().unwrap();
    assert_eq!(url, format!("http://{}", object["address"].as_str().unwrap()));
    assert_eq!(object["database"], serving.database().canonicalize().unwrap().to_str().unwrap());
    assert_eq!(object["token"]["organisation"], "Example Inc.");
    let token = object["token"]["token"].as_str().unwrap();

    serving.url = url.to_owned();
    let ran = run(&["save", "usage", "--product", "p", "-", "--url", url])
        .env("USAGE_TOKEN", token)
        .stdin("[]")
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows = serving.store().usage().read_all().unwrap();
    assert_eq!(rows[0].organisation.as_deref(), Some("Example Inc."));
}

/// A service that makes a token at each start would have many, and each stands in its journal.
#[test]
fn an_organisation_gets_no_further_token_unless_asked_for() {
    let mut first = Serving::start(&["--create-token", "Example Inc."]);
    let line = first.line();
    let (_, token) = line.rsplit_once(' ').unwrap();
    let mut directory = Some(first.keep());
    let mut more = |options: &[&str]| {
        let mut again = Serving::start_in(directory.take().unwrap(), options);
        let line = again.line();
        directory = Some(again.keep());
        line
    };
    for name in ["Example Inc.", "  Example Inc. "] {
        assert_eq!(
            more(&["--create-token", name]),
            "no token made for \"Example Inc.\": it has one; --another makes one more"
        );
    }
    let another = more(&["--create-token", "Example Inc.", "--another"]);
    assert!(another.starts_with("token for \"Example Inc.\": ") && another != line, "{another}");
    assert!(more(&["--create-token", "Another Inc."]).starts_with("token for "));

    // For scripts it is null, and the first one is as good as ever.
    let json = ["--json", "--create-token", "Example Inc."];
    let again = Serving::start_in(directory.take().unwrap(), &json);
    let object: Value = serde_json::from_str(&again.url).unwrap();
    assert_eq!(object["token"], json!({"organisation": "Example Inc.", "token": null}));
    let url = object["url"].as_str().unwrap();
    let ran = run(&["save", "usage", "--product", "p", "-", "--url", url])
        .env("USAGE_TOKEN", token)
        .stdin("[]")
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let ran = run(&["serve", "--another"]).done();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(run(&["serve", "--help"]).done().stdout.contains("ends in the service's journal"));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let ran = run(&["serve", "--listen", &address]).directory(directory.path()).done();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains(&address), "{}", ran.stderr);
    assert!(ran.stderr.contains("in use"), "{}", ran.stderr);

    let ran = run(&["serve", "--listen", &address, "--json"]).directory(directory.path()).done();
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["outcome"], "failed");
    assert!(ran.json()["message"].as_str().unwrap().contains(&address));
}

/// The hint fits the reason, and the address is the one that was given.
#[test]
fn an_address_that_cannot_be_had_is_named_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |address: &str| {
        let ran = run(&["serve", "--listen", address]).directory(directory.path()).done();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
        assert!(
            ran.stderr.starts_with(&format!("usagectl: cannot listen on {address}: ")),
            "{ran:?}"
        );
        ran.stderr
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = refused(&listener.local_addr().unwrap().to_string());
    assert!(taken.contains("another program listens there"), "{taken}");
    // TEST-NET-1, RFC 5737.
    let elsewhere = refused("192.0.2.1:8080");
    assert!(elsewhere.contains("no such address") && !elsewhere.contains("program"), "{elsewhere}");
    let nowhere = refused("no-such-host.invalid:80");
    assert!(nowhere.contains("not a name that can be looked up"), "{nowhere}");
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", "/no/such/usage.db"];
    let ran = run(&arguments).done();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("/no/such/usage.db"), "{}", ran.stderr);
}

/// A database that somebody else may have put there is not taken, unless that is said.
#[test]
fn a_database_that_is_a_link_has_to_be_accepted() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("volume.db", directory.path().join("usage.db")).unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", "usage.db"];
    let ran = run(&arguments).directory(directory.path()).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("usage.db is a link"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("`link` (--accept-file link)\n"), "{}", ran.stderr);
    assert!(!directory.path().join("volume.db").exists());

    let serving = Serving::start_in(directory, &["--accept-file", "link"]);
    assert_eq!(save(&serving).code, Some(0));
    assert_eq!(serving.stop().code, Some(0));
    let ran = run(&[&arguments[..], &["--accept-file", "pipe"]].concat()).done();
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

/// The operator's options: who may register, and where a browser may be sent back to.
#[test]
fn it_takes_invite_codes_and_origins() {
    let codes = File::new("codes", "summer-of-2026\n\nautumn\n");
    let codes = codes.path();
    let invite = ["--registration", "invite", "--invite-file", &codes];
    let serving = Serving::start(
        &[&invite[..], &["--allow-redirect", "https://console.example.com"]].concat(),
    );
    let ask = |query: &str, body: &str| {
        let mut stream = TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST /start?cluster_id=c&product=p{query} HTTP/1.1\r\nHost: localhost\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    let form = |code: &str| format!("organisation=Example+Inc.&email=a%40b.c&invite={code}");
    assert_eq!(ask("", &form("winter")), "422");
    assert_eq!(ask("", &form("autumn")), "200");
    let to = |origin: &str| format!("&redirect_url={origin}/back");
    assert_eq!(ask(&to("https://console.example.com"), &form("summer-of-2026")), "303");
    assert_eq!(ask(&to("https://other.example.com"), &form("summer-of-2026")), "400");

    let log = serving.stop().stderr;
    assert!(log.contains("whoever has an invite code may register at http://127.0.0.1:"), "{log}");
    assert!(!log.contains("autumn") && !log.contains("token="), "{log}");

    let wrong = |arguments: &[&str], code: i32, words: &str| {
        let ran = run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat()).done();
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    };
    // The configuration may have it as well.
    wrong(&["--registration", "invite"], 5, "--invite-file");
    wrong(&["--registration", "anybody"], 2, "open");
    wrong(&["--allow-redirect", "https://h/path"], 2, "is not an origin");
    wrong(&["--registration", "invite", "--invite-file", "/no/such"], 5, "the invite codes");
    let empty = File::new("codes", "\n \n");
    wrong(&["--registration", "invite", "--invite-file", &empty.path()], 5, "no invite code");
}
