//! What stands before the server, and works the faults.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::arrivals::{Arrivals, Arrived, key};
use super::fault::{Fault, Plan, Route};

/// A pause after a failed accept, which most often means that there is no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Listens for as long as it is there.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: SocketAddr,
    pub(super) desk: Arc<Desk>,
    runtime: Option<Runtime>,
}

/// Where requests are answered.
#[derive(Debug)]
pub(super) struct Desk {
    server: usage_ureq::Client,
    url: String,
    pub(super) plan: Plan,
    pub(super) arrivals: Arrivals,
    /// One after the other, so that the rows of the server are in the order of the keys.
    turn: Mutex<()>,
}

impl Front {
    /// `server` leads to where the server listens, at `url`.
    pub(super) fn start(server: usage_ureq::Client, url: String) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("usage-test-api")
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _context = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (plan, arrivals) = (Plan::default(), Arrivals::default());
        let desk = Arc::new(Desk { server, url, plan, arrivals, turn: Mutex::new(()) });
        runtime.spawn(accept(listener, Arc::clone(&desk)));
        Ok(Self { address, desk, runtime: Some(runtime) })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not even in an async test does this wait.
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let service = service_fn(|request| Arc::clone(&desk).answer(request));
            // A connection that is cut is an error here, and no news.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Desk {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, BoxError> {
        let (parts, body) = request.into_parts();
        let route = Route::of(parts.uri.path());
        let body = body.collect().await?.to_bytes();
        let fault = self.plan.next(route);
        let mut arrived =
            Arrived { route, key: key(&parts.headers), body: body.clone(), status: None };
        let answer = match fault {
            Some(Fault::Cut) => None,
            Some(Fault::Status(status)) => Some(refuse(status, None)),
            Some(Fault::Pause(pause)) => Some(refuse(StatusCode::SERVICE_UNAVAILABLE, Some(pause))),
            Some(Fault::CutAfterStoring) => {
                self.forward(route, parts, body).await?;
                None
            }
            Some(Fault::HalfBody) => {
                Some(self.forward(route, parts, body).await?.map(|body| Answer::half(&body)))
            }
            None => Some(self.forward(route, parts, body).await?.map(Answer::whole)),
        };
        arrived.status = answer.as_ref().map(Response::status);
        self.arrivals.arrived(arrived);
        answer.ok_or_else(|| Cut.into())
    }

    /// What the server answers.
    async fn forward(
        self: &Arc<Self>,
        route: Option<Route>,
        parts: http::request::Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, BoxError> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder()
            .method(parts.method)
            .uri(format!("{}{path}", self.url))
            .body(body)?;
        *request.headers_mut() = end_to_end(&parts.headers);
        let _turn = self.turn.lock().await;
        let desk = Arc::clone(self);
        let response = spawn_blocking(move || desk.server.execute(request)).await??;
        if let Some(route) = route
            && response.status().is_success()
        {
            self.arrivals.stored(route, &parts.headers);
        }
        let (mut parts, body) = response.into_parts();
        parts.headers = end_to_end(&parts.headers);
        Ok(Response::from_parts(parts, body))
    }
}

/// What is not about this connection alone.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [CONNECTION, CONTENT_LENGTH, HOST] {
        headers.remove(name);
    }
    headers
}

fn refuse(status: StatusCode, pause: Option<Duration>) -> Response<Answer> {
    let body = Bytes::from_static(br#"{"error":"a fault that a test asked for"}"#);
    let mut response = Response::new(Answer::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    if let Some(pause) = pause {
        headers.insert(RETRY_AFTER, pause.as_secs().into());
    }
    response
}

/// The body of an answer, or half of it.
#[derive(Debug)]
struct Answer {
    data: Option<Bytes>,
    /// What was promised.
    length: u64,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Whole,
    /// Breaks off, once what came before has left.
    Half,
    Cut,
}

impl Answer {
    fn whole(data: Bytes) -> Self {
        Self { length: data.len() as u64, data: Some(data), end: End::Whole }
    }

    fn half(data: &Bytes) -> Self {
        let length = data.len().max(1);
        Self { length: length as u64, data: Some(data.slice(..length / 2)), end: End::Half }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Half => {
                // hyper writes what it has when there is no more for now.
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Whole) && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// Ends a connection.
#[derive(Debug, thiserror::Error)]
#[error("a test wants this connection to be cut")]
struct Cut;
