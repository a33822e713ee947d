//! One exchange as bytes.

mod answer_bodies;
mod answer_heads;
mod any_order;
mod bounded;
mod request_out;
mod reuse;
mod times;
mod transfer;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use usage_proto::{Api, BaseUrl, Deadlines, Exchange, Incomplete, TransportErrorKind, Usage};

/// The response limit.
const LIMIT: usize = 64 << 10;

fn api() -> Api {
    Api::new(BaseUrl::new("http://usage.example.com:8086/prefix").unwrap())
}

fn request() -> Request<Bytes> {
    api().build_request(&Usage::new("influxdb")).unwrap()
}

/// Not yet connected.
fn begun() -> Exchange {
    Exchange::new(&request(), LIMIT, Deadlines::new(), start())
}

/// The request has left.
fn written() -> Exchange {
    let mut exchange = begun();
    exchange.connected(start());
    let length = exchange.to_write().len();
    assert!(length > 0);
    exchange.wrote(length);
    assert!(exchange.to_write().is_empty());
    exchange
}

/// The same moment for all of the tests: no exchange looks at a clock.
fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test owns the clock")]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START
}

fn after(seconds: u64) -> Instant {
    start() + Duration::from_secs(seconds)
}

/// What has come of an exchange, in comparable form.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Outcome {
    Answer { status: u16, body: String, complete: bool },
    Failed { kind: TransportErrorKind, sent: bool },
}

fn answer(status: u16, body: &str) -> Outcome {
    Outcome::Answer { status, body: body.to_owned(), complete: true }
}

fn broken_off(status: u16, body: &str) -> Outcome {
    Outcome::Answer { status, body: body.to_owned(), complete: false }
}

fn sent(kind: TransportErrorKind) -> Outcome {
    Outcome::Failed { kind, sent: true }
}

fn unsent(kind: TransportErrorKind) -> Outcome {
    Outcome::Failed { kind, sent: false }
}

fn outcome(exchange: &mut Exchange) -> Option<Outcome> {
    Some(match exchange.take_outcome()? {
        Ok(response) => Outcome::Answer {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
            complete: response.extensions().get::<Incomplete>().is_none(),
        },
        Err(error) => {
            let shown = format!("{error:#}");
            assert!(shown.contains("http://usage.example.com:8086"), "{shown}");
            Outcome::Failed { kind: error.kind(), sent: error.may_have_been_sent() }
        }
    })
}

/// What comes of an answer, which ends with the connection or is held open until the deadline. It is
/// given in one piece, in bytes, and cut in two at each place: that makes no difference.
fn told(bytes: impl AsRef<[u8]>, closed: bool) -> Outcome {
    let bytes = bytes.as_ref();
    let run = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut exchange = written();
        // No bytes are the end of the connection.
        pieces.filter(|piece| !piece.is_empty()).for_each(|piece| exchange.read(start(), piece));
        let reusable = exchange.is_reusable();
        if closed {
            exchange.read(start(), &[]);
        } else {
            exchange.handle_timeout(after(60));
        }
        (outcome(&mut exchange).unwrap(), reusable)
    };
    let whole = run(&mut std::iter::once(bytes));
    assert_eq!(run(&mut bytes.chunks(1)), whole);
    for cut in 0..bytes.len().min(300) {
        let (one, other) = bytes.split_at(cut);
        assert_eq!(run(&mut [one, other].into_iter()), whole, "cut at {cut}");
    }
    whole.0
}
