//! No token in anything that is printed.

use testkit::scripted::{Script, ScriptedServer};

use crate::serving::Serving;
use crate::usagectl::{File, Ran, run};

const TOKEN: &str = "s3cr3t-t0k3n-of-the-customer";

#[track_caller]
fn hides(ran: &Ran) {
    assert!(!ran.stdout.contains(TOKEN), "{}", ran.stdout);
    assert!(!ran.stderr.contains(TOKEN), "{}", ran.stderr);
}

/// Every outcome, from a server that repeats what it was sent.
#[test]
fn no_outcome_has_the_token() {
    let answers = [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{TOKEN}", TOKEN.len()),
        format!("HTTP/1.1 401 Unauthorized\r\n\r\n{{\"error\":\"who is {TOKEN}?\"}}"),
        format!("HTTP/1.1 422 Unprocessable\r\n\r\n{{\"errors\":{{\"token\":[\"{TOKEN}\"]}}}}"),
        format!("HTTP/1.1 302 Found\r\nlocation: http://elsewhere.example/{TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>{TOKEN}"),
        format!("{TOKEN}\r\n\r\n"),
        String::new(),
    ];
    let file = File::new("token", TOKEN);
    for answer in &answers {
        for json in [&[][..], &["--json"]] {
            for from_file in [true, false] {
                let server = ScriptedServer::start([Script::answer(answer.clone())]);
                let (url, path) = (server.url(), file.path());
                let report = ["save", "usage", "--product", "p", "-", "--url", &url];
                let token = if from_file { &["--token-file", &path][..] } else { &[] };
                let mut saving = run(&[&report, json, token].concat()).stdin("[]");
                if !from_file {
                    saving = saving.env("USAGE_TOKEN", TOKEN);
                }
                hides(&saving.done());
                // It was sent, and had a chance to show itself.
                assert!(server.finish()[0].head.contains(TOKEN));
            }
        }
    }
}

#[test]
fn no_refusal_has_the_token() {
    let report = ["save", "usage", "--product", "p", "-"];
    for more in [
        // Somebody tries it as an argument.
        &["--token", TOKEN][..],
        &[&format!("--token={TOKEN}")],
        &["--token", TOKEN, "--json"],
        // W7.
        &["--url", "http://usage.example"],
        &["--url", "http://usage.example", "--json"],
        &["--url", &format!("https://user:{TOKEN}@usage.example")],
        // No address.
        &[],
        &["--json"],
        &["--no-such-option"],
        &["--help"],
    ] {
        let ran = run(&[&report[..], more].concat()).env("USAGE_TOKEN", TOKEN).stdin("[]").done();
        assert_ne!(ran.code, None);
        hides(&ran);
    }
    let ran = run(&[&report[..], &["--url", "https://usage.example"]].concat())
        .env("USAGE_TOKEN", &format!("{TOKEN}\u{e9}"))
        .stdin("[]")
        .done();
    assert_eq!(ran.code, Some(5));
    hides(&ran);
    for command in
        [&["demo"][..], &["preview", "usage", "--product", "p", "-", "--url", "https://x.example"]]
    {
        let ran = run(command).env("USAGE_TOKEN", TOKEN).stdin("[]").done();
        assert_eq!(ran.code, Some(0));
        hides(&ran);
    }
}

/// A server may repeat it in another spelling: that of its JSON, or that of a URL.
#[test]
fn no_outcome_has_the_token_in_another_spelling() {
    const TOKEN: &str = "s3cr3t/t0k3n+of=the-customer";
    let escaped = TOKEN.replace('/', "\\/");
    let encoded = TOKEN.replace('/', "%2F").replace('+', "%2B").replace('=', "%3d");
    for spelling in [TOKEN, &escaped, &encoded] {
        for (head, body) in [
            ("200 OK", format!(r#"{{"token":"{spelling}"}}"#)),
            ("401 Unauthorized", format!(r#"{{"error":"who is {spelling}?"}}"#)),
            ("422 Unprocessable", format!(r#"{{"errors":{{"{spelling}":["{spelling}"]}}}}"#)),
            ("502 Bad Gateway", format!("<html>{spelling}")),
        ] {
            for json in [&[][..], &["--json"]] {
                let length = body.len();
                let server = ScriptedServer::answering(format!(
                    "HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}"
                ));
                let url = server.url();
                let report = ["save", "usage", "--product", "p", "-", "--url", &url];
                let ran =
                    run(&[&report, json].concat()).env("USAGE_TOKEN", TOKEN).stdin("[]").done();
                assert!(ran.stdout.contains("[redacted]") || ran.stderr.contains("[redacted]"));
                // Neither as it is, nor in any spelling.
                for part in ["s3cr3t", "t0k3n", "the-customer"] {
                    assert!(!format!("{ran:?}").contains(part), "{ran:?}");
                }
            }
        }
    }
}

/// A token as an argument is refused with the reason.
#[test]
fn a_token_is_no_argument() {
    let ran = run(&["save", "usage", "--product", "p", "-", "--token", TOKEN]).done();
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--token-file or USAGE_TOKEN"), "{}", ran.stderr);
}

/// Neither a token in the header nor one in the query gets into the log.
#[test]
fn the_log_has_no_token() {
    let serving = Serving::start(&["--create-token", "Example Inc."]);
    let known = {
        let mut serving = serving;
        let line = serving.line();
        let (_, token) = line.rsplit_once(' ').unwrap();
        (serving, token.to_owned())
    };
    let (serving, known) = known;
    for token in [&*known, TOKEN] {
        let ran = run(&["save", "usage", "--product", "p", "-", "--url", &serving.url])
            .env("USAGE_TOKEN", token)
            .stdin("[]")
            .done();
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    }
    in_query(&serving.url, TOKEN);
    let ran = serving.stop();
    hides(&ran);
    assert!(!ran.stderr.contains(&known), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("POST ").count(), 3, "{}", ran.stderr);
}

fn in_query(url: &str, token: &str) {
    use std::io::{Read, Write};

    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /api/v1/usage/p?token={token} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n[]"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
