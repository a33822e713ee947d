//! A complete head is an answer, whatever its status (W30 to W36, W39, W45).

use std::time::Duration;

use testkit::outcome::{Outcome, Refusal, refused, saved, simple, unexpected};
use testkit::scripted::Script;

use crate::case::{Case, malformed};

const NO: &str = "{\"error\":\"no\"}";

/// The smallest gzip file.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for status in [200, 201, 202, 206, 299] {
        cases.push(
            answer(format!("status {status}"), status, "", "{}", saved(status, "{}"))
                .in_row("answers: 2xx is a success (W30)"),
        );
    }
    cases.push(Case::script(
        "answers: 204 has no body",
        keeping("HTTP/1.1 204 No Content\r\n\r\n"),
        saved(204, ""),
    ));
    for status in [
        400, 401, 403, 404, 405, 408, 409, 410, 413, 418, 422, 425, 429, 451, 500, 501, 502, 503,
        504, 507, 511, 522, 599, 600, 999,
    ] {
        cases.push(
            answer(format!("status {status}"), status, "", NO, refused(status, simple("no")))
                .in_row("answers: any other status is an error (W31 to W34)"),
        );
    }
    // The least and the largest status that there are.
    cases.push(Case::script(
        "answers: status 999 without a body",
        keeping("HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n"),
        refused(999, unexpected("")),
    ));
    for status in ["000", "099", "1000", "2x0", "20", "-20"] {
        let script = keeping(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        cases.push(
            Case::script(format!("answers: status {status}"), script, malformed())
                .in_row("answers: what is no status is no answer"),
        );
    }
    cases.push(answer(
        "fields of a 422",
        422,
        "",
        "{\"error\":\"bad\",\"errors\":{\"host\":[\"blank\",null],\"port\":7}}",
        refused(
            422,
            Refusal::Validation {
                message: Some("bad".to_owned()),
                errors: [
                    ("host".to_owned(), vec!["blank".to_owned(), String::new()]),
                    ("port".to_owned(), vec!["7".to_owned()]),
                ]
                .into(),
            },
        ),
    ));
    for (header, seconds) in [
        ("Retry-After: 120\r\n", Some(120)),
        ("Retry-After: 18446744073709551615\r\n", Some(86_400)),
        ("Retry-After: soon\r\n", None),
        (
            "Date: Wed, 21 Oct 2026 07:28:00 GMT\r\nRetry-After: Wed, 21 Oct 2026 07:28:30 GMT\r\n",
            Some(30),
        ),
    ] {
        let expected = Outcome::Refused {
            status: 503,
            retryable: true,
            retry_after: seconds.map(Duration::from_secs),
            kind: simple("no"),
        };
        let name = format!("{header:?}");
        cases.push(answer(name, 503, header, NO, expected).in_row("answers: Retry-After (W39)"));
    }
    cases.push(answer("a gzip body", 200, "Content-Encoding: gzip\r\n", GZIP, saved(200, GZIP)));
    cases.push(answer(
        "a body that claims to be gzip",
        200,
        "Content-Encoding: gzip\r\n",
        "{\"plain\":1}",
        saved(200, "{\"plain\":1}"),
    ));
    cases.push(answer(
        "a gzip body of an error",
        401,
        "Content-Encoding: gzip\r\n",
        GZIP,
        refused(401, unexpected("\u{fffd} \u{fffd}")),
    ));
    cases
}

/// An answer with this status, header lines and body, on a connection that stays.
fn answer(
    name: impl AsRef<str>,
    status: u16,
    headers: &str,
    body: impl AsRef<[u8]>,
    expected: Outcome,
) -> Case {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    let answer = [head.as_bytes(), body].concat();
    Case::script(format!("answers: {}", name.as_ref()), keeping(answer), expected)
}

fn keeping(answer: impl Into<bytes::Bytes>) -> Script {
    Script::answer(answer).repeat()
}
