//! What a head may look like, and what is none (W40).

use testkit::outcome::{refused, saved, sent, unexpected};
use testkit::samples::{CREATED, LESS_SHORT, SHORT};
use testkit::scripted::Script;
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Protocol, Timeout};

use crate::case::{Case, Expected, each, malformed};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = odd();
    cases.extend(not_heads());
    cases.extend(sizes());
    cases.extend(interim());
    cases
}

/// Odd ones that are answers.
fn odd() -> Vec<Case> {
    let mut cases = vec![Case::script(
        "heads: a byte at a time",
        Script::new().read_request().dribble(CREATED).hold(),
        saved(201, "{}"),
    )];
    for (name, head) in [
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n"),
        ("no reason phrase", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n"),
        ("an empty reason phrase", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n"),
        ("line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\n"),
        (
            "bytes beyond ASCII in a value",
            "HTTP/1.1 200 OK\r\nX: \u{fc}\r\nContent-Length: 2\r\n\r\n",
        ),
        ("an empty value", "HTTP/1.1 200 OK\r\nX:\r\nContent-Length: 2\r\n\r\n"),
    ] {
        let case = Case::script(
            format!("heads: {name}"),
            Script::answer(format!("{head}{{}}")),
            saved(200, "{}"),
        );
        cases.push(case.in_row("heads: odd, but heads"));
    }
    cases
}

/// What is none.
fn not_heads() -> Vec<Case> {
    let answered = [
        "nonsense\r\n\r\n",
        "{\"error\":\"no head at all\"}",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/3 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: \0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let mut cases: Vec<_> = answered
        .map(|head| {
            // Held open: it is no head before it ends, too.
            let script = Script::answer(head).hold();
            let case = Case::script(format!("heads: {head:?}"), script, malformed());
            case.in_row("heads: what is none")
        })
        .into();
    cases.push(Case::at_once(
        "heads: a server that speaks first",
        Script::new().send("220 mail.example ESMTP\r\n").hold(),
        // It depends on when it is heard whether the request had begun to leave: it may have.
        malformed(),
    ));
    cases
}

/// 64 KiB, and 100 lines.
fn sizes() -> Vec<Case> {
    let line = |length: usize| format!("X: {}\r\n", "x".repeat(length));
    let lines = |count: usize| "X: x\r\n".repeat(count);
    [
        ("a line of 60 KiB", line(60 << 10), saved(200, "{}").into()),
        ("a line of 70 KiB", line(70 << 10), sent(Protocol).into()),
        ("a line of 200 KiB", line(200 << 10), sent(Protocol).into()),
        ("a line of 11 MiB", line(11 << 20), malformed()),
        ("100 lines", lines(99), saved(200, "{}").into()),
        ("101 lines", lines(100), malformed()),
        ("10,000 lines", lines(10_000), malformed()),
        ("1,000,000 lines", lines(1_000_000), malformed()),
    ]
    .map(|(name, lines, expected): (&str, String, Expected)| {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{lines}\r\n{{}}");
        Case::script(format!("heads: {name}"), Script::answer(answer), expected)
    })
    .into()
}

/// Heads before the head.
fn interim() -> Vec<Case> {
    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    const WAIT: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    vec![
        Case::script(
            "heads: two interim ones",
            Script::answer([WAIT, HINTS, CREATED].concat()).repeat(),
            saved(201, "{}"),
        ),
        Case::or_ureq(
            "heads: a flood of 20,000 interim ones",
            Script::new().read_request().flood([WAIT, HINTS].concat(), 10_000).send(CREATED).hold(),
            // reqwest gives no hook to count them by. ureq bounds how many it holds at a time: where
            // they come slowly, it passes over them all.
            each(sent(Protocol), saved(201, "{}"), sent(Protocol)),
            saved(201, "{}"),
        ),
        Case::within(
            "heads: a flood of interim ones that never ends",
            Deadlines::new().total(LESS_SHORT),
            Script::new().read_request().drip([WAIT, HINTS].concat().repeat(10), SHORT / 100),
            each(sent(Timeout), sent(Timeout), sent(Protocol)),
        ),
        Case::script(
            "heads: an upgrade that nobody asked for",
            Script::answer(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            ),
            refused(101, unexpected("")),
        ),
    ]
}
