//! A server on loopback that waits for one redirect, and does no harm with anything else.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::header::HOST;
use http::{Method, Request};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;
use usage_proto::{Registration, Token};

use super::callback_page::{self, Page};

/// How many connections are served at once. A browser opens a few.
const CONNECTIONS: usize = 8;

/// How long a connection may take, and how long the browser has to fetch its last page.
const LIMIT: Duration = Duration::from_secs(2);

/// The largest request, in bytes. hyper wants no less.
const LARGEST: usize = 8 << 10;

/// What stands in front of the state in the path that is waited for.
pub(super) const CALLBACK: &str = "/callback";

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
    /// Whether the token that was found, here or elsewhere, is stored; `None` until there is one.
    kept: watch::Sender<Option<bool>>,
    /// The browser has its last page.
    shown: Notify,
}

impl Callback {
    /// Waits until [`finish`](Self::finish).
    pub(super) fn start(
        listener: TcpListener,
        registration: Registration,
        found: UnboundedSender<Token>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let path = registration.redirect_path().unwrap_or_default();
        let waiting = Arc::new(Waiting {
            registration,
            path,
            found,
            has_token: AtomicBool::new(false),
            kept: watch::Sender::new(None),
            shown: Notify::new(),
        });
        let (tell, listens) = mpsc::sync_channel(1);
        let served = Arc::clone(&waiting);
        let thread = thread::Builder::new().name("callback".to_owned()).spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener);
                let _ = tell.send(listener.as_ref().map(drop).map_err(io::Error::kind));
                if let Ok(listener) = listener {
                    serve(&listener, &served).await;
                }
            });
            runtime.shutdown_background();
        })?;
        listens.recv().map_err(io::Error::other)??;
        Ok(Self { waiting, thread })
    }

    /// Tells the browser whether the token was `kept`, and waits until it has its last page, or does
    /// not fetch it.
    pub(super) fn finish(self, kept: bool) {
        self.waiting.kept.send_replace(Some(kept));
        let _ = self.thread.join();
    }
}

/// Until it is known what became of the token, and the browser has been told so.
async fn serve(listener: &tokio::net::TcpListener, waiting: &Arc<Waiting>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let waiting = Arc::clone(waiting);
                    tokio::spawn(async move {
                        let _ = timeout(LIMIT, serve_connection(stream, waiting)).await;
                        drop(place);
                    });
                }
                // There are no descriptors left for a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let told = async {
        waiting.is_kept().await;
        if waiting.has_token.load(Ordering::Relaxed) {
            let _ = timeout(LIMIT, waiting.shown.notified()).await;
        }
    };
    tokio::select! {
        () = accept => {}
        () = told => {}
    }
}

async fn serve_connection(stream: TcpStream, waiting: Arc<Waiting>) {
    let shows_the_end = AtomicBool::new(false);
    let service = service_fn(|request| {
        let (waiting, shows_the_end) = (&waiting, &shows_the_end);
        async move {
            let (page, is_last) = waiting.answer(&request).await;
            shows_the_end.store(is_last, Ordering::Relaxed);
            Ok::<_, Infallible>(page)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(LIMIT)
        .max_buf_size(LARGEST)
        .keep_alive(false);
    // Whoever is at the other end may be anybody: what goes wrong is theirs.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
    // Not before all of it is written: what serves goes away then.
    if shows_the_end.load(Ordering::Relaxed) {
        waiting.shown.notify_one();
    }
}

impl Waiting {
    /// The answer, and whether it is the last one.
    async fn answer<B>(&self, request: &Request<B>) -> (Page, bool) {
        let path = request.uri().path();
        // A page elsewhere can have a name of its own lead here, but not change what it is called.
        if request.uri().authority().is_some() || !is_for_loopback(request) {
            return (callback_page::not_found(), false);
        }
        let is_last = path == DONE && self.has_token.load(Ordering::Relaxed);
        if request.method() != Method::GET {
            let is_there =
                is_last || path.strip_prefix(CALLBACK).is_some_and(|rest| rest.starts_with('/'));
            let refuse =
                if is_there { callback_page::not_allowed } else { callback_page::not_found };
            return (refuse(), false);
        }
        if is_last {
            let kept = self.is_kept().await;
            let page = if kept { callback_page::registered() } else { callback_page::not_kept() };
            return (page, true);
        }
        (self.redirect(request), false)
    }

    /// What came is the redirect, or nothing at all.
    fn redirect<B>(&self, request: &Request<B>) -> Page {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        // The state is compared in a time that tells nothing of it, so it comes first.
        match self.registration.parse_redirect(target) {
            Ok(token)
                if request.uri().path() == self.path
                    && !self.has_token.swap(true, Ordering::Relaxed) =>
            {
                let _ = self.found.send(token);
                callback_page::see_other(DONE)
            }
            _ => callback_page::not_found(),
        }
    }

    /// Waits until it is known whether the token is stored.
    async fn is_kept(&self) -> bool {
        let mut kept = self.kept.subscribe();
        // The sender is `self`.
        kept.wait_for(Option::is_some).await.is_ok_and(|kept| *kept == Some(true))
    }
}

fn is_for_loopback<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = host.to_str().unwrap_or_default();
    // A forwarded port may have another number at the other end.
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}
