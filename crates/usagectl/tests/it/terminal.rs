//! Text from elsewhere that a terminal might obey: it is shown as an escape, and in an object it
//! keeps its value.

use std::os::unix::ffi::OsStrExt as _;

use serde_json::Value;
use testkit::scripted::{Script, ScriptedServer};

use crate::reporting::{Reporting, command_of, directory};
use crate::serving::Serving;
use crate::usagectl::{File, Ran, run};

/// One of each kind: the start of a sequence in both of its forms, DEL, a line break of another
/// script, what turns the reading direction, and a bell.
const NASTY: &str =
    "a\u{1b}[31mb\u{9b}1mc\u{7f}d\u{85}e\u{202e}f\u{2066}g\u{200f}h\u{61c}i\u{7}j\u{2028}k";

#[track_caller]
fn is_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let is_obeyed = |c: char| {
            c != '\n' && (c.is_control() || "\u{61c}\u{200f}\u{2028}\u{202e}\u{2066}".contains(c))
        };
        assert!(!text.contains(is_obeyed), "{text:?}");
    }
}

/// Wherever the text is: an argument, a variable, a name, a file.
#[test]
fn no_message_has_anything_in_it_that_a_terminal_obeys() {
    let file = File::new("body.json", format!(r#"[{{"values":{{"{NASTY}":1,"x":}}}}]"#));
    let unknown = File::new("body.json", r#"[{"KEY":1}]"#.replace("KEY", "a\u{9b}b\u{202e}c"));
    let path = file.path();
    let unknown = unknown.path();
    let report = ["save", "usage", "--product", "p"];
    let with = |more: &[&'static str]| [&report[..], more].concat();
    let option: &'static str = Box::leak(format!("--{NASTY}").into_boxed_str());
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec![NASTY], 2),
        (vec!["save", NASTY, "-"], 2),
        (with(&["-", option]), 2),
        (with(&["-", "--timeout", NASTY]), 2),
        (vec!["serve", "--listen", NASTY], 2),
        (vec!["serve", "--fail", NASTY], 2),
        (with(&[NASTY]), 5),
        (with(&["-", "--url", NASTY]), 5),
        (with(&["-", "--token-file", NASTY, "--url", "http://127.0.0.1:1"]), 5),
        (with(&["-", "--application", NASTY]), 5),
        (with(&["-", "--url", "http://127.0.0.1:1", "--connect-timeout", "1"]), 4),
        (vec!["save", "usage", "--product", "p", &path], 5),
        (vec!["save", "usage", "--product", "p", &unknown], 5),
        (vec!["status", "--state", NASTY], 0),
        (vec!["status", "--state", "/dev/null/x", "--consent-variable", NASTY], 5),
        (vec!["report", "--product", "p", "--state", "s", "--", NASTY], 5),
        (vec!["report", "--product", NASTY, "--state", "/dev/null/x", "--", "true"], 5),
        (vec!["register", "--print", "--cluster-id", "c", "--product", "p", "--url", NASTY], 5),
    ];
    for (arguments, code) in cases {
        for json in [&[][..], &["--json"]] {
            let arguments = [json, &arguments].concat();
            let ran = run(&arguments).stdin("[]").done();
            assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
            is_harmless(&ran);
        }
    }
    let ran = run(&with(&["-"])).env("USAGE_URL", NASTY).stdin("[]").done();
    assert_eq!(ran.code, Some(5));
    is_harmless(&ran);
    // It can be told what it was.
    let ran = run(&with(&[NASTY])).done();
    assert!(ran.stderr.contains(r"a\u{1b}[31mb\u{9b}1mc\u{7f}d\u{85}e\u{202e}"), "{ran:?}");
}

/// An API, or whoever answers in its place, is not trusted either.
#[test]
fn no_answer_has_anything_in_it_that_a_terminal_obeys() {
    let quoted = serde_json::to_string(NASTY).unwrap();
    for (head, body) in [
        ("200 OK", NASTY.to_owned()),
        ("401 Unauthorized", format!(r#"{{"error":{quoted}}}"#)),
        ("422 Unprocessable", format!(r#"{{"errors":{{{quoted}:[{quoted}]}}}}"#)),
        ("502 Bad Gateway", format!("<html>{NASTY}")),
    ] {
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
        for json in [&[][..], &["--json"]] {
            let server = ScriptedServer::start([Script::answer(answer.clone())]);
            let url = server.url();
            let report = ["save", "usage", "--product", "p", "-", "--url", &url];
            let ran = run(&[&report, json].concat()).stdin("[]").done();
            is_harmless(&ran);
            if head == "200 OK" && !json.is_empty() {
                // Escaped, and not another text.
                assert_eq!(ran.json()["body"], NASTY);
            }
        }
    }
}

/// Its lines are read on terminals, too.
#[test]
fn the_log_of_a_report_has_nothing_in_it_that_a_terminal_obeys() {
    let quoted = serde_json::to_string(NASTY).unwrap();
    let body = format!(r#"{{"errors":{{{quoted}:[{quoted}]}}}}"#);
    let head = format!("HTTP/1.1 422 Unprocessable\r\ncontent-length: {}\r\n\r\n", body.len());
    let server = ScriptedServer::answering(head + &body);
    let directory = directory();
    let state = directory.path().join("usage.json");
    let url = server.url();
    let mut command = command_of(
        NASTY,
        "1s",
        &url,
        &state,
        &["--verbose", "--consent-variable", NASTY],
        "test -e x && exit 3; touch x; echo []",
    );
    let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
    reporting.wait_for("attempt_failed");
    reporting.wait_for(" WARN nothing is reported");
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0));
    is_harmless(&ran);
}

/// What is no text at all is shown as far as it is.
#[test]
fn bytes_that_are_no_text_harm_nobody() {
    let mut command = crate::usagectl::command();
    command.args(["save", "usage", "--product", "p"]);
    command.arg(std::ffi::OsStr::from_bytes(b"no\x9b\xffsuch\x1bfile"));
    let ran = crate::usagectl::finish(command.spawn().unwrap());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    is_harmless(&ran);
}

/// Other programs read the objects: the escapes are JSON's own.
#[test]
fn an_object_keeps_its_values() {
    let arguments = ["preview", "usage", "--product", "p", "-", "--json"];
    let body = format!(r#"[{{"tags":{{"t":{}}}}}]"#, serde_json::to_string(NASTY).unwrap());
    let ran = run(&arguments).stdin(body).done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    is_harmless(&ran);
    let body: Value = serde_json::from_str(ran.json()["body"].as_str().unwrap()).unwrap();
    assert_eq!(body[0]["tags"]["t"], NASTY);

    let serving = Serving::start(&["--json", "--create-token", NASTY]);
    let line: Value = serde_json::from_str(&serving.url).unwrap();
    assert!(serving.url.is_ascii(), "{}", serving.url);
    assert_eq!(line["token"]["organisation"], NASTY);
}
