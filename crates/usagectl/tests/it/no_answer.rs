//! What `save` says when there is no answer: the same whatever carries the report, but for the
//! reason, which each library words in its own way.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::scripted::Scripted;
use crate::usagectl::{Ran, TRANSPORTS, over_each, run};

/// Saves an empty report.
fn save(transport: &str, url: &str, more: &[&str]) -> Ran {
    let arguments = ["save", "usage", "--product", "influxdb", "-", "--url", url];
    run(&[&arguments, &["--transport", transport][..], more].concat()).stdin("[]").done()
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
fn outcome(answer: &str) -> Value {
    over_each(|transport| {
        let server = Scripted::answers(answer);
        let url = server.url();
        let ran = save(transport, &url, &["--json"]);
        server.received();
        object(&ran, &url)
    })
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// W40: nobody listens, so nothing was sent.
#[test]
fn transport_says_that_nothing_was_sent() {
    let url = nobody();
    let outcome = over_each(|transport| {
        let ran = save(transport, &url, &["--json"]);
        assert!(ran.stdout.contains("refused"), "{ran:?}");
        object(&ran, &url)
    });
    assert_eq!(
        outcome,
        json!({
            "outcome": "transport",
            "kind": "connect",
            "may_have_been_sent": false,
            "message": "could not connect to URL",
        }),
    );

    for transport in TRANSPORTS {
        let ran = save(transport, &url, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
        let lines: Vec<&str> = ran.stderr.lines().collect();
        let (reasons, advice) = lines[1..].split_at(lines.len() - 2);
        assert_eq!(lines[0], format!("usagectl: could not connect to {url}"));
        assert!(reasons.iter().all(|line| line.starts_with("  because: ")), "{lines:?}");
        assert!(reasons.last().unwrap().contains("refused"), "{lines:?}");
        assert!(advice[0].contains("nothing was sent"), "{lines:?}");
    }
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

    for transport in TRANSPORTS {
        let server = Scripted::answers("");
        let ran = save(transport, &server.url(), &[]);
        assert!(ran.stderr.contains("may count twice"), "{}", ran.stderr);
        server.received();
    }
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
    let outcome = over_each(|transport| {
        let server = Scripted::holds("");
        let url = server.url();
        let ran = save(transport, &url, &["--json", "--timeout", "2"]);
        server.received();
        // How long that was is a part of the reason.
        let message = ran.json()["message"].as_str().unwrap().replace(&url, "");
        assert!(message.contains('2'), "{message}");
        object(&ran, &url)
    });
    assert_eq!(
        outcome,
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
        over_each(|transport| {
            let url = "http://usage.example";
            let arguments = ["save", "usage", "--product", "p", "-", "--url", url];
            run(&[&arguments, &["--transport", transport][..], more].concat())
                .env("HTTP_PROXY", "socks5://127.0.0.1:1")
                .stdin("[]")
                .done()
        })
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
