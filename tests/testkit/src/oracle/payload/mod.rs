//! Payloads: what goes in comes out, once, within the limit, and never with a `null` for NaN.

mod arbitrary;
mod model;
mod own;
#[cfg(feature = "proptest")]
mod strategy;

pub use model::{Call, Group, Input, NotFinite, Order, Tree};
pub use own::{Key, Own};
#[cfg(feature = "proptest")]
pub use strategy::{finite_calls, inputs};

use bytes::Bytes;
use http::{Method, Request};
use own::OwnPayload;
use usage_proto::oracles::{check_limit, check_payload, check_request};
use usage_proto::{Api, BaseUrl, BuildError, Payload};

use crate::json::Json;
use crate::uri::escape;

/// A base URL with a prefix, so that the path has something in front.
const BASE: &str = "https://usage.example.com/telemetry";

/// The longest URI that `http` can hold.
const LONGEST_URI: usize = 65_534;

/// How many levels `serde_json` reads.
const DEEPEST: usize = 127;

/// Builds the request and holds it against the rules W1, W9, W10, W11, W12 and W15.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(input: &Input) {
    let call = &input.call;
    let subject = Subject::of(call, Order::Given);
    let outcome = subject.request(usize::MAX);
    let path = match path(call) {
        Ok(path) => path,
        Err(position) => {
            let named = matches!(
                &outcome,
                Err(BuildError::Segment { position: found, .. }) if *found == position
            );
            assert!(named, "W1: segment {position} cannot stand in a URL, but: {outcome:?}");
            return;
        }
    };
    if path.len() > LONGEST_URI {
        let refused = matches!(outcome, Err(BuildError::UriTooLong { .. }));
        assert!(refused, "W1: a URI of {} bytes, but: {outcome:?}", path.len());
        return;
    }
    let expected = match call.body() {
        Ok(expected) => expected,
        Err(place) => {
            let named =
                matches!(&outcome, Err(BuildError::NotFinite { path, .. }) if *path == place);
            assert!(named, "W9: the number at `{place}` is not finite, but: {outcome:?}");
            return;
        }
    };
    let built = match outcome {
        Ok(built) => built,
        Err(error) => panic!("a payload that can be sent was refused: {error:?}"),
    };

    assert_eq!(built.method(), Method::POST);
    assert_eq!(built.uri().to_string(), path, "W1: each segment is one, and escaped");
    for (name, value) in [("content-type", "application/json"), ("accept-encoding", "identity")] {
        assert_eq!(built.headers()[name], value, "{name}");
    }
    check_body(built.body(), &expected);
    let reversed = Subject::of(call, Order::Reversed).request(usize::MAX).map(Request::into_body);
    assert_eq!(reversed.as_ref(), Ok(built.body()), "W11: built in another order");
    subject.check(built.body(), usize::from(input.limit) % (built.body().len() + 2));
}

/// W9, W10, W11, W12: the same values, the keys in their order, nothing lost.
fn check_body(body: &Bytes, expected: &Json) {
    if depth(expected) > DEEPEST {
        return;
    }
    match Json::parse(body) {
        Ok(json) => assert_eq!(&json, expected, "the body is {}", String::from_utf8_lossy(body)),
        Err(error) => panic!("the body is no JSON ({error}): {}", String::from_utf8_lossy(body)),
    }
}

/// What is handed to the core.
enum Subject<'a> {
    Payload(Payload),
    Own(OwnPayload<'a>),
}

impl<'a> Subject<'a> {
    fn of(call: &'a Call, order: Order) -> Self {
        match (call, call.payload(order)) {
            (_, Some(payload)) => Self::Payload(payload),
            (Call::Own { segments, body }, _) => Self::Own(OwnPayload { segments, body }),
            (call, None) => panic!("no payload: {call:?}"),
        }
    }

    /// W15, and the inverse: what the core's oracles hold any payload to.
    fn check(&self, body: &Bytes, limit: usize) {
        match self {
            Self::Payload(payload) => {
                check_payload(payload);
                match payload {
                    Payload::Server(server) => check_limit(server, body, limit),
                    Payload::Stats(stats) => check_limit(stats, body, limit),
                    Payload::Usage(usage) => check_limit(usage, body, limit),
                    Payload::Forget(forget) => check_limit(forget, body, limit),
                    other => panic!("a call that is not known here: {other:?}"),
                }
            }
            Self::Own(own) => {
                check_request(own);
                check_limit(own, body, limit);
            }
        }
    }

    fn request(&self, limit: usize) -> Result<Request<Bytes>, BuildError> {
        let api = Api::new(BaseUrl::new(BASE).unwrap()).with_request_limit(limit);
        match self {
            Self::Payload(Payload::Server(server)) => api.build_request(server),
            Self::Payload(Payload::Stats(stats)) => api.build_request(stats),
            Self::Payload(Payload::Usage(usage)) => api.build_request(usage),
            Self::Payload(Payload::Forget(forget)) => api.build_request(forget),
            Self::Payload(other) => panic!("a call that is not known here: {other:?}"),
            Self::Own(own) => api.build_request(own),
        }
    }
}

/// The whole URI, or which segment cannot stand in it.
fn path(call: &Call) -> Result<String, usize> {
    let mut path = format!("{BASE}/api/v1");
    for (index, segment) in call.segments().into_iter().enumerate() {
        if ["", ".", ".."].contains(&segment) {
            return Err(index + 1);
        }
        path.push('/');
        path.push_str(&escape(segment));
    }
    Ok(path)
}

fn depth(json: &Json) -> usize {
    match json {
        Json::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Json::Map(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
