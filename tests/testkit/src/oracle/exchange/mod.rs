//! One exchange as bytes: whatever comes, and however it is cut, there is one outcome.

mod expected;
mod input;
#[cfg(feature = "proptest")]
mod strategy;

pub use input::{End, Input};
#[cfg(feature = "proptest")]
pub use strategy::inputs;

use std::io::ErrorKind;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use usage_proto::{
    Api, BaseUrl, Deadlines, Exchange, Incomplete, Token, TransportError, TransportErrorKind, Usage,
};

use expected::Expected;
use usage_proto::oracles::{check_debug, check_error, is_clean};

/// What the request carries, and nothing shows.
const SECRET: &str = "token-4711-goes-here";

/// W40.
const MOST_LINES: usize = 100;
const MOST_BYTES: usize = 64 << 10;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

static REQUEST: LazyLock<Request<Bytes>> = LazyLock::new(|| {
    let api = Api::new(BaseUrl::PRODUCTION).with_token(Token::new(SECRET).unwrap()).unwrap();
    api.build_request(&Usage::new("influxdb")).unwrap()
});

/// Gives the answer to an exchange in one piece, in its pieces and in bytes, and holds the outcomes
/// against each other and against the rules W6, W38, W40, W41 and W46.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(input: &Input) {
    let played = play(input, &mut input.cut());
    let one = (!input.answer.is_empty()).then_some(&*input.answer);
    assert_eq!(played, play(input, &mut one.into_iter()), "another outcome in one piece");
    assert_eq!(played, play(input, &mut input.answer.chunks(1)), "another outcome in bytes");
    if let Some(expected) = Expected::of(input) {
        let found = match &played.outcome {
            Outcome::Answer { status, headers, body, complete, .. } => Expected::Answer {
                status: *status,
                lines: headers.len(),
                body: body.to_vec(),
                complete: *complete,
            },
            Outcome::Failed { kind: TransportErrorKind::Interrupted, .. } => Expected::Interrupted,
            Outcome::Failed { kind: TransportErrorKind::Timeout, .. } => Expected::Timeout,
            Outcome::Failed { .. } => panic!("W40: should be {expected:?}, but is {played:?}"),
        };
        assert_eq!(found, expected, "W40, W46");
    }
}

/// What has come of it.
#[derive(Debug, PartialEq)]
struct Played {
    outcome: Outcome,
    reusable: bool,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Answer { version: Version, status: u16, headers: HeaderMap, body: Bytes, complete: bool },
    Failed { kind: TransportErrorKind, sent: bool, shown: String },
}

fn play(input: &Input, pieces: &mut dyn Iterator<Item = &[u8]>) -> Played {
    let mut exchange = Exchange::new(&REQUEST, input.limit, Deadlines::new(), *START);
    exchange.connected(*START);
    assert!(!exchange.to_write().is_empty(), "there is a request");
    exchange.wrote(input.written);
    for piece in pieces {
        exchange.read(*START, piece);
        check_debug(&exchange, &[SECRET]);
    }
    let reusable = exchange.is_reusable();
    match input.end {
        End::Closed => exchange.read(*START, &[]),
        End::Reset => exchange.read_failed(ErrorKind::ConnectionReset.into()),
        End::Held => exchange.handle_timeout(*START + Deadlines::new().total),
    }
    let Some(outcome) = exchange.take_outcome() else { panic!("W41: no outcome at its end") };
    let outcome = Outcome::of(outcome, input.limit);
    let complete = matches!(outcome, Outcome::Answer { complete: true, .. });
    assert!(complete || !reusable, "W42: a connection in doubt is used again");
    Played { outcome, reusable }
}

impl Outcome {
    fn of(outcome: Result<Response<Bytes>, TransportError>, limit: usize) -> Self {
        match outcome {
            Ok(response) => {
                let complete = response.extensions().get::<Incomplete>().is_none();
                let (parts, body) = response.into_parts();
                let size: usize = parts
                    .headers
                    .iter()
                    .map(|(name, value)| name.as_str().len() + value.len())
                    .sum();
                assert!(size <= MOST_BYTES && parts.headers.len() <= MOST_LINES, "W40: {parts:?}");
                assert!(body.len() <= limit.saturating_add(1), "W38: {} bytes", body.len());
                Self::Answer {
                    version: parts.version,
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body,
                    complete,
                }
            }
            Err(error) => {
                check_error(&error, &[SECRET]);
                assert!(error.may_have_been_sent(), "W40: bytes of it were handed out");
                let shown = format!("{error:#}");
                assert!(is_clean(&shown), "W33: {shown:?}");
                Self::Failed { kind: error.kind(), sent: error.may_have_been_sent(), shown }
            }
        }
    }
}

/// Calls an exchange in any order: each byte is a call, and those behind a [`read`](Exchange::read)
/// are what is read.
///
/// # Panics
///
/// If a call panics, if there is not one outcome in the end, or if something is wanted after it.
pub fn check_any_order(mut calls: &[u8]) {
    let mut exchange = Exchange::new(&REQUEST, 100, Deadlines::new(), *START);
    let (mut now, mut handed_out, mut outcomes) = (*START, false, 0);
    while let Some((&call, rest)) = calls.split_first() {
        calls = rest;
        let (call, number) = (call % 16, usize::from(call / 16));
        match call {
            0 => exchange.connected(now),
            1 | 2 => exchange.wrote(number * number),
            3 | 4 => handed_out |= !exchange.to_write().is_empty(),
            5 => exchange.read(now, &[]),
            6 => exchange.read_failed(ErrorKind::ConnectionReset.into()),
            7 => exchange.write_failed(ErrorKind::BrokenPipe.into()),
            8 => exchange.failed(TransportError::connect("gives up")),
            9 => exchange.read_failed(ErrorKind::WouldBlock.into()),
            10 => {
                now += Duration::from_secs(number as u64);
                exchange.handle_timeout(now);
            }
            _ => {
                let (piece, rest) = calls.split_at(calls.len().min(number * 4));
                calls = rest;
                exchange.read(now, piece);
            }
        }
        outcomes += check_outcome(&mut exchange, handed_out);
        let over = outcomes > 0;
        let wants = exchange.wants_read() || !exchange.to_write().is_empty();
        handed_out |= !exchange.to_write().is_empty();
        assert!(!over || (!wants && exchange.timeout().is_none()), "it goes on after its outcome");
    }
    exchange.handle_timeout(*START + Deadlines::new().total);
    outcomes += check_outcome(&mut exchange, handed_out);
    assert_eq!(outcomes, 1, "there is one outcome");
}

fn check_outcome(exchange: &mut Exchange, handed_out: bool) -> usize {
    let outcome = exchange.take_outcome();
    if let Some(Err(error)) = &outcome {
        assert_eq!(error.may_have_been_sent(), handed_out, "W40: {error:#}");
    }
    usize::from(outcome.is_some())
}
