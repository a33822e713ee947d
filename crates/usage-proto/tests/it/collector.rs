//! What a transport does with an answer: the head is judged, the body is bounded, what broke off is
//! marked.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, HeaderValue, Response, Version};
use usage_proto::{Api, BaseUrl, Chain, Collector, Incomplete, TransportErrorKind};

fn head() -> Parts {
    Response::new(()).into_parts().0
}

fn head_with(lines: impl IntoIterator<Item = (&'static str, String)>) -> Parts {
    let mut head = head();
    for (name, value) in lines {
        let name = HeaderName::from_static(name);
        head.headers.append(name, HeaderValue::try_from(value).unwrap());
    }
    head
}

#[test]
fn w40_the_last_byte_and_the_last_line_of_a_head_are_taken() {
    let frame = "HTTP/1.1 200 \r\na: \r\n\r\n".len();
    for (length, taken) in [((64 << 10) - frame, true), ((64 << 10) - frame + 1, false)] {
        let head = head_with([("a", "x".repeat(length))]);
        assert_eq!(Collector::new(head, 0).is_ok(), taken, "{length} bytes");
    }
    for (lines, taken) in [(100, true), (101, false)] {
        let head = head_with((0..lines).map(|_| ("a", "x".to_owned())));
        assert_eq!(Collector::new(head, 0).is_ok(), taken, "{lines} lines");
    }
}

#[test]
fn w40_what_a_head_may_not_say_is_no_answer() {
    let longest = i64::MAX.to_string();
    assert!(Collector::new(head_with([("content-length", longest)]), 0).is_ok());
    let too_long = (i64::MAX.unsigned_abs() + 1).to_string();
    let twice = head_with([("content-length", format!("{too_long} , {too_long}"))]);
    let mut old = head_with([("transfer-encoding", "chunked".to_owned())]);
    assert!(Collector::new(old.clone(), 0).is_ok());
    old.version = Version::HTTP_10;
    for head in [head_with([("content-length", too_long)]), twice, old] {
        let error = Collector::new(head, 0).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Protocol);
        assert!(error.may_have_been_sent() && error.is_retryable());
    }
    let large = Collector::new(head_with([("a", "x".repeat(70_000))]), 0).unwrap_err();
    let shown = Chain(&large).to_string();
    assert!(shown.contains("70022 bytes in 1 header lines"), "{shown}");
}

#[test]
fn w38_one_byte_above_the_limit_is_kept_however_the_body_is_cut() {
    let body = b"0123456789";
    for limit in 0..12 {
        for cut in 1..=body.len() {
            for copied in [false, true] {
                let mut answer = Collector::new(head(), limit).unwrap();
                for piece in body.chunks(cut) {
                    assert_eq!(answer.wants_more(), answer.wanted() > 0);
                    if copied {
                        answer.push_slice(piece);
                    } else {
                        answer.push(Bytes::copy_from_slice(piece));
                    }
                }
                let kept = body.len().min(limit + 1);
                assert_eq!(answer.wanted(), limit + 1 - kept);
                let answer = answer.finish();
                assert_eq!(answer.body(), &body[..kept]);
                assert!(answer.extensions().get::<Incomplete>().is_none());
            }
        }
    }
    let unlimited = Collector::new(head(), usize::MAX).unwrap();
    assert_eq!(unlimited.wanted(), usize::MAX);
}

#[test]
fn a_body_of_one_piece_is_not_copied() {
    let piece = Bytes::from(b"{}".to_vec());
    let mut answer = Collector::new(head(), 64).unwrap();
    answer.push(Bytes::new());
    answer.push(piece.clone());
    answer.push(Bytes::new());
    assert_eq!(answer.finish().body().as_ptr(), piece.as_ptr());
}

#[test]
fn w46_what_broke_off_is_marked_and_judged_by_its_status() {
    let api = Api::new(BaseUrl::STAGING);
    let mut answer = api.receive(head()).unwrap();
    answer.push_slice(b"{\"sta");
    assert_eq!(answer.head().status, 200);
    let saved = api.parse_response(answer.break_off()).unwrap();
    assert!(!saved.is_complete());
    assert_eq!(saved.body(), "{\"sta");
}

#[test]
fn w38_the_limit_is_that_of_the_api() {
    let api = Api::new(BaseUrl::STAGING).with_response_limit(3);
    let mut answer = api.receive(head()).unwrap();
    answer.push(Bytes::from_static(b"12345"));
    assert!(!answer.wants_more());
    let saved = api.parse_response(answer.finish()).unwrap();
    assert!(!saved.is_complete());
    assert_eq!(saved.body(), "123");
}

#[test]
fn nothing_of_the_body_is_in_debug() {
    let mut answer = Collector::new(head(), 64).unwrap();
    answer.push(Bytes::from_static(b"a-secret"));
    let shown = format!("{answer:?}");
    assert!(!shown.contains("secret") && shown.contains('8'), "{shown}");
}
