//! `preview`: what `save` would send, byte by byte, and no socket.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::{Value, json};
use testkit::scripted::ScriptedServer;

use crate::usagectl::{File, example, run};

const REPORTS: [(&str, &[&str], &str); 4] = [
    ("server", &[], example::SERVER),
    ("stats", &["--product", "influxdb"], example::STATS),
    ("usage", &["--product", "a/b? \u{e9}"], example::USAGE),
    ("usage", &["--product", "influxdb"], example::DEPLOYED),
];

#[test]
fn preview_is_what_save_sends() {
    let token = File::new("token", "token-goes-here\n");
    let token = token.path();
    for (kind, product, body) in REPORTS {
        for with_token in [&["--token-file", &token][..], &[]] {
            let server = ScriptedServer::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            let url = server.url();
            let common = [&[kind, "-", "--url", &url], product, with_token].concat();
            let saved = run(&[&["save"], &common[..]].concat()).stdin(body).done();
            assert_eq!(saved.code, Some(0), "{saved:?}");
            let sent = &server.finish()[0];

            let preview = [&["preview", "--show-token"], &common[..]].concat();
            let shown = run(&preview).stdin(body).done();
            assert_eq!(shown.code, Some(0), "{shown:?}");
            assert_eq!(shown.stdout, sent.head.clone() + str::from_utf8(&sent.body).unwrap());
        }
    }
}

/// A connection that nobody has accepted yet would wait in the listener.
#[test]
fn preview_opens_no_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for more in [&[][..], &["--json"]] {
        let arguments = ["preview", "usage", "--product", "p", "-", "--url", &url];
        let ran = run(&[&arguments, more].concat()).stdin("[]").done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn the_object_has_the_same_request() {
    let arguments = ["preview", "usage", "--product", "influxdb", "-"];
    let object =
        run(&[&arguments[..], &["--json", "--url", "https://usage.example:444/in"]].concat())
            .env("USAGE_TOKEN", "token-goes-here")
            .stdin(example::DEPLOYED)
            .done()
            .json();
    assert_eq!(
        object,
        json!({
            "method": "POST",
            "url": "https://usage.example:444/in/api/v1/usage/influxdb",
            "headers": [
                ["host", "usage.example:444"],
                ["content-type", "application/json"],
                ["accept-encoding", "identity"],
                ["user-agent", concat!(
                    "usagectl/", env!("CARGO_PKG_VERSION"),
                    " usage-proto/", env!("CARGO_PKG_VERSION"),
                )],
                ["x-authorization", "[redacted]"],
                ["content-length", "184"],
            ],
            // W8, W11: no null, and sorted.
            "body": example::DEPLOYED.replace("null", "{}"),
        }),
    );
}

#[test]
fn the_token_is_shown_on_demand_only() {
    let token = |more: &[&str]| {
        let arguments =
            ["preview", "usage", "--product", "p", "-", "--json", "--url", "https://usage.example"];
        let object = run(&[&arguments, more].concat())
            .env("USAGE_TOKEN", "token-goes-here")
            .stdin("[]")
            .done()
            .json();
        let headers = object["headers"].as_array().unwrap();
        headers.iter().find(|header| header[0] == "x-authorization").unwrap()[1].clone()
    };
    assert_eq!(token(&[]), "[redacted]");
    assert_eq!(token(&["--show-token"]), "token-goes-here");
}

/// W10: a number keeps its value on the way from the file to the body.
#[test]
fn numbers_keep_their_values() {
    let numbers =
        "[18446744073709551615,-9223372036854775808,0.1,5e-324,1.7976931348623157e308,-0.0]";
    let file = format!(r#"[{{"values":{{"n":{numbers}}}}}]"#);
    let ran = run(&["preview", "usage", "--product", "p", "-", "--json"]).stdin(file).done();
    let body: Value = serde_json::from_str(ran.json()["body"].as_str().unwrap()).unwrap();
    let sent = &body[0]["values"]["n"];
    assert_eq!(*sent, serde_json::from_str::<Value>(numbers).unwrap());
    assert!(sent[5].as_f64().unwrap().is_sign_negative());
}

/// W13: the application's own name, in front of the library's.
#[test]
fn the_application_can_name_itself() {
    let arguments = ["preview", "usage", "--product", "p", "-", "--application", "influxdb/1.8.10"];
    let ran = run(&arguments).stdin("[]").done();
    let agent =
        format!("user-agent: influxdb/1.8.10 usage-proto/{}\r\n", env!("CARGO_PKG_VERSION"));
    assert!(ran.stdout.contains(&agent), "{}", ran.stdout);
}

/// W7: only if asked for by name.
#[test]
fn a_token_goes_over_plain_http_if_allowed() {
    let arguments = ["preview", "usage", "--product", "p", "-", "--url", "http://usage.example"];
    let preview = |more: &[&str]| {
        run(&[&arguments, more].concat()).env("USAGE_TOKEN", "token-goes-here").stdin("[]").done()
    };
    assert_eq!(preview(&[]).code, Some(5));
    assert_eq!(preview(&["--allow-plaintext-token"]).code, Some(0));
}
