//! A client over a service of the application's own.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Ready, pending, ready};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use testkit::outcome::{Outcome, Refusal, refused};
use testkit::samples::{CREATED, TOKEN, api, usage};
use testkit::scripted::{Nobody, Script, ScriptedServer};
use tower::{Service, ServiceBuilder, service_fn};
use usage_hyper::Client;
use usage_proto::TransportErrorKind::{Connect, Interrupted, Other, Protocol, Timeout};
use usage_proto::{Api, Deadlines, Error, TransportError, TransportErrorKind};

use crate::unanswered;

/// Compares what an error says about itself.
#[track_caller]
fn expect(error: &TransportError, kind: TransportErrorKind, sent: bool, retryable: bool) {
    let found = (error.kind(), error.may_have_been_sent(), error.is_retryable());
    assert_eq!(found, (kind, sent, retryable), "{error:?}");
}

const URL: &str = "http://127.0.0.1:1";

fn over<S>(service: S) -> Client<S> {
    Client::with_service(api(URL), Deadlines::new(), service)
}

/// The smallest service: it remembers that it was made ready, and answers at once.
#[derive(Clone, Default)]
struct Echo {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Service<Request<Full<Bytes>>> for Echo {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.ready, "called before it was ready");
        assert_eq!(request.headers()["x-authorization"], TOKEN);
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(request.into_body())))
    }
}

#[tokio::test]
async fn the_smallest_service_will_do() {
    fn shared<T: Clone + Send + Sync>(_: &T) {}
    let service = Echo::default();
    let client = over(service.clone());
    shared(&client);
    let sent = client.api().build_request(&usage()).unwrap().into_body();
    for _ in 0..3 {
        assert_eq!(*client.clone().save(&usage()).await.unwrap().body(), sent);
    }
    assert_eq!(service.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_tower_stack_around_the_ready_made_service() {
    let server = ScriptedServer::answering(CREATED);
    let client = crate::client(&server.url()).map_service(|service| {
        ServiceBuilder::new()
            .concurrency_limit(1)
            .map_request(|mut request: Request<Full<Bytes>>| {
                request.headers_mut().insert("x-added", "1".parse().unwrap());
                request
            })
            .service(service)
    });
    let (one, other) = (client.clone(), client);
    let (one, other) = tokio::join!(one.save(&usage()), other.save(&usage()));
    assert_eq!(
        (one.unwrap().status(), other.unwrap().status()),
        (201.try_into().unwrap(), 201.try_into().unwrap())
    );
    assert_eq!(server.connections(), 1);
    for request in server.received() {
        assert!(request.head.contains("\r\nx-added: 1\r\n"));
    }
}

/// A body that gives these frames, and then hangs.
struct Frames(VecDeque<Result<Frame<Bytes>, &'static str>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.0.pop_front().map_or(Poll::Pending, |frame| Poll::Ready(Some(frame)))
    }
}

/// Answers with this status and these frames.
fn answering<const N: usize>(
    status: u16,
    frames: [Result<&'static str, &'static str>; N],
) -> impl Service<Request<Full<Bytes>>, Response = Response<Frames>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    service_fn(move |_| {
        let frames = frames.map(|frame| frame.map(|data| Frame::data(Bytes::from(data))));
        let mut response = Response::new(Frames(frames.into()));
        *response.status_mut() = status.try_into().unwrap();
        ready(Ok(response))
    })
}

#[tokio::test(start_paused = true)]
async fn w38_the_limit_holds_over_the_frames_of_any_body() {
    let api = api(URL).with_response_limit(5);
    let over = |service| Client::with_service(api.clone(), Deadlines::new(), service);
    // It hangs after six bytes, which nobody asks for.
    let started = tokio::time::Instant::now();
    let client = over(answering(200, [Ok("123"), Ok(""), Ok("456789")]));
    let request = client.api().build_request(&usage()).unwrap();
    assert_eq!(client.execute(request).await.unwrap().body(), "123456");
    let saved = client.save(&usage()).await.unwrap();
    assert_eq!((&saved.body()[..], saved.is_complete()), (&b"12345"[..], false));
    let error = over(answering(500, [Ok("123"), Ok(""), Ok("456789")])).save(&usage()).await;
    assert_eq!(Outcome::of(&error), refused(500, Refusal::TooLarge { limit: 5 }));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn w40_a_head_that_is_too_large_is_protocol_over_any_service() {
    for (lines, length) in [(1, 70_000), (101, 1)] {
        let value = http::HeaderValue::try_from("x".repeat(length)).unwrap();
        let client = over(service_fn(move |_: Request<Full<Bytes>>| {
            let mut response = Response::new(Full::new(Bytes::new()));
            for _ in 0..lines {
                response.headers_mut().append("x", value.clone());
            }
            ready(Ok::<_, Infallible>(response))
        }));
        expect(&unanswered(client.save(&usage()).await), Protocol, true, true);
    }
}

#[tokio::test(start_paused = true)]
async fn w46_a_body_that_breaks_off_does_not_undo_the_answer() {
    for frames in [[Ok("{"), Err("broken")], [Ok("{"), Ok("")]] {
        let saved = over(answering(201, frames)).save(&usage()).await.unwrap();
        assert_eq!((&saved.body()[..], saved.is_complete()), (&b"{"[..], false));
    }
}

#[tokio::test(start_paused = true)]
async fn w41_the_total_deadline_holds_over_any_service() {
    let started = tokio::time::Instant::now();
    let silent = over(service_fn(|_| pending::<Result<Response<Full<Bytes>>, Infallible>>()));
    expect(&unanswered(silent.save(&usage()).await), Timeout, true, true);
    assert_eq!(started.elapsed(), Duration::from_secs(60));
}

/// A service that is never ready.
#[derive(Clone)]
struct Busy;

impl Service<Request<Full<Bytes>>> for Busy {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        unreachable!("never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn w41_waiting_for_a_service_to_be_ready_counts() {
    let started = tokio::time::Instant::now();
    expect(&unanswered(over(Busy).save(&usage()).await), Timeout, true, true);
    assert_eq!(started.elapsed(), Duration::from_secs(60));
}

/// An error with something behind it.
#[derive(Debug, thiserror::Error)]
#[error("the service gave up")]
struct GaveUp(#[source] Box<dyn StdError + Send + Sync>);

async fn failing<E>(error: impl Fn() -> E + Clone + Send + 'static) -> TransportError
where
    E: Into<Box<dyn StdError + Send + Sync>> + Send + 'static,
{
    let client = over(service_fn(move |_| ready(Err::<Response<Full<Bytes>>, E>(error()))));
    let error = unanswered(client.save(&usage()).await);
    assert!(error.to_string().contains(URL), "{error}");
    error
}

/// Nobody knows how far a request came in a service that does not say so.
#[tokio::test]
async fn w40_an_error_of_another_service_is_other_and_counts_as_sent() {
    expect(&failing(|| "no reason").await, Other, true, true);
    for kind in [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::TimedOut] {
        expect(&failing(move || io::Error::from(kind)).await, Other, true, true);
    }
}

#[tokio::test]
async fn w40_a_service_may_know_best() {
    let error = failing(|| TransportError::protocol("nonsense").not_retryable()).await;
    expect(&error, Protocol, true, false);
}

/// A layer may put its own error around the one that knows.
#[tokio::test]
async fn w40_what_the_ready_made_service_knows_comes_through_any_layer() {
    let nobody = Nobody::new();
    let closes = ScriptedServer::start([Script::answer("")]);
    let nonsense = ScriptedServer::start([Script::answer("nonsense\r\n\r\n")]);
    for (url, kind, sent) in [
        (format!("http://{}", nobody.address()), Connect, false),
        (closes.url(), Interrupted, true),
        (nonsense.url(), Protocol, true),
    ] {
        let client = crate::client(&url).map_service(|service| {
            ServiceBuilder::new()
                .map_err(|error: TransportError| GaveUp(error.into()))
                .service(service)
        });
        expect(&unanswered(client.save(&usage()).await), kind, sent, true);
    }
}

#[tokio::test]
async fn a_payload_that_cannot_be_built_reaches_no_service() {
    let service = Echo::default();
    let client = over(service.clone());
    let error = client.save(&usage_proto::Usage::new("..")).await.unwrap_err();
    assert!(matches!(error, Error::Build(_)), "{error:?}");
    assert_eq!(service.calls.load(Ordering::SeqCst), 0);
    let _: &Api = client.api();
}
