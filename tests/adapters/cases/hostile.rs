//! A server, or what is there in its place, that does all it should not.

use testkit::outcome::{Outcome, incomplete, refused, sent, simple, unsent};
use testkit::samples::{LESS_SHORT, large_usage, usage};
use testkit::scripted::{Nobody, PATIENCE, Script, ScriptedServer, no_such_host};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Connect, Interrupted, Timeout};

use crate::adapter::{Adapter, Client};
use crate::case::{Case, Difference, Expected, each, same};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("hostile: refuses", refuses),
        Case::new("hostile: a name that there is not", no_name),
    ];
    cases.extend(ends());
    cases.extend(in_the_head());
    cases.extend(hangs());
    cases.extend(stops_reading());
    cases
}

fn refuses(adapter: Adapter) -> Result<(), Difference> {
    let nobody = Nobody::new();
    let address = nobody.address();
    let client = Client::new(adapter, &format!("http://{address}"), Deadlines::new());
    let result = client.save(&usage());
    same("the outcome", &Outcome::of(&result), &unsent(Connect))?;
    let text = result.unwrap_err().to_string();
    same("the words", &text, &format!("could not connect to http://{address}"))
}

fn no_name(adapter: Adapter) -> Result<(), Difference> {
    let client = Client::new(adapter, &format!("http://{}", no_such_host()), Deadlines::new());
    same("the outcome", &Outcome::of(&client.save(&usage())), &unsent(Connect))
}

/// Before there is any of an answer.
fn ends() -> Vec<Case> {
    vec![
        Case::script(
            "hostile: closes without a word",
            Script::new().read_request(),
            sent(Interrupted),
        ),
        Case::at_once(
            "hostile: closes without having read",
            Script::new().hang_up(),
            sent(Interrupted),
        ),
        Case::script(
            "hostile: closes without having read the body",
            Script::new().read_head().hang_up(),
            sent(Interrupted),
        ),
        Case::script(
            "hostile: resets as soon as something comes",
            Script::new().read(1).reset(),
            sent(Interrupted),
        ),
        Case::script(
            "hostile: resets before the head",
            Script::new().read_request().reset(),
            sent(Interrupted),
        ),
        Case::script(
            "hostile: resets after the head",
            Script::answer("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n").reset(),
            incomplete(201, ""),
        ),
        Case::script(
            "hostile: resets in the body",
            Script::answer("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{").reset(),
            incomplete(201, "{"),
        ),
        Case::script(
            "hostile: closes after an interim answer",
            Script::answer("HTTP/1.1 100 Continue\r\n\r\n"),
            sent(Interrupted),
        ),
    ]
}

fn in_the_head() -> Vec<Case> {
    let parts =
        ["H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nA: b\r\n"];
    let case = |part: &'static str, how: &str, script: Script| {
        Case::script(format!("hostile: {how} behind {part:?}"), script, sent(Interrupted))
            .in_row(format!("hostile: {how} in the head"))
    };
    let closes = parts.map(|part| case(part, "closes", Script::answer(part)));
    let resets = parts.map(|part| case(part, "resets", Script::answer(part).reset()));
    closes.into_iter().chain(resets).collect()
}

fn hangs() -> Vec<Case> {
    let within = |deadline| Deadlines::new().total(deadline);
    vec![
        Case::within(
            "hostile: hangs without having read",
            within(LESS_SHORT),
            Script::new().hold_unread(),
            sent(Timeout),
        ),
        Case::within(
            "hostile: hangs before the head",
            within(LESS_SHORT),
            Script::answer("").hold(),
            sent(Timeout),
        ),
        Case::within(
            "hostile: hangs in the head",
            within(LESS_SHORT),
            Script::answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").hold(),
            sent(Timeout),
        ),
        Case::within(
            "hostile: hangs after the head",
            within(LESS_SHORT),
            Script::answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").hold(),
            incomplete(200, ""),
        ),
        Case::within(
            "hostile: drips the head for ever",
            within(LESS_SHORT),
            Script::answer("HTTP/1.1 200 OK\r\nX: ").drip("x", LESS_SHORT / 30),
            sent(Timeout),
        ),
    ]
}

/// While the request is still on its way.
fn stops_reading() -> Vec<Case> {
    let large = |name: &str, total, script: Script, expected: Expected| {
        Case::expecting(format!("hostile: {name}"), expected, move |adapter, expected| {
            let server = ScriptedServer::start([script.clone()]);
            let client = Client::new(adapter, &server.url(), Deadlines::new().total(total));
            same("the outcome", &Outcome::of(&client.save(&large_usage())), expected)?;
            same("connections", &server.connections(), &1)?;
            // What comes next would be taken for the rest: the connection is not used again.
            let _ = client.save(&usage());
            same("connections", &server.connections(), &2)
        })
    };
    let head = "HTTP/1.1 413 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    vec![
        large(
            "stops reading a large report",
            LESS_SHORT,
            Script::new().read_head().hold_unread(),
            sent(Timeout).into(),
        ),
        large(
            "hangs up on a large report",
            PATIENCE,
            Script::new().read_head().hang_up(),
            sent(Interrupted).into(),
        ),
        large(
            "resets a large report",
            PATIENCE,
            Script::new().read_head().reset(),
            sent(Interrupted).into(),
        ),
        large(
            "answers a large report early, and reads on",
            PATIENCE,
            Script::new().read_head().send(head),
            refused(413, simple("no")).into(),
        ),
        large(
            "answers a large report early, and stops reading",
            LESS_SHORT * 3,
            Script::new().read_head().send(head).hold_unread(),
            // ureq writes all of a request before it reads.
            each(sent(Timeout), refused(413, simple("no")), refused(413, simple("no"))),
        ),
    ]
}
