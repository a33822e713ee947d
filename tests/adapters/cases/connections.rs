//! W42: one pool, and nothing that is left behind.

use std::sync::{Arc, Condvar, Mutex, mpsc};

use testkit::outcome::{Outcome, incomplete, refused, saved, sent, simple};
use testkit::samples::{CREATED, LESS_SHORT, api, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use testkit::tls::{self, Authority};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Interrupted;

use super::tls::trusting;
use crate::adapter::{Adapter, Client, Threads};
use crate::case::{Case, Difference, holds, same};
use crate::remote::{Left, Task};

/// How many calls a client makes at once.
const POOL: usize = 64;

/// How many connections it opens for them.
///
/// reqwest opens one whenever none is idle at that moment, and one on its way back to the pool is not.
/// That takes longer on a busy machine: what is held to here is that connections are used again.
fn at_once(adapter: Adapter) -> usize {
    if adapter == Adapter::Reqwest { 2 * POOL } else { POOL }
}

/// How many it opens for calls that come one after the other.
fn in_sequence(adapter: Adapter) -> usize {
    if adapter == Adapter::Reqwest { 16 } else { 2 }
}

const AT_ONCE: [&str; 3] = ["64 at most", "64 and a few more", "64 at most"];
const IN_SEQUENCE: [&str; 3] = ["2 at most", "1 and a few more", "2 at most"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("connections: 1,000 saves one after the other take few connections", |adapter| {
            let server = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, server.url()).saves(1_000);
            leaves_nothing(&task, &saved(201, "{}"))?;
            same("requests", &server.received().len(), &1_000)?;
            are_few(&server, in_sequence(adapter))
        })
        .finer(IN_SEQUENCE)
        .in_row("connections: of calls one after the other"),
        Case::new("connections: 1,024 saves, 64 at once", |adapter| {
            let server = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, server.url()).at_once(POOL).saves(16);
            leaves_nothing(&task, &saved(201, "{}"))?;
            same("requests", &server.received().len(), &1_024)?;
            are_few(&server, at_once(adapter))
        })
        .finer(AT_ONCE)
        .in_row("connections: of 64 calls at once"),
        Case::new("connections: 640 saves, 64 at once, on one thread", |adapter| {
            let server = ScriptedServer::answering(CREATED);
            let client = client(adapter, &server, Threads::Caller);
            for result in client.save_at_once(POOL, 10) {
                same("the outcome", &Outcome::of(&result), &saved(201, "{}"))?;
            }
            same("requests", &server.received().len(), &640)?;
            are_few(&server, at_once(adapter))
        })
        .finer(AT_ONCE)
        .in_row("connections: of 64 calls at once"),
        Case::new("connections: 64 saves that wait for each other", together),
        Case::new("connections: one that was closed while idle loses no report", |adapter| {
            closed_while_idle(adapter, Threads::Two)?;
            closed_while_idle(adapter, Threads::Caller)
        }),
        Case::new("connections: a body of 64 KiB leaves one, one of 4 MiB does not", |adapter| {
            longer_bodies(adapter, 64 << 10, 1)?;
            longer_bodies(adapter, 4 << 20, 3)
        }),
        Case::new("connections: one that closes instead of an answer", not_tried_again),
        Case::new("connections: nothing is left of names that were looked up", |adapter| {
            let server = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, format!("http://localhost:{}", server.port()));
            leaves_nothing(&task.at_once(8).saves(4), &saved(201, "{}"))
        }),
        Case::new("connections: nothing is left of TLS", |adapter| {
            let authority = Authority::new();
            let server = tls::answering(authority.server("localhost"), CREATED);
            let task = Task::new(adapter, tls::url(&server)).at_once(4).saves(4);
            let report = trusting(&authority, task).expect(&saved(201, "{}"))?;
            same("left", &report.left, &Left::default())
        }),
    ];
    cases.extend(any_answer_leaves_one());
    for (name, script, expected) in [
        (
            "hangs before the head",
            Script::answer("").hold(),
            sent(usage_proto::TransportErrorKind::Timeout),
        ),
        (
            "hangs in the body",
            Script::answer("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{").hold(),
            incomplete(200, "{"),
        ),
        ("closes", Script::answer(""), sent(Interrupted)),
        ("resets", Script::new().read_request().reset(), sent(Interrupted)),
    ] {
        let case = Case::new(
            format!("connections: nothing is left of a server that {name}"),
            move |adapter| {
                let server = ScriptedServer::start([script.clone()]);
                let total = if name.starts_with("hangs") { LESS_SHORT } else { PATIENCE };
                let task = Task::new(adapter, server.url()).within(total).at_once(2).saves(2);
                leaves_nothing(&task, &expected)
            },
        );
        cases.push(case.in_row("connections: nothing is left of a hostile server"));
    }
    cases
}

/// Any answer leaves the connection to the next call.
fn any_answer_leaves_one() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, answer, expected) in [
        (
            "chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            saved(200, "{}"),
        ),
        (
            "a refusal",
            "HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}",
            refused(401, simple("no")),
        ),
        ("no content", "HTTP/1.1 204 X\r\n\r\n", saved(204, "")),
    ] {
        let case = Case::new(format!("connections: few for 50 answers ({name})"), move |adapter| {
            let server = ScriptedServer::answering(answer);
            Task::new(adapter, server.url()).saves(50).expect(&expected)?;
            same("requests", &server.received().len(), &50)?;
            are_few(&server, in_sequence(adapter))
        });
        let case = case.finer(IN_SEQUENCE);
        cases.push(case.in_row("connections: of calls one after the other"));
    }
    cases
}

fn are_few(server: &ScriptedServer, at_most: usize) -> Result<(), Difference> {
    let connections = server.connections();
    holds("few connections", (1..=at_most).contains(&connections), &connections)
}

fn leaves_nothing(task: &Task, expected: &Outcome) -> Result<(), Difference> {
    same("left", &task.expect(expected)?.left, &Left::default())
}

fn client(adapter: Adapter, server: &ScriptedServer, threads: Threads) -> Client {
    let deadlines = Deadlines::new().total(PATIENCE);
    Client::with_api(adapter, api(&server.url()), deadlines, threads).unwrap()
}

/// No answer before all have asked, so that each needs a connection of its own.
fn together(adapter: Adapter) -> Result<(), Difference> {
    let here = Arc::new((Mutex::new(0), Condvar::new()));
    let server = ScriptedServer::run(move |mut connection| {
        while connection.request().is_some() {
            let mut count = here.0.lock().unwrap();
            *count += 1;
            here.1.notify_all();
            // An adapter that opens fewer fails by that, and does not hang.
            drop(here.1.wait_timeout_while(count, PATIENCE / 2, |count| *count < POOL).unwrap());
            connection.send(CREATED);
        }
    });
    let client = client(adapter, &server, Threads::Two);
    for result in client.save_at_once(POOL, 4) {
        same("the outcome", &Outcome::of(&result), &saved(201, "{}"))?;
    }
    same("connections", &server.connections(), &POOL)
}

/// Three of them.
fn longer_bodies(adapter: Adapter, length: usize, expected: usize) -> Result<(), Difference> {
    let body = "x".repeat(length);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let server = ScriptedServer::answering(head + &body);
    let report = Task::new(adapter, server.url()).saves(3).run()?;
    same("outcomes", &report.outcomes.len(), &3)?;
    same("requests", &server.received().len(), &3)?;
    same("connections", &server.connections(), &expected)
}

/// It has not said that it would. On one thread nobody sees it before the next save.
fn closed_while_idle(adapter: Adapter, threads: Threads) -> Result<(), Difference> {
    let (close, closed) = mpsc::channel();
    let server = ScriptedServer::run(move |mut connection| {
        if connection.request().is_some() {
            connection.send(CREATED);
        }
        connection.close_noticeably();
        let _ = close.send(());
    });
    let client = client(adapter, &server, threads);
    for _ in 0..3 {
        same("the outcome", &Outcome::of(&client.save(&usage())), &saved(201, "{}"))?;
        closed.recv_timeout(PATIENCE).map_err(|error| error.to_string())?;
    }
    same("requests", &server.received().len(), &3)
}

/// The first request is answered, so that the second comes over the same connection.
fn not_tried_again(adapter: Adapter) -> Result<(), Difference> {
    let answered = Mutex::new(false);
    let server = ScriptedServer::run(move |mut connection| {
        while connection.request().is_some() {
            if std::mem::replace(&mut *answered.lock().unwrap(), true) {
                return;
            }
            connection.send(CREATED);
        }
    });
    let client = client(adapter, &server, Threads::Two);
    let outcome = || Outcome::of(&client.save(&usage()));
    same("the first outcome", &outcome(), &saved(201, "{}"))?;
    same("the second outcome", &outcome(), &sent(Interrupted))?;
    same("requests", &server.received().len(), &2)?;
    are_few(&server, in_sequence(adapter))
}
