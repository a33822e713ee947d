//! Sockets: accepting them, serving them, and closing them so that the last answer arrives.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use http::Request;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::peer_stream::{Accepting, Peer, PeerStream};
use crate::places::{Doing, Place, Places};
use crate::timed_stream::TimedStream;
use crate::{operator_routes, routes};

/// How much of a refused body is read and thrown away, and for how long.
const LINGER_BYTES: u64 = 16 * 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// The most that a connection holds of what arrived and was not looked at yet, and so the largest
/// head of a request.
const READ_BUFFER: usize = 64 * 1024;

/// A pause after a failed accept, which most often means that there is no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Prometheus and a load balancer or two.
const OPERATORS: usize = 32;

/// What the owner of the server wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Take no more requests, finish those in flight.
    Draining,
    /// Stop at once.
    Aborting,
}

/// Serves until told otherwise. Returns how many requests were in flight when the drain deadline
/// passed.
pub(crate) async fn serve(
    sockets: Accepting,
    app: &Arc<App>,
    mut phase: watch::Receiver<Phase>,
) -> usize {
    let config = &app.config;
    let server = Connections {
        http: http(app),
        app: app.clone(),
        router: routes::router(app),
        places: Places::new(config.connections, config.connections_per_address),
        phase: phase.clone(),
        counted: true,
    };
    let mut connections = JoinSet::new();
    tokio::select! {
        () = server.accept(&sockets, &mut connections) => {}
        () = leaves(&mut phase, Phase::Running) => {}
    }
    app.stops();
    // Nobody finds an open door from here on.
    drop(sockets);
    let drained = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = drained => 0,
        () = sleep(app.config.drain_deadline) => app.in_flight(),
        () = leaves(&mut phase, Phase::Draining) => app.in_flight(),
    }
    // What is left of the connections is aborted with their set.
}

/// Serves the operator until this is dropped.
pub(crate) async fn serve_operator(sockets: Accepting, app: Arc<App>) {
    // It does not drain: what it tells is wanted most then.
    let (_running, phase) = watch::channel(Phase::Running);
    let server = Connections {
        http: http(&app),
        router: operator_routes::router(&app),
        app,
        places: Places::new(OPERATORS, Some(OPERATORS)),
        phase,
        counted: false,
    };
    server.accept(&sockets, &mut JoinSet::new()).await;
}

fn http(app: &App) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.config.head_deadline)
        .max_buf_size(READ_BUFFER);
    http
}

/// Returns when the phase is neither this nor one before it.
async fn leaves(phase: &mut watch::Receiver<Phase>, left: Phase) {
    // An error means that the owner is gone, which is an end too.
    let _ = phase.wait_for(|phase| *phase != Phase::Running && *phase != left).await;
}

struct Connections {
    http: http1::Builder,
    app: Arc<App>,
    router: Router,
    places: Arc<Places>,
    phase: watch::Receiver<Phase>,
    /// Whether the metrics speak of these connections.
    counted: bool,
}

impl Connections {
    async fn accept(&self, sockets: &Accepting, connections: &mut JoinSet<()>) {
        let meters = &self.app.meters;
        loop {
            let (stream, peer) = loop {
                match sockets.accept().await {
                    Ok(accepted) => break accepted,
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            };
            while connections.try_join_next().is_some() {}
            // Who gets no place is closed without a word: any answer would have to be awaited.
            let place = self.places.take(peer.address()).await;
            if self.counted {
                let counter = match place {
                    Some(_) => &meters.connections_accepted,
                    None => &meters.connections_refused,
                };
                counter.inc();
            }
            if let Some(place) = place {
                connections.spawn(self.connection(stream, peer, Arc::new(place)));
            }
        }
    }

    /// One connection, with as many requests as the client sends on it.
    fn connection(
        &self,
        stream: PeerStream,
        peer: Peer,
        place: Arc<Place>,
    ) -> impl Future<Output = ()> + use<> {
        let open = self.counted.then(|| Open::new(self.app.meters.connections.clone()));
        let router = TowerToHyperService::new(self.router.clone());
        let mut phase = self.phase.clone();
        let http = self.http.clone();
        let config = &self.app.config;
        let (first_byte, write) = (config.first_byte_deadline, config.write_deadline);
        async move {
            let _open = open;
            stream.prepare();
            let unread = Arc::new(AtomicBool::new(false));
            let service = service_fn(|mut request: Request<Incoming>| {
                let (router, unread, place) = (router.clone(), unread.clone(), place.clone());
                // Not before this is polled: with an answer that is not read in front of it, a
                // request is not looked at.
                Box::pin(async move {
                    place.is_for(Doing::Answer);
                    request.extensions_mut().insert(place.clone());
                    request.extensions_mut().insert(peer);
                    let response = router.call(request).await?;
                    // An answer closes the connection for one reason only: it was given before
                    // the request had been read to its end.
                    unread.store(response.headers().contains_key(CONNECTION), Ordering::Relaxed);
                    place.is_for(Doing::Head);
                    Ok::<_, Infallible>(response)
                })
            });
            let stream = TimedStream::new(stream, first_byte, write);
            let mut connection = http.serve_connection(TokioIo::new(stream), service);
            let mut draining = pin!(leaves(&mut phase, Phase::Running));
            let mut drains = false;
            let mut sent_away = pin!(place.sent_away());
            let served = poll_fn(|context| {
                if sent_away.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                if !drains && draining.as_mut().poll(context).is_ready() {
                    drains = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                connection.poll_without_shutdown(context).map(Some)
            })
            .await;
            let stream = connection.into_parts().io.into_inner();
            let gave_up = stream.gave_up();
            let stream = stream.into_inner();
            match served {
                Some(served) if !gave_up => {
                    let more_to_come = unread.load(Ordering::Relaxed) || served.is_err();
                    tokio::select! {
                        () = close(stream, more_to_come) => {}
                        () = sent_away => {}
                    }
                }
                _ => stream.abandon(),
            }
        }
    }
}

/// A connection that is counted while this lives.
struct Open(Gauge);

impl Open {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Closes a connection. Bytes that arrive for a closed socket make the kernel reset it, and a reset
/// can destroy an answer that the client has not read: where more is to come, it is read first.
async fn close(mut stream: PeerStream, more_to_come: bool) {
    let closed = stream.shutdown().await;
    if !more_to_come || closed.is_err() {
        return;
    }
    // The deadline is as good an end as any.
    let _ = timeout(LINGER_TIME, discard(&mut stream)).await;
}

/// Reads up to [`LINGER_BYTES`] and throws them away.
async fn discard(stream: &mut (impl AsyncRead + Unpin)) {
    // An end and an error are the same here: nothing more comes.
    let _ = copy(&mut stream.take(LINGER_BYTES), &mut sink()).await;
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, ReadBuf};

    use super::discard;

    /// Yields for ever, in pieces of a size that divides nothing, and counts.
    struct Endless {
        read: usize,
    }

    impl AsyncRead for Endless {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let piece = buffer.remaining().min(1447);
            buffer.initialize_unfilled_to(piece);
            buffer.advance(piece);
            self.read += piece;
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_is_read_of_a_refused_body_has_an_end() {
        let mut endless = Endless { read: 0 };
        discard(&mut endless).await;
        assert_eq!(endless.read, 16 * 1024 * 1024);
    }
}
