//! A mistake in a file: where it is, what it is, and that nothing is lost without a word.

use serde_json::Value;

use std::os::unix::fs::PermissionsExt;

use crate::usagectl::{File, command_named, finish, run};

/// Previews `text` as a file, and returns the message and the field.
#[track_caller]
fn mistake(kind: &str, text: impl AsRef<[u8]>) -> (String, Value) {
    let file = File::new("report.json", text);
    let arguments = ["preview", kind, "--product", "influxdb", "report.json"];
    let ran = run(&[&arguments[..], &["--json"]].concat()).directory(file.directory()).done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    let object = ran.json();
    assert_eq!(object["outcome"], "build");
    let message = object["message"].as_str().unwrap().to_owned();

    // People read the same, on standard error.
    let ran = run(&arguments).directory(file.directory()).done();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(5), ""));
    assert_eq!(ran.stderr, format!("usagectl: {message}\n"));
    (message, object["field"].clone())
}

#[test]
fn a_field_of_another_type_is_named() {
    assert_eq!(
        mistake("usage", "[\n  {\"tags\": 5}\n]"),
        (
            "report.json: [0].tags: invalid type: integer `5`, expected a map at line 2 column 12"
                .into(),
            "[0].tags".into(),
        ),
    );
    let (message, field) = mistake("usage", r#"[{"tags": {"é": "é", "os": 12.5}}]"#);
    assert!(message.contains("floating point `12.5`, expected a string at line 1"), "{message}");
    assert_eq!(field, "[0].tags.os");
    let (message, field) = mistake("stats", "{\"server_id\":\t{}}");
    assert!(message.contains("invalid type: map, expected a string at line 1"), "{message}");
    assert_eq!(field, "server_id");
    // Ids are strings on the wire.
    assert_eq!(mistake("server", r#"{"cluster_id": 5}"#).1, "cluster_id");
}

#[test]
fn a_body_of_another_shape_is_refused() {
    let (message, field) = mistake("usage", "{}");
    assert!(message.starts_with("report.json: invalid type: map, expected a"), "{message}");
    assert_eq!(field, Value::Null);
    assert!(mistake("stats", " true").0.contains("boolean `true`"));
}

/// A field that the payload does not know would be lost: nobody is to think that it was sent.
#[test]
fn an_unknown_field_is_named() {
    const UNKNOWN: &str = "a report has no such field, and it would not be sent";
    for (kind, text, path) in [
        ("usage", "[{\"tags\": {}},\n {\"values\": {}, \"time\": 12}]", "[1].time"),
        ("stats", r#"{"stats":[{"name":"n","values":{},"na\"me":1}]}"#, "stats[0].na\"me"),
        ("server", r#"{"host":"h","Host":"h"}"#, "Host"),
    ] {
        let expected = (format!("report.json: {path}: {UNKNOWN}"), path.into());
        assert_eq!(mistake(kind, text), expected);
    }
    let (message, field) = mistake("stats", r#"{"product":"influxdb"}"#);
    assert!(message.ends_with("not be sent: --product names the product"), "{message}");
    assert_eq!(field, "product");
}

/// The last one would win.
#[test]
fn a_key_that_stands_twice_is_refused() {
    for (kind, text, path) in [
        ("usage", r#"[{"tags":{"os":"a","\u006fs":"b"}}]"#, "[0].tags.os"),
        ("usage", r#"[{"values":{"deep":[{"a":1},{"a":1,"a":2}]}}]"#, "[0].values.deep[1].a"),
        ("usage", r#"[{"tags":{},"tags":{}}]"#, "[0].tags"),
        ("server", r#"{"host":"a","host":"b"}"#, "host"),
    ] {
        let message = format!("report.json: {path}: this key stands here for the second time");
        assert_eq!(mistake(kind, text), (message, path.into()));
    }
}

/// W10: what does not fit would become the nearest float.
#[test]
fn an_integer_that_would_lose_digits_is_refused() {
    for (text, path, integer) in [
        (
            "[{\"values\":{\"s\":\"\\\"9\",\n\"n\":18446744073709551616}}]",
            "[0].values.n",
            "18446744073709551616",
        ),
        (
            r#"[{}, {"values":{"n":[1,{"x":-9223372036854775809}]}}]"#,
            "[1].values.n[1].x",
            "-9223372036854775809",
        ),
    ] {
        let (message, field) = mistake("usage", text);
        let start = format!("report.json: {path}: the integer {integer} needs more than 64 bits");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(field, path);
    }
    // In a text it is a text.
    let text = r#"[{"values":{"n":"18446744073709551616"}}]"#;
    let ran = run(&["preview", "usage", "--product", "p", "-"]).stdin(text).done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// W9: JSON has no such number, and a float that overflows is none either.
#[test]
fn a_number_that_is_not_finite_is_refused() {
    let (message, field) = mistake("usage", r#"[{"values":{"n":1e400}}]"#);
    assert!(message.contains("[0].values.n: not JSON: number out of range at line 1"), "{message}");
    assert_eq!(field, "[0].values.n");
}

/// As programs write it who take a printed float for JSON.
#[test]
fn a_number_that_json_does_not_have_is_named() {
    for word in ["NaN", "nan", "NAN", "-NaN", "Infinity", "-Infinity", "inf", "-inf", "+Inf"] {
        for (text, path) in [
            (format!("[{{\"values\":{{\"n\":{word}}}}}]"), "[0].values.n"),
            (format!("[\n{{\"values\": {{\"n\": [1,\n  {word} ]}}}}]"), "[0].values.n[1]"),
        ] {
            let (message, field) = mistake("usage", text);
            let end = format!(": JSON has no {word}; leave it out, or write null");
            assert!(message.starts_with(&format!("report.json: {path}: ")), "{message}");
            assert!(message.contains(" at line ") && message.ends_with(&end), "{message}");
            assert_eq!(field, path);
        }
    }
    // A text is a text, and another word is another word.
    let text = r#"[{"values":{"n":"NaN"}}]"#;
    let ran = run(&["preview", "usage", "--product", "p", "-"]).stdin(text).done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for word in ["None", "undefined", "banana", ".5", "'NaN'", "é"] {
        let (message, _) = mistake("usage", format!("[{{\"values\":{{\"n\":{word}}}}}]"));
        assert!(!message.contains("JSON has no"), "{message}");
    }
}

#[test]
fn broken_json_is_refused() {
    for (text, path, part) in [
        ("", "", "it is empty, and should hold the JSON body of the report"),
        (" \n ", "", "it is empty"),
        ("[{\"values\":{}},]", "", "trailing comma at line 1 column 16"),
        ("[{\"values\":{}}] []", "", "trailing characters at line 1 column 17"),
        ("[{\"values\":{}}\n", "", "EOF while parsing a list at line 2"),
        ("[{\"values\":{}", "[0]", "EOF while parsing an object"),
        ("[{\"values\":{\"a\":", "[0].values.a", "EOF while parsing a value"),
        ("[{\"values\":{\"a\":\"x", "[0].values.a", "EOF while parsing a string"),
        ("[{'values':{}}]", "[0]", "key must be a string at line 1 column 3"),
        ("[{\"values\":{\"a\":tru}}]", "[0].values.a", "expected ident"),
        ("[{\"values\":{\"a\":\"\\ud800\"}}]", "[0].values.a", "hex escape at line 1"),
        ("[{\"values\":{\"a\":\"x\ny\"}}]", "[0].values.a", "control character"),
        ("// usage\n[]", "", "expected value at line 1 column 1"),
    ] {
        let (message, field) = mistake("usage", text);
        assert!(message.contains(part), "{text:?}: {message}");
        assert_eq!(field, if path.is_empty() { Value::Null } else { path.into() }, "{text:?}");
    }
    let (message, _) = mistake("usage", b"[{\"tags\":{\"os\":\"\xff\"}}]");
    assert_eq!(message, "report.json: invalid utf-8 sequence of 1 bytes from index 16");
}

/// A file with more levels than a stack has room for ends in an error, not in a crash.
#[test]
fn deep_nesting_is_refused() {
    let text = format!("[{{\"values\":{{\"a\":{}{}}}}}]", "[".repeat(100_000), "]".repeat(100_000));
    let file = File::new("report.json", text);
    let arguments = ["preview", "usage", "--product", "p", "report.json", "--json"];
    let ran = run(&arguments).directory(file.directory()).done();
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(ran.json()["message"].as_str().unwrap().contains("recursion limit exceeded"));
}

#[test]
fn standard_input_has_a_name_too() {
    let ran = run(&["preview", "usage", "--product", "p", "-"]).stdin("[\n{\"tag\":1}]").done();
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.stderr.starts_with("usagectl: <stdin>: [0].tag: a report has no such field"),
        "{ran:?}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_reason() {
    let ran = run(&["preview", "usage", "--product", "p", "/no/such.json"]).done();
    assert_eq!(ran.code, Some(5));
    assert_eq!(
        ran.stderr,
        "usagectl: cannot read /no/such.json: No such file or directory (os error 2)\n",
    );
    let object =
        run(&["preview", "usage", "--product", "p", "/no/such.json", "--json"]).done().json();
    assert_eq!(
        object["message"],
        "cannot read /no/such.json: No such file or directory (os error 2)",
    );
}

/// W8, and a byte order mark that some editors write.
#[test]
fn null_and_a_byte_order_mark_are_taken() {
    let body = |kind: &str, text: &str| {
        let ran = run(&["preview", kind, "--product", "p", "-", "--json"]).stdin(text).done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()["body"].as_str().unwrap().to_owned()
    };
    assert_eq!(body("usage", "null"), "[]");
    assert_eq!(
        body("usage", "\u{feff}[{\"tags\":null,\"values\":null}]"),
        r#"[{"tags":{},"values":{}}]"#
    );
    assert_eq!(
        body("stats", r#"{"cluster_id":null,"stats":null}"#),
        r#"{"cluster_id":"","server_id":"","stats":[]}"#,
    );
    // A value may be null: it is sent as it stands.
    assert_eq!(body("usage", r#"[{"values":{"a":null}}]"#), r#"[{"tags":{},"values":{"a":null}}]"#);
}

#[test]
fn the_product_of_a_server_must_agree() {
    let (message, field) = mistake("server", "{\"host\":\"h\",\n  \"product\": \"kapacitor\"}");
    assert!(message.starts_with("report.json: product: "), "{message}");
    assert!(message.contains("`kapacitor`") && message.contains("`influxdb`"), "{message}");
    assert_eq!(field, "product");
}

/// A name, too, comes from elsewhere.
#[test]
fn a_name_is_shown_with_escapes() {
    let ran = run(&["preview", "usage", "--product", "p", "no\u{1b}[31msuch\u{202e}file"]).done();
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.stderr.starts_with("usagectl: cannot read no\\u{1b}[31msuch\\u{202e}file: "),
        "{ran:?}"
    );
}

/// What never ends is not read to its end.
#[test]
fn files_that_are_too_large_are_refused() {
    let ran = run(&["preview", "usage", "--product", "p", "/dev/zero"]).done();
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("/dev/zero is longer than 16777216 bytes"), "{ran:?}");

    let token = File::new("token", "x".repeat(70_000));
    let arguments = ["preview", "usage", "--product", "p", "-", "--token-file", &token.path()];
    let ran = run(&arguments).env("USAGE_URL", "https://x.example").stdin("[]").done();
    assert_eq!(ran.code, Some(5));
    assert!(ran.stderr.contains("token is longer than 65536 bytes"), "{ran:?}");
}

/// As a shell makes one of `<(…)`, and as Kubernetes mounts secrets.
#[test]
fn what_is_read_may_be_a_pipe_or_a_link() {
    let script = r#"
        umask 077
        mkdir ..2026 && echo secret-of-a-link > ..2026/token
        ln -s ..2026 ..data && ln -s ..data/token token && mkfifo body
        echo '[]' > body & exec "$0" preview usage --product p --token-file token --json body
    "#;
    let directory = tempfile::tempdir().unwrap();
    let mut command = command_named("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_usagectl")]).current_dir(directory.path());
    command.env("USAGE_URL", "https://usage.example");
    let ran = finish(command.spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["body"], "[]");
}

/// A token that others can exchange is not sent, and one that they can read is worth a word.
#[test]
fn a_token_file_is_its_owners() {
    let token = File::new("token", "secret");
    let arguments = ["preview", "usage", "--product", "p", "-", "--token-file", &token.path()];
    for (mode, code, said) in
        [(0o600, 0, ""), (0o644, 0, "mode 0644"), (0o620, 5, "mode 0620"), (0o666, 5, "mode 0666")]
    {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(token.path(), mode).unwrap();
        let ran = run(&arguments).env("USAGE_URL", "https://x.example").stdin("[]").done();
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(said) && said.is_empty() == ran.stderr.is_empty(), "{ran:?}");
    }
}
