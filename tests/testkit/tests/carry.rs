//! `carry` says over each adapter what `usagectl save server --json` says, and with the same exit
//! status: of the same file, the same options and the same answer.
//!
//! The binary `usagectl` is another package's and may not be built. This test calls what its `main`
//! calls, in a process of its own: itself.

#![expect(clippy::unwrap_used, reason = "a panic fails a test")]

use std::env;
use std::fs;
use std::io::Write as _;
use std::process::{Command, ExitCode, Output, Stdio};

use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::samples::TOKEN;
use testkit::scripted::{Nobody, Script, ScriptedServer};
use usage_server::{Config, Database, Server};

const ADAPTERS: [&str; 3] = ["ureq", "reqwest", "hyper"];

/// Set where this process is `usagectl`.
const MARK: &str = "USAGE_TESTS_USAGECTL";

const BODY: &str =
    r#"{"cluster_id":"c","server_id":"s","host":"h","product":"influxdb","version":"1"}"#;

fn main() -> ExitCode {
    if env::var_os(MARK).is_some() {
        return usagectl::run(env::args_os());
    }
    let trials: [(&str, fn()); 13] = [
        ("saved", saved),
        ("saved_with_a_token", saved_with_a_token),
        ("refused_by_its_fields", refused_by_its_fields),
        ("refused_for_its_token", refused_for_its_token),
        ("refused_by_a_page", refused_by_a_page),
        ("unanswered", unanswered),
        ("unanswered_though_it_was_sent", unanswered_though_it_was_sent),
        ("unanswered_in_time", unanswered_in_time),
        ("not_built_from_a_file", not_built_from_a_file),
        ("not_built_for_a_plaintext_token", not_built_for_a_plaintext_token),
        ("not_built_for_a_proxy", not_built_for_a_proxy),
        ("not_understood", not_understood),
        ("an_adapter_that_is_not_there_is_a_usage_error", no_such_adapter),
    ];
    let trial = |(name, run): (&str, fn())| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    libtest_mimic::run(&Arguments::from_args(), trials.map(trial).into()).exit_code()
}

/// What a program printed and ended with.
#[derive(Debug, PartialEq)]
struct Ran {
    code: Option<i32>,
    object: Value,
}

/// A file beside which everything runs.
fn file(text: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file").display().to_string();
    fs::write(&path, text).unwrap();
    // A token that others can read is warned of.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    (directory, path)
}

fn run(command: &mut Command, variables: &[(&str, &str)]) -> Ran {
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_ascii_uppercase());
    }
    command.env_remove("USAGE_URL").env_remove("USAGE_TOKEN").envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end before it has read what there is.
    let _ = child.stdin.take().unwrap().write_all(BODY.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&stderr), "", "all is said on standard output");
    let line = str::from_utf8(&stdout).unwrap().strip_suffix('\n').unwrap();
    Ran { code: status.code(), object: serde_json::from_str(line).unwrap() }
}

fn usagectl(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["save", "server", "--json"]).args(arguments).env(MARK, "1");
    run(&mut command, variables)
}

fn carry(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_carry")).args(arguments), variables)
}

/// What comes of it, whatever carries it. Each library words its reasons in its own way: what
/// stands behind the colon is left out of a message, unless `reasons` are ours.
#[track_caller]
fn same(reasons: bool, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let compared = |mut ran: Ran| {
        if !reasons {
            let message = ran.object["message"].take();
            ran.object["message"] = message.as_str().unwrap().split(": ").next().into();
        }
        ran
    };
    let expected = compared(usagectl(arguments, variables));
    for adapter in ADAPTERS {
        let found = compared(carry(&[&[adapter], arguments].concat(), variables));
        assert_eq!(found, expected, "{adapter} is not like usagectl");
    }
    expected
}

fn there() -> Server {
    Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap()
}

fn saved() {
    let (server, (_directory, path)) = (there(), file(BODY));
    let ran = same(true, &["--url", &server.url(), &path], &[]);
    let object = json!({"outcome": "saved", "status": 201, "body": "{}", "complete": true});
    assert_eq!(ran, Ran { code: Some(0), object });
    // From standard input, and to the address that the environment names.
    assert_eq!(same(true, &["-"], &[("USAGE_URL", &server.url())]), ran);
    let rows = server.store().servers().read_all().unwrap();
    assert_eq!(rows.len(), 2 * (1 + ADAPTERS.len()));
    assert!(rows.iter().all(|row| row.report == rows[0].report && row.organisation.is_none()));
}

fn saved_with_a_token() {
    let (server, (_directory, path)) = (there(), file(BODY));
    let token = server.create_token("Example Inc.").unwrap();
    let (_of_token, token) = file(token.expose());
    let ran = same(true, &["--token-file", &token, &path], &[("USAGE_URL", &server.url())]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows = server.store().servers().read_all().unwrap();
    assert_eq!(rows.len(), 1 + ADAPTERS.len());
    assert!(rows.iter().all(|row| row.organisation.as_deref() == Some("Example Inc.")));
}

fn refused_by_its_fields() {
    let (server, (_directory, path)) = (there(), file(r#"{"host":"h"}"#));
    let ran = same(true, &["--url", &server.url(), &path], &[]);
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.object["outcome"], "validation");
    assert_eq!(ran.object["errors"]["server_id"], json!(["ServerID can not be blank."]));
}

fn refused_for_its_token() {
    let (server, (_directory, path)) = (there(), file(BODY));
    let ran = same(true, &["--url", &server.url(), &path], &[("USAGE_TOKEN", TOKEN)]);
    assert_eq!((ran.code, &ran.object["outcome"]), (Some(3), &"simple".into()));
    assert_eq!(ran.object["status"], 401);
}

fn refused_by_a_page() {
    let page =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 6\r\n\r\n<html>";
    let (server, (_directory, path)) = (ScriptedServer::answering(page), file(BODY));
    let ran = same(true, &["--url", &server.url(), &path], &[]);
    let object = json!({
        "outcome": "unexpected",
        "status": 503,
        "excerpt": "<html>",
        "retryable": true,
        "retry_after_s": 30,
    });
    assert_eq!(ran, Ran { code: Some(3), object });
}

fn unanswered() {
    let (nobody, (_directory, path)) = (Nobody::new(), file(BODY));
    let ran = same(false, &["--url", &format!("http://{}", nobody.address()), &path], &[]);
    assert_eq!(ran.code, Some(4));
    let object = json!({
        "outcome": "transport",
        "kind": "connect",
        "may_have_been_sent": false,
        "message": ran.object["message"],
    });
    assert_eq!(ran.object, object);
}

fn unanswered_though_it_was_sent() {
    let server = ScriptedServer::start([Script::new().read_request()]);
    let (_directory, path) = file(BODY);
    let ran = same(false, &["--url", &server.url(), &path], &[]);
    assert_eq!((ran.code, &ran.object["kind"]), (Some(4), &"interrupted".into()));
    assert_eq!(ran.object["may_have_been_sent"], true);
}

fn unanswered_in_time() {
    let server = ScriptedServer::start([Script::new().read_request().hold()]);
    let (_directory, path) = file(BODY);
    let ran = same(false, &["--url", &server.url(), "--timeout", "1", &path], &[]);
    assert_eq!((ran.code, &ran.object["kind"]), (Some(4), &"timeout".into()));
    assert_eq!(server.finish().len(), 1 + ADAPTERS.len());
}

fn not_built_from_a_file() {
    let (_directory, path) = file(r#"{"host":5}"#);
    let ran = same(true, &[&path], &[]);
    assert_eq!((ran.code, &ran.object["outcome"]), (Some(5), &"build".into()));
    assert_eq!(ran.object["field"], "host");
}

fn not_built_for_a_plaintext_token() {
    let (_directory, path) = file(BODY);
    let ran = same(true, &["--url", "http://usage.example", &path], &[("USAGE_TOKEN", TOKEN)]);
    assert_eq!((ran.code, &ran.object["field"]), (Some(5), &"token".into()));
}

fn not_built_for_a_proxy() {
    let (_directory, path) = file(BODY);
    let proxy = [("HTTP_PROXY", "socks5://127.0.0.1:1")];
    let ran = same(true, &["--url", "http://usage.example", &path], &proxy);
    assert_eq!((ran.code, &ran.object["outcome"]), (Some(5), &"build".into()));
}

fn not_understood() {
    for arguments in [&["--no-such-option", "-"][..], &["--token", "secret-token", "-"], &[]] {
        let ran = usagectl(arguments, &[]);
        assert_eq!((ran.code, &ran.object["outcome"]), (Some(2), &"usage".into()));
        for adapter in ADAPTERS {
            let ran = carry(&[&[adapter], arguments].concat(), &[]);
            assert_eq!((ran.code, &ran.object["outcome"]), (Some(2), &"usage".into()));
            assert!(!ran.object.to_string().contains("secret-token"));
        }
    }
}

fn no_such_adapter() {
    let ran = carry(&["curl", "-"], &[]);
    assert_eq!((ran.code, &ran.object["outcome"]), (Some(2), &"usage".into()));
    let message = ran.object["message"].as_str().unwrap();
    assert!(ADAPTERS.iter().all(|adapter| message.contains(adapter)), "{message}");
}
