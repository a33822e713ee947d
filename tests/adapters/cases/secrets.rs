//! W6: secrets are in no log, whatever its level, and in no `Debug`.

use testkit::outcome::{Outcome, saved, unsent};
use testkit::samples::{CREATED, TOKEN};
use testkit::scripted::{Received, Script, ScriptedServer};
use testkit::tls::{self, Authority};
use usage_proto::TransportErrorKind::Connect;

use super::tls::trusting;
use crate::adapter::Adapter;
use crate::case::{Case, Difference, holds, same};
use crate::remote::{Report, Task};

/// What a proxy is told is the user `somebody` and this, in base64.
const PASSWORD: &str = "proxy-password-0123456789";
const BASE64: &str = "c29tZWJvZHk6cHJveHktcGFzc3dvcmQtMDEyMzQ1Njc4OQ==";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("secrets: the token, over http", |adapter| {
            let server = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, server.url()).saves(2).without_a_trace_of(&[TOKEN]);
            unlogged(adapter, &task.expect(&saved(201, "{}"))?)?;
            carried(&server.finish(), 2, TOKEN)
        })
        .finer(LOGGED),
        Case::new("secrets: the token, over TLS", |adapter| {
            let authority = Authority::new();
            let server = tls::answering(authority.server("localhost"), CREATED);
            let task = Task::new(adapter, tls::url(&server)).saves(2);
            let task = task.without_a_trace_of(&[TOKEN]);
            unlogged(adapter, &trusting(&authority, task).expect(&saved(201, "{}"))?)?;
            carried(&server.finish(), 2, TOKEN)
        })
        .finer(LOGGED),
        Case::new("secrets: a proxy's password, http", |adapter| {
            // ureq asks for a tunnel.
            let expected = match adapter {
                Adapter::Ureq => unsent(Connect),
                Adapter::Reqwest | Adapter::Hyper => saved(201, "{}"),
            };
            through(adapter, "http://usage.example", CREATED, &expected)
        }),
        Case::new("secrets: a proxy's password, https", |adapter| {
            let answer = "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n";
            through(adapter, "https://usage.example", answer, &unsent(Connect))
        }),
    ]
}

fn through(
    adapter: Adapter,
    url: &str,
    answer: &'static str,
    expected: &Outcome,
) -> Result<(), Difference> {
    let proxy = ScriptedServer::start([Script::answer(answer)]);
    let task = Task::new(adapter, url).without_a_trace_of(&[TOKEN, PASSWORD, BASE64]);
    let address = format!("http://somebody:{PASSWORD}@{}", proxy.address());
    let report = task.variable("all_proxy", address).expect(expected)?;
    unseen(&report)?;
    holds("no password", !report.client.contains(PASSWORD), &report.client)?;
    carried(&proxy.finish(), 1, BASE64)
}

/// What the libraries themselves print of a token at level trace.
const LOGGED: [&str; 3] = ["in ureq's log", "not logged", "not logged"];

/// ureq writes the head of a request into its log, whole. Our own texts do not have it.
fn unlogged(adapter: Adapter, report: &Report) -> Result<(), Difference> {
    if adapter != Adapter::Ureq {
        return unseen(report);
    }
    holds("as it is listed", !report.leaks.is_empty(), report)?;
    holds("no token in `Debug`", !report.client.contains(TOKEN), &report.client)
}

fn unseen(report: &Report) -> Result<(), Difference> {
    same("leaks", &report.leaks, &vec![])?;
    holds("no token in `Debug`", !report.client.contains(TOKEN), &report.client)?;
    // Or else nothing could be in it.
    holds("a log", report.was_logged, report)
}

/// It went where it belongs.
fn carried(requests: &[Received], count: usize, secret: &str) -> Result<(), Difference> {
    let with = requests.iter().filter(|request| request.head.contains(secret)).count();
    same("requests with the secret", &(requests.len(), with), &(count, count))
}
