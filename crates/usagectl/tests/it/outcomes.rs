//! What `save` says, for people and with `--json`, and the exit status that goes with it.

use serde_json::{Value, json};
use testkit::scripted::{Script, ScriptedServer};

use crate::serving::Serving;
use crate::usagectl::{File, Ran, run};

/// Saves an empty report.
fn save(url: &str, more: &[&str]) -> Ran {
    let arguments = ["save", "usage", "--product", "influxdb", "-", "--url", url];
    run(&[&arguments, more].concat()).stdin("[]").done()
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Saves an empty report to a server that gives this answer.
fn save_to(answer: &str, more: &[&str]) -> Ran {
    let server = ScriptedServer::start([Script::answer(answer.to_owned())]);
    save(&server.url(), more)
}

/// The outcome of one scripted answer: the exit status, and the object.
#[track_caller]
fn outcome(answer: &str) -> (Option<i32>, Value) {
    let ran = save_to(answer, &["--json"]);
    (ran.code, ran.json())
}

#[test]
fn saved_has_the_answer() {
    let saved = json!({"outcome": "saved", "status": 202, "body": "thank you", "complete": true});
    assert_eq!(outcome(&answer("202 Accepted", "thank you")), (Some(0), saved));
}

/// W46: the head counts, and the rest of the answer is missing.
#[test]
fn saved_says_that_the_answer_broke_off() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"id\"";
    let saved = json!({"outcome": "saved", "status": 200, "body": "{\"id\"", "complete": false});
    assert_eq!(outcome(broken), (Some(0), saved));

    let ran = save_to(broken, &[]);
    assert!(ran.stdout.contains("the rest of the answer is missing"), "{ran:?}");
}

/// W38: what is above the limit is not read.
#[test]
fn saved_says_that_the_answer_was_too_large() {
    let (code, object) = outcome(&answer("200 OK", &"x".repeat(70_000)));
    assert_eq!(code, Some(0));
    assert_eq!(object["complete"], false);
    assert_eq!(object["body"].as_str().unwrap().len(), 65_536);
}

/// W30: a captive portal says success to everything, and has taken nothing.
#[test]
fn page_is_not_a_success() {
    let portal = "<!DOCTYPE html><title>Welcome</title>";
    let page = answer("200 OK\r\ncontent-type: text/html", portal);
    let object =
        json!({"outcome": "page", "status": 200, "retryable": true, "retry_after_s": null});
    assert_eq!(outcome(&page), (Some(3), object));
    let ran = save_to(&page, &[]);
    assert_eq!((ran.code, &*ran.stdout), (Some(3), ""), "{ran:?}");
    for words in ["web page", "captive portal", "try again later"] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
}

/// W31: the server's own refusal.
#[test]
fn simple_has_the_message() {
    let serving = Serving::start(&[]);
    let token = File::new("token", "no-such-token");
    let ran = save(&serving.url, &["--json", "--token-file", &token.path()]);
    assert_eq!(ran.code, Some(3));
    let object = ran.json();
    let message = object["message"].as_str().unwrap();
    assert!(message.contains("not known"), "{message}");
    assert_eq!(
        object,
        json!({
            "outcome": "simple",
            "status": 401,
            "message": message,
            "retryable": false,
            "retry_after_s": null,
        }),
    );
    assert!(serving.store().usage().read_all().unwrap().is_empty());
}

/// W39, W44: what a script needs before it tries again.
#[test]
fn simple_says_when_to_try_again() {
    let serving = Serving::start(&["--fail", "503:1", "--retry-after", "30"]);
    let ran = save(&serving.url, &["--json"]);
    assert_eq!(ran.code, Some(3));
    let object = ran.json();
    assert_eq!(object["outcome"], "simple");
    assert_eq!(object["status"], 503);
    assert_eq!(object["retryable"], true);
    assert_eq!(object["retry_after_s"], 30);
    // The switch was for one request.
    assert_eq!(save(&serving.url, &[]).code, Some(0));
}

/// W34: fields, in the wording that clients know.
#[test]
fn validation_names_the_fields() {
    let serving = Serving::start(&[]);
    let save = |more: &[&str]| {
        let body = r#"{"cluster_id":"c","product":"influxdb","host":"h","version":"1"}"#;
        let arguments = ["save", "server", "-", "--url", &serving.url];
        run(&[&arguments, more].concat()).stdin(body).done()
    };
    let ran = save(&["--json"]);
    assert_eq!(ran.code, Some(3));
    assert_eq!(
        ran.json(),
        json!({
            "outcome": "validation",
            "status": 422,
            "errors": {"server_id": ["ServerID can not be blank."]},
            "retryable": false,
            "retry_after_s": null,
        }),
    );

    let ran = save(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert_eq!(
        ran.stderr,
        "usagectl: the Usage API answered 422 Unprocessable Entity: \
         server_id: ServerID can not be blank.\n",
    );
}

/// W34: with both shapes, both are kept.
#[test]
fn validation_has_the_message_if_there_was_one() {
    let both = r#"{"error":"look again","errors":{"host":"blank"}}"#;
    let object = json!({
        "outcome": "validation",
        "status": 400,
        "errors": {"host": ["blank"]},
        "message": "look again",
        "retryable": false,
        "retry_after_s": null,
    });
    assert_eq!(outcome(&answer("400 Bad Request", both)), (Some(3), object));
}

/// W37: never followed, and told without a query.
#[test]
fn redirect_has_the_location() {
    let serving = Serving::start(&["--redirect", "http://elsewhere.example/api?token=x"]);
    let ran = save(&serving.url, &["--json"]);
    assert_eq!(ran.code, Some(3));
    assert_eq!(
        ran.json(),
        json!({
            "outcome": "redirect",
            "status": 307,
            "location": "http://elsewhere.example/api",
            "retryable": false,
            "retry_after_s": null,
        }),
    );

    let object = json!({
        "outcome": "redirect",
        "status": 302,
        "location": null,
        "retryable": false,
        "retry_after_s": null,
    });
    assert_eq!(outcome(&answer("302 Found", "")), (Some(3), object));
}

/// W38.
#[test]
fn too_large_has_the_limit() {
    let object = json!({
        "outcome": "too_large",
        "status": 500,
        "limit": 65_536,
        "retryable": true,
        "retry_after_s": null,
    });
    let large = answer("500 Internal Server Error", &"x".repeat(70_000));
    assert_eq!(outcome(&large), (Some(3), object));
}

/// W33: the status is never lost, and no control character comes through.
#[test]
fn unexpected_has_an_excerpt() {
    let object = json!({
        "outcome": "unexpected",
        "status": 502,
        "excerpt": "<html> bad gateway",
        "retryable": true,
        "retry_after_s": null,
    });
    let page = answer("502 Bad Gateway", "<html>\n\u{7}bad gateway\n");
    assert_eq!(outcome(&page), (Some(3), object));

    let ran = save_to(&page, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert!(ran.stderr.contains("502 Bad Gateway"), "{}", ran.stderr);
    assert!(ran.stderr.contains("try again later"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{7}'), "{:?}", ran.stderr);
}

/// W1: nothing to send.
#[test]
fn build_names_the_option() {
    let ran = run(&["save", "usage", "--product", "..", "-", "--json"]).stdin("[]").done();
    assert_eq!(ran.code, Some(5));
    assert_eq!(
        ran.json(),
        json!({
            "outcome": "build",
            "message": "`..` is not a product: it may not be empty, `.` or `..`",
            "field": "product",
        }),
    );
}

/// W15: larger than a report may be, and no field is to blame.
#[test]
fn build_knows_the_largest_report() {
    let body = format!(r#"[{{"values":{{"x":"{}"}}}}]"#, "x".repeat(1 << 20));
    let ran = run(&["save", "usage", "--product", "p", "-", "--json"]).stdin(body).done();
    assert_eq!(ran.code, Some(5));
    assert_eq!(
        ran.json(),
        json!({
            "outcome": "build",
            "message": "the body is larger than the limit of 1048576 bytes: report less at once",
        }),
    );
}

/// W4, W6, W7, W13: each of the things that a request is made of can be wrong.
#[test]
fn build_names_what_is_wrong() {
    let blame = |arguments: &[&str], (name, value): (&str, &str), field: &str| {
        let report = ["save", "usage", "--product", "p", "-", "--json"];
        let arguments = [&report, arguments].concat();
        // Where neither says something else: a token needs an address.
        let ran = run(&arguments)
            .env("USAGE_URL", "https://usage.example")
            .env(name, value)
            .stdin("[]")
            .done();
        assert_eq!(ran.code, Some(5), "{arguments:?}: {ran:?}");
        assert_eq!(ran.json()["outcome"], "build");
        assert_eq!(ran.json()["field"], field);
        ran.json()["message"].as_str().unwrap().to_owned()
    };
    let nothing = ("X", "");
    assert!(blame(&["--url", "example.com"], nothing, "url").starts_with("--url: "));
    assert!(blame(&[], ("USAGE_URL", "ftp://x"), "url").starts_with("USAGE_URL: "));
    assert!(blame(&[], ("USAGE_URL", ""), "url").contains("empty"));
    assert!(blame(&[], ("USAGE_TOKEN", "a\u{7}b"), "token").starts_with("USAGE_TOKEN: "));
    assert!(blame(&[], ("USAGE_TOKEN", " "), "token").contains("empty"));
    assert!(blame(&["--token-file", "/no/such/file"], nothing, "token").contains("/no/such/file"));
    assert!(blame(&["--application", "a b/"], nothing, "user_agent").contains("a b/"));
    let plain = ["--url", "http://usage.example"];
    let message = blame(&plain, ("USAGE_TOKEN", "token"), "token");
    assert!(message.contains("--allow-plaintext-token"), "{message}");
}

#[test]
fn arguments_that_make_no_sense_are_an_outcome_too() {
    let check = |arguments: &[&str], part: &str| {
        let ran = run(arguments).done();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);

        let ran = run(&[arguments, &["--json"]].concat()).done();
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        let object = ran.json();
        assert_eq!(object["outcome"], "usage");
        assert!(object["message"].as_str().unwrap().contains(part), "{object}");
    };
    check(&["save", "usage", "-"], "--product");
    check(&["save", "stats", "-"], "--product");
    check(&["save", "servers", "-"], "invalid value 'servers'");
    check(&["save", "server"], "<FILE>");
    check(&["save", "server", "-", "--timeout", "0"], "no answer comes in no time");
    check(&["save", "server", "-", "--timeout", "soon"], "write seconds");
    check(&["save", "server", "-", "--transport", "hyper"], "unexpected argument '--transport'");
    check(&["save", "server", "-", "--token-file", "-"], "cannot both come from standard input");
    check(&["serve", "--fail", "200ms"], "no status to fail with");
    check(&["serve", "--create-token", " "], "blank");
    check(&["serve", "--listen", "127.0.0.1"], "an address and a port");
    check(&["serve", "--redirect", "http://a\nb"], "can not stand in a header");
    check(&["register", "--product", "p"], "--cluster-id");
    check(&["register", "--cluster-id", "c", "--product", "p", "--print", "--open"], "--open");
    check(&["register", "--cluster-id", "c", "--product", "p", "--wait", "0"], "in no time");
    check(&["frobnicate"], "frobnicate");
}
