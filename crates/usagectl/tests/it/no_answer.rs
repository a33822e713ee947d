//! What `save` says when there is no answer.

use serde_json::{Value, json};
use testkit::scripted::{Nobody, Script, ScriptedServer};

use crate::usagectl::{Ran, run};

/// Saves an empty report.
fn save(url: &str, more: &[&str]) -> Ran {
    let arguments = ["save", "usage", "--product", "influxdb", "-", "--url", url];
    run(&[&arguments, more].concat()).stdin("[]").done()
}

/// The object, with `URL` for the address and without the reason at the end of the message.
#[track_caller]
fn object(ran: &Ran, url: &str) -> Value {
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let mut object = ran.json();
    let message = object["message"].as_str().unwrap().replace(url, "URL");
    let (what, reason) = message.split_once(": ").expect("a reason");
    assert!(!reason.is_empty(), "{message}");
    object["message"] = what.into();
    object
}

/// The object that comes of one scripted answer, if it can be called one.
#[track_caller]
fn outcome(answer: &'static str) -> Value {
    let server = ScriptedServer::start([Script::answer(answer)]);
    object(&save(&server.url(), &["--json"]), &server.url())
}

/// W40: nobody listens, so nothing was sent.
#[test]
fn transport_says_that_nothing_was_sent() {
    let nobody = Nobody::new();
    let url = format!("http://{}", nobody.address());
    let ran = save(&url, &["--json"]);
    assert!(ran.stdout.contains("refused"), "{ran:?}");
    assert_eq!(
        object(&ran, &url),
        json!({
            "outcome": "transport",
            "kind": "connect",
            "may_have_been_sent": false,
            "message": "could not connect to URL",
        }),
    );

    // The same for people: what happened and why, then what to do.
    let ran = save(&url, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(lines[0].starts_with(&format!("usagectl: could not connect to {url}: ")), "{ran:?}");
    assert!(lines[0].contains("refused"), "{ran:?}");
    assert!(lines[1].contains("nothing was sent"), "{ran:?}");
}

/// W40: closed before a head.
#[test]
fn transport_says_that_the_report_may_have_arrived() {
    assert_eq!(
        outcome(""),
        json!({
            "outcome": "transport",
            "kind": "interrupted",
            "may_have_been_sent": true,
            "message": "URL closed the connection before it answered",
        }),
    );

    let server = ScriptedServer::start([Script::answer("")]);
    let ran = save(&server.url(), &[]);
    assert!(ran.stderr.contains("may count twice"), "{}", ran.stderr);
}

/// W40: no HTTP.
#[test]
fn transport_knows_what_is_no_http() {
    assert_eq!(
        outcome("SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        json!({
            "outcome": "transport",
            "kind": "protocol",
            "may_have_been_sent": true,
            "message": "URL did not answer in HTTP",
        }),
    );
}

/// W41: the deadline is the user's.
#[test]
fn transport_gives_up_in_time() {
    let server = ScriptedServer::start([Script::new().read_request().hold()]);
    let url = server.url();
    let ran = save(&url, &["--json", "--timeout", "2"]);
    // How long that was is a part of the reason.
    let message = ran.json()["message"].as_str().unwrap().replace(&url, "");
    assert!(message.contains('2'), "{message}");
    assert_eq!(server.finish().len(), 1);
    assert_eq!(
        object(&ran, &url),
        json!({
            "outcome": "transport",
            "kind": "timeout",
            "may_have_been_sent": true,
            "message": "no answer from URL in time",
        }),
    );
}

/// An environment in which no client can be made is told like any other mistake.
#[test]
fn build_names_the_variable_of_a_proxy_that_cannot_be_used() {
    let save = |more: &[&str]| {
        let arguments = ["save", "usage", "--product", "p", "-", "--url", "http://usage.example"];
        run(&[&arguments, more].concat())
            .env("HTTP_PROXY", "socks5://127.0.0.1:1")
            .stdin("[]")
            .done()
    };
    let ran = save(&["--json"]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    let object = ran.json();
    assert_eq!(object["outcome"], "build");
    let message = object["message"].as_str().unwrap();
    assert!(message.contains("HTTP_PROXY") && message.contains("NO_PROXY"), "{message}");

    let ran = save(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(5), ""));
    assert_eq!(ran.stderr, format!("usagectl: {message}\n"));
}
