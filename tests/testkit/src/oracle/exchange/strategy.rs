//! Answers as bytes for properties: plain ones, odd ones and broken ones.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use usage_proto::Api;

use super::input::{End, Input};

/// Any answer, in any pieces.
pub fn inputs() -> impl Strategy<Value = Input> {
    let limits = prop_oneof![2 => Just(Api::DEFAULT_RESPONSE_LIMIT), 1 => 0_usize..40];
    let written = prop_oneof![4 => Just(usize::MAX), 1 => 0_usize..300];
    let ends = prop_oneof![Just(End::Closed), Just(End::Reset), Just(End::Held)];
    let others = (limits, written, ends, vec(1_usize..60, 0..5));
    (answers(), others).prop_map(|(answer, (limit, written, end, pieces))| Input {
        limit,
        written,
        end,
        pieces,
        answer: answer.into(),
    })
}

/// Most are whole and plain; some are cut off, have another byte somewhere, or are no answer at all.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let whole = (vec(interim(), 0..3), finals()).prop_map(|(mut heads, last)| {
        heads.push(last);
        heads.concat()
    });
    let changed =
        (whole, option::weighted(0.3, any::<(u16, u8)>()), option::weighted(0.4, any::<u16>()));
    let changed = changed.prop_map(|(mut answer, byte, end)| {
        if let Some((at, byte)) = byte {
            let at = usize::from(at) % answer.len();
            answer[at] = byte;
        }
        if let Some(end) = end {
            answer.truncate(usize::from(end) % answer.len());
        }
        answer
    });
    prop_oneof![9 => changed, 1 => vec(any::<u8>(), 0..60)]
}

fn interim() -> impl Strategy<Value = Vec<u8>> {
    (prop_oneof![Just(100_u16), Just(103), 102_u16..200], lines())
        .prop_map(|(status, lines)| format!("HTTP/1.1 {status} X\r\n{lines}\r\n").into_bytes())
}

fn finals() -> impl Strategy<Value = Vec<u8>> {
    let status =
        prop_oneof![4 => Just(200_u16), 1 => Just(204), 1 => Just(304), 4 => 200_u16..1000];
    let start = (prop_oneof![5 => Just("1.1"), 1 => Just("1.0")], status, lines(), lines());
    (start, framed(), option::weighted(0.2, "[a-z]{1,9}")).prop_map(
        |((version, status, before, after), (line, body), more)| {
            let head = format!("HTTP/{version} {status} X\r\n{before}{line}{after}\r\n");
            [head.as_bytes(), &body, more.unwrap_or_default().as_bytes()].concat()
        },
    )
}

/// Header lines that say nothing about the body.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "X-[A-Za-z0-9]{1,5}: [!-~]{0,20}\r\n",
        Just("Connection: close\r\n".to_owned()),
        Just("Connection: keep-alive\r\n".to_owned()),
        "X:[ \t]{0,3}[!-~\u{a1}-\u{ff}]{0,5}[ \t]{0,3}\r?\n",
    ];
    vec(line, 0..4).prop_map(|lines| lines.concat())
}

/// A body, and the line that says where it ends.
fn framed() -> impl Strategy<Value = (String, Vec<u8>)> {
    let bodies = || vec(any::<u8>(), 0..80);
    let with_length =
        bodies().prop_map(|body| (format!("Content-Length: {}\r\n", body.len()), body));
    let closed = bodies().prop_map(|body| (String::new(), body));
    let extension = option::weighted(0.2, "(;[a-z]{1,5}(=[a-z0-9]{0,5})?){1,2}");
    let chunks = vec((vec(any::<u8>(), 1..30), extension), 0..5);
    let trailers =
        prop_oneof![4 => Just(String::new()), 1 => "(X-[a-z]{1,5}: [!-~]{0,9}\r\n){1,2}"];
    let chunked = (chunks, trailers).prop_map(|(chunks, trailers)| {
        let mut body = Vec::new();
        for (chunk, extension) in chunks {
            let extension = extension.unwrap_or_default();
            body.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(&chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
        ("Transfer-Encoding: chunked\r\n".to_owned(), body)
    });
    let both =
        chunked.clone().prop_map(|(line, body)| (format!("{line}Content-Length: 3\r\n"), body));
    prop_oneof![4 => with_length, 2 => closed, 4 => chunked, 1 => both]
}
