//! A client over a service of the application's own.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Ready, pending, ready};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use http_body::{Body, Frame};
use http_body_util::Full;
use hyper::rt::{Sleep, Timer};
use testkit::outcome::{Outcome, Refusal, refused, unexpected};
use testkit::samples::{CREATED, TOKEN, api, usage};
use testkit::scripted::{Nobody, Script, ScriptedServer};
use tower::{Service, ServiceBuilder, service_fn};
use usage_hyper::Client;
use usage_hyper::hyper_util::client::legacy;
use usage_hyper::hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
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
    Client::with_service(api(URL), Deadlines::new(), service, TokioTimer::new())
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
async fn a_service_need_not_be_send() {
    let status = Rc::new(StatusCode::UNAUTHORIZED);
    let client = over(service_fn(move |_: Request<Full<Bytes>>| {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = *status;
        ready(Ok::<_, Infallible>(response))
    }));
    let outcome = Outcome::of(&client.save(&usage()).await);
    assert_eq!(outcome, refused(401, unexpected("")));
}

#[tokio::test]
async fn a_tower_stack_around_a_client_of_hyper_util() {
    let server = ScriptedServer::answering(CREATED);
    let http = legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let stack = ServiceBuilder::new()
        .concurrency_limit(1)
        .map_request(|mut request: Request<Full<Bytes>>| {
            request.headers_mut().insert("x-added", "1".parse().unwrap());
            request
        })
        .service(http);
    let api = api(&server.url());
    let client = Client::with_service(api, Deadlines::new(), stack, TokioTimer::new());
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
) -> impl Service<Request<Full<Bytes>>, Response = Response<Frames>, Error = Infallible> + Clone {
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
    let over =
        |service| Client::with_service(api.clone(), Deadlines::new(), service, TokioTimer::new());
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
async fn w41_the_total_deadline_goes_by_the_injected_timer() {
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

/// A timer without a runtime, whose time passes at once; it remembers what it was asked for.
#[derive(Clone, Default)]
struct Impatient(Arc<Mutex<Vec<Duration>>>);

struct Passed;

impl Timer for Impatient {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.0.lock().unwrap().push(duration);
        Box::pin(Passed)
    }

    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        unreachable!("not asked for")
    }
}

impl Sleep for Passed {}

impl Future for Passed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[test]
fn w41_waiting_for_a_service_to_be_ready_counts_and_needs_no_tokio() {
    let timer = Impatient::default();
    let client = Client::with_service(api(URL), Deadlines::new(), Busy, timer.clone());
    let save = std::pin::pin!(client.save(&usage()));
    let mut context = Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(result) = save.poll(&mut context) else { panic!("it waits") };
    expect(&unanswered(result), Timeout, true, true);
    assert_eq!(*timer.0.lock().unwrap(), [Deadlines::new().total]);
}

#[tokio::test]
async fn w41_a_deadline_of_ages_overflows_no_timer() {
    let timer = Impatient::default();
    let deadlines = Deadlines::new().total(Duration::MAX);
    let client = Client::with_service(api(URL), deadlines, Busy, timer.clone());
    unanswered(client.save(&usage()).await);
    let [asked] = timer.0.lock().unwrap()[..] else { panic!("asked once") };
    assert!(Instant::now().checked_add(asked).is_some());
}

/// An error with something behind it.
#[derive(Debug, thiserror::Error)]
#[error("the service gave up")]
struct GaveUp(#[source] Box<dyn StdError + Send + Sync>);

async fn failing<E>(error: impl Fn() -> E + Clone) -> TransportError
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let client = over(service_fn(move |_| ready(Err::<Response<Full<Bytes>>, E>(error()))));
    let error = unanswered(client.save(&usage()).await);
    assert!(error.to_string().contains(URL), "{error}");
    error
}

#[tokio::test]
async fn w40_an_error_of_any_service_is_sorted_by_what_is_behind_it() {
    for (kind, expected, sent) in [
        (ErrorKind::ConnectionRefused, Connect, false),
        (ErrorKind::ConnectionReset, Interrupted, true),
        (ErrorKind::BrokenPipe, Interrupted, true),
        (ErrorKind::UnexpectedEof, Interrupted, true),
        (ErrorKind::TimedOut, Timeout, true),
        (ErrorKind::PermissionDenied, Other, true),
    ] {
        expect(&failing(move || io::Error::from(kind)).await, expected, sent, true);
        let behind = move || GaveUp(io::Error::other(io::Error::from(kind)).into());
        expect(&failing(behind).await, expected, sent, true);
    }
    expect(&failing(|| "no reason").await, Other, true, true);
}

#[tokio::test]
async fn w40_a_service_may_know_best() {
    let error = failing(|| TransportError::protocol("nonsense").not_retryable()).await;
    expect(&error, Protocol, true, false);
}

#[tokio::test(start_paused = true)]
async fn w40_a_deadline_of_tokios_is_a_timeout() {
    let late = || async {
        let error = tokio::time::timeout(Duration::ZERO, pending::<()>()).await.unwrap_err();
        Err::<Response<Full<Bytes>>, _>(GaveUp(error.into()))
    };
    let error = over(service_fn(move |_| late())).save(&usage()).await;
    expect(&unanswered(error), Timeout, true, true);
}

#[tokio::test]
async fn w40_errors_of_hyper_util_are_sorted_behind_any_layer() {
    let nobody = Nobody::new();
    let closes = ScriptedServer::start([Script::answer("")]);
    let nonsense = ScriptedServer::start([Script::answer("nonsense\r\n\r\n")]);
    for (url, kind, sent) in [
        (format!("http://{}", nobody.address()), Connect, false),
        (closes.url(), Interrupted, true),
        (nonsense.url(), Protocol, true),
    ] {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let stack = ServiceBuilder::new()
            .map_err(|error: legacy::Error| GaveUp(error.into()))
            .service(http);
        let client = Client::with_service(api(&url), Deadlines::new(), stack, TokioTimer::new());
        expect(&unanswered(client.save(&usage()).await), kind, sent, true);
    }
}

/// The kind of a client of hyper-util whose connector fails with this error.
async fn unconnected(error: fn() -> io::Error) -> TransportError {
    let connector =
        service_fn(move |_: Uri| ready(Err::<TokioIo<tokio::net::TcpStream>, _>(error())));
    let http = legacy::Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    unanswered(over(http).save(&usage()).await)
}

#[tokio::test]
async fn w40_errors_of_another_connector_are_told_apart() {
    expect(&unconnected(|| ErrorKind::PermissionDenied.into()).await, Connect, false, true);
    expect(&unconnected(|| ErrorKind::TimedOut.into()).await, Timeout, false, true);
    let tls = TransportErrorKind::Tls;
    expect(&unconnected(|| ErrorKind::UnexpectedEof.into()).await, tls, false, true);

    #[cfg(feature = "tls")]
    {
        use rustls::{CertificateError, Error as TlsError};

        let untrusted =
            || io::Error::other(TlsError::InvalidCertificate(CertificateError::UnknownIssuer));
        expect(&unconnected(untrusted).await, tls, false, false);
        let alert = || io::Error::other(TlsError::HandshakeNotComplete);
        expect(&unconnected(alert).await, tls, false, true);
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
