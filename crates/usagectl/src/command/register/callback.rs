//! A server on loopback that waits for one redirect, and does no harm with anything else.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, REFERRER_POLICY,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use usage_proto::{Registration, Token};

/// How many connections are served at once. A browser opens a few.
const CONNECTIONS: usize = 8;

/// How long a connection may take, and how long the browser has to fetch its last page.
const LIMIT: Duration = Duration::from_secs(2);

/// The largest request, in bytes. hyper wants no less.
const LARGEST: usize = 8 << 10;

/// Where the browser goes once it has brought the token: an address without the token in it.
const DONE: &str = "/registered";

/// The server, on a thread of its own.
pub(super) struct Callback {
    waiting: Arc<Waiting>,
    thread: JoinHandle<()>,
}

struct Waiting {
    registration: Registration,
    path: String,
    found: UnboundedSender<Token>,
    /// A browser has brought it.
    has_token: AtomicBool,
    /// Nobody waits for a token any more.
    finish: Notify,
    /// The browser has its last page.
    shown: Notify,
}

impl Callback {
    /// Waits for `patience` at most. Then `found` is closed.
    pub(super) fn start(
        listener: TcpListener,
        registration: Registration,
        found: UnboundedSender<Token>,
        patience: Duration,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let path = registration.redirect_path().unwrap_or_default();
        let waiting = Arc::new(Waiting {
            registration,
            path,
            found,
            has_token: AtomicBool::new(false),
            finish: Notify::new(),
            shown: Notify::new(),
        });
        let (tell, listens) = mpsc::sync_channel(1);
        let served = Arc::clone(&waiting);
        let thread = thread::Builder::new().name("callback".to_owned()).spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener);
                let _ = tell.send(listener.as_ref().map(drop).map_err(io::Error::kind));
                let Ok(listener) = listener else { return };
                // Whoever waits for the token is told in the end that none came.
                let _ = timeout(patience, serve(&listener, &served)).await;
            });
            runtime.shutdown_background();
        })?;
        listens.recv().map_err(io::Error::other)??;
        Ok(Self { waiting, thread })
    }

    /// Waits until the browser has its last page, or does not fetch it.
    pub(super) fn finish(self) {
        self.waiting.finish.notify_one();
        let _ = self.thread.join();
    }
}

/// Until the token has come, and the browser has been told so.
async fn serve(listener: &tokio::net::TcpListener, waiting: &Arc<Waiting>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let waiting = Arc::clone(waiting);
                    tokio::spawn(async move {
                        let _ = timeout(LIMIT, answer_on(stream, waiting)).await;
                        drop(place);
                    });
                }
                // There are no descriptors left for a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    // Somebody has the token, from here or from elsewhere.
    let told = async {
        waiting.finish.notified().await;
        if waiting.has_token.load(Ordering::Relaxed) {
            let _ = timeout(LIMIT, waiting.shown.notified()).await;
        }
    };
    tokio::select! {
        () = accept => {}
        () = told => {}
    }
}

async fn answer_on(stream: TcpStream, waiting: Arc<Waiting>) {
    let service = service_fn(move |request| {
        let answer = waiting.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(LIMIT)
        .max_buf_size(LARGEST)
        .keep_alive(false);
    // Whoever is at the other end may be anybody: what goes wrong is theirs.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

impl Waiting {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let has_token = self.has_token.load(Ordering::Relaxed);
        let known = path == self.path || (path == DONE && has_token);
        if request.method() != Method::GET {
            return if known { not_allowed() } else { not_found() };
        }
        // A page elsewhere can have a name of its own lead here, but not change what it is called.
        if !known || !is_for_loopback(request) {
            return not_found();
        }
        if path == DONE {
            self.shown.notify_one();
            return page(
                StatusCode::OK,
                "Registered",
                "The token has arrived. You may close this page.",
            );
        }
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        match self.registration.parse_redirect(target) {
            Ok(token) if !self.has_token.swap(true, Ordering::Relaxed) => {
                let _ = self.found.send(token);
                let mut answer =
                    page(StatusCode::SEE_OTHER, "Registered", "The token has arrived.");
                answer.headers_mut().insert(LOCATION, HeaderValue::from_static(DONE));
                answer
            }
            _ => not_found(),
        }
    }
}

fn is_for_loopback<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

fn not_found() -> Response<Full<Bytes>> {
    page(StatusCode::NOT_FOUND, "Not found", "There is nothing here.")
}

fn not_allowed() -> Response<Full<Bytes>> {
    let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "Not allowed", "Only GET is taken here.");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    answer
}

/// A short page. Nothing of a request is in it.
fn page(status: StatusCode, title: &str, words: &str) -> Response<Full<Bytes>> {
    let text = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <h1>{title}</h1><p>{words}</p></html>\n"
    );
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
