//! Bodies that are framed oddly, that break off (W46), or that are too large (W38).

use testkit::outcome::{Outcome, Refusal, incomplete, refused, saved, sent, simple, unexpected};
use testkit::samples::{LESS_SHORT, SHORT};
use testkit::scripted::{Script, ScriptedServer};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Protocol;

use crate::adapter::Adapter;
use crate::case::{Case, Difference, Expected, each, holds, malformed};
use crate::remote::Task;

const LIMIT: usize = 64 << 10;

const NO: &str = "{\"error\":\"no\"}";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = framed();
    cases.extend(broken());
    cases.extend(limited());
    cases.extend(floods());
    cases
}

/// Whole bodies, and lengths that are none.
fn framed() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, rest) in [
        ("chunked", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
        (
            "chunked, with an extension",
            "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n",
        ),
        (
            "chunked, with a trailer",
            "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: x\r\n\r\n",
        ),
        ("a length that is too short", "Content-Length: 2\r\n\r\n{}{}{}"),
        ("the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{rest}");
        cases.push(Case::script(
            format!("bodies: {name}"),
            Script::answer(answer),
            saved(200, "{}"),
        ));
    }
    cases.push(Case::script(
        "bodies: without a length",
        Script::answer("HTTP/1.1 200 OK\r\n\r\n{}"),
        without_a_length(200, "{}"),
    ));
    for length in [
        "-1",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999",
        "2x",
        "two",
        "2\r\nContent-Length: 3",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}");
        let case = Case::script(
            format!("bodies: length {length:?}"),
            Script::answer(answer).hold(),
            if length == "9223372036854775808" { sent(Protocol).into() } else { malformed() },
        );
        let too_long = length == "9223372036854775808";
        cases.push(case.in_row(if too_long {
            "bodies: a length above 2⁶³ − 1"
        } else {
            "bodies: a length that is none"
        }));
    }
    let coded = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    cases.push(Case::script("bodies: chunked in HTTP/1.0", Script::answer(coded), malformed()));
    cases
}

/// The end of the connection is that of the body. ureq does not tell it from a reset, so that what
/// came may not be all.
pub(super) fn without_a_length(status: u16, body: &str) -> Expected {
    each(incomplete(status, body), saved(status, body), saved(status, body))
}

/// W46: the head counts, and what came.
fn broken() -> Vec<Case> {
    #[derive(Clone, Copy, Debug)]
    enum End {
        Closed,
        Reset,
        Held,
    }
    use End::{Closed, Held, Reset};
    let chunk = format!("Transfer-Encoding: chunked\r\n\r\ne\r\n{NO}");
    let list = [
        ("a length that is too long", format!("Content-Length: 99\r\n\r\n{NO}"), Closed),
        ("a length that is too long", format!("Content-Length: 99\r\n\r\n{NO}"), Reset),
        ("a length that is too long", format!("Content-Length: 99\r\n\r\n{NO}"), Held),
        // The end of the connection is the end of the body, but a reset is none.
        ("no length", format!("\r\n{NO}"), Reset),
        ("no length", format!("\r\n{NO}"), Held),
        ("a chunk that is cut off", chunk.clone(), Closed),
        ("no last chunk", format!("{chunk}\r\n"), Closed),
        ("no last chunk", format!("{chunk}\r\n"), Reset),
        ("no last chunk", format!("{chunk}\r\n"), Held),
        ("a size that is nonsense", format!("{chunk}\r\nnonsense\r\n"), Held),
        ("an empty size", format!("{chunk}\r\n\r\n"), Held),
        ("a negative size", format!("{chunk}\r\n-1\r\n"), Held),
        ("a size above 64 bits", format!("{chunk}\r\nffffffffffffffffff\r\n"), Held),
        ("a size that is too small", format!("{chunk}xx5\r\n"), Held),
        ("a size that is too large", format!("{chunk}\r\nff\r\n"), Closed),
    ];
    let mut cases = Vec::new();
    for (fault, rest, end) in list {
        for status in [201, 401] {
            let script = Script::answer(format!("HTTP/1.1 {status} X\r\n{rest}"));
            let (script, total) = match end {
                Closed => (script, LESS_SHORT * 5),
                Reset => (script.reset(), LESS_SHORT * 5),
                Held => (script.hold(), LESS_SHORT),
            };
            let arrived = |body: &str| match (status, body) {
                (201, body) => incomplete(201, body),
                (_, "") => refused(401, unexpected("")),
                _ => refused(401, simple("no")),
            };
            // ureq keeps nothing of the piece that a bad chunk is in.
            let expected: Expected = match (fault, end) {
                (_, Held) if fault.contains("size") => each(arrived(""), arrived(NO), arrived(NO)),
                _ => arrived(NO).into(),
            };
            let name = format!("bodies: {fault}, {end:?}, {status}");
            let case = Case::within(name, Deadlines::new().total(total), script, expected);
            let row = match (fault, end) {
                (_, Held) if fault.contains("size") => {
                    format!("bodies: a chunk size that is not one, {status} (W46)")
                }
                _ => format!("bodies: {fault} (W46)"),
            };
            cases.push(case.in_row(row));
        }
    }
    cases.push(
        Case::within(
            "bodies: dripping for ever, 201",
            Deadlines::new().total(LESS_SHORT),
            Script::answer("HTTP/1.1 201 Created\r\n\r\n{}").drip(" ", LESS_SHORT * 10),
            incomplete(201, "{} "),
        )
        .in_row("bodies: dripping for ever (W41)"),
    );
    cases.push(
        Case::within(
            "bodies: dripping for ever, 401",
            Deadlines::new().total(LESS_SHORT),
            Script::answer(format!("HTTP/1.1 401 X\r\n\r\n{NO}")).drip(" ", SHORT / 10),
            refused(401, simple("no")),
        )
        .in_row("bodies: dripping for ever (W41)"),
    );
    cases
}

/// Around the limit, which is set for some.
fn limited() -> Vec<Case> {
    [LIMIT - 1, LIMIT, LIMIT + 1]
        .map(|length| {
            let body = "x".repeat(length);
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let expected =
                if length > LIMIT { incomplete(200, &body[..LIMIT]) } else { saved(200, &body) };
            let script = Script::answer(answer).repeat();
            Case::script(format!("bodies: {length} bytes"), script, expected)
                .in_row("bodies: around the limit (W38)")
        })
        .into()
}

/// 50 MB, of which no more than the limit is kept, or ever held.
fn floods() -> Vec<Case> {
    let mut cases = Vec::new();
    for (framing, head) in [
        ("chunked", "Transfer-Encoding: chunked\r\n\r\n"),
        ("with a length", "Content-Length: 50000000\r\n\r\n"),
        ("without a length", "\r\n"),
    ] {
        for status in [200, 401] {
            let chunk = match framing {
                "chunked" => format!("1000\r\n{}\r\n", "x".repeat(0x1000)),
                _ => "x".repeat(0x1000),
            };
            let script = Script::answer(format!("HTTP/1.1 {status} X\r\n{head}"));
            let script = script.flood(chunk, 50_000_000 / 0x1000);
            let expected = match status {
                200 => incomplete(200, "x".repeat(LIMIT)),
                _ => refused(401, Refusal::TooLarge { limit: LIMIT }),
            };
            let case = Case::new(format!("bodies: 50 MB {framing}, {status}"), move |adapter| {
                flood(adapter, &script, &expected)
            });
            cases.push(case.in_row(format!("bodies: 50 MB, {status} (W38)")));
        }
    }
    cases
}

/// What a client, its connection and a request may take.
const ALLOWANCE: u64 = 1 << 20;

fn flood(adapter: Adapter, script: &Script, expected: &Outcome) -> Result<(), Difference> {
    let server = ScriptedServer::start([script.clone()]);
    let report = Task::new(adapter, server.url()).expect(expected)?;
    let allocated = report.allocated;
    // All that was ever allocated, not only what was held at once.
    holds("64 KiB and a constant", allocated < LIMIT as u64 + ALLOWANCE, &allocated)?;
    // If it is none, nothing was counted.
    holds("something was counted", allocated > 1_000, &allocated)
}
