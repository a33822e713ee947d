//! The connections of a client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering::SeqCst};
use std::time::{Duration, Instant};
use std::{collections::VecDeque, io::ErrorKind::WouldBlock, mem::MaybeUninit, net::Shutdown};

use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Uri, body::Bytes};
use socket2::Socket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::{runtime::Id, task::JoinSet, time::timeout};
use usage_proto::{Collector, Deadlines, Proxy, TransportError};

use crate::wire::{Watch, Wire};

/// The runtime that a connection belongs to, and the other end: `http://host:port/`.
pub(crate) type Target = (Id, Uri);

/// What the clones of a client share: its settings, connections that are idle, and room for more.
///
/// A request waits for its turn, of which there are as many as connections. A connection has a place
/// for as long as it is open.
pub(crate) struct Pool {
    pub(crate) proxy: Option<Proxy>,
    #[cfg(feature = "tls")]
    pub(crate) tls: crate::tls::Tls,
    pub(crate) deadlines: Deadlines,
    /// The size of the largest body of an answer.
    pub(crate) limit: usize,
    pub(crate) turns: Semaphore,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) idle: Mutex<VecDeque<Line>>,
    pub(crate) idle_timeout: Duration,
}

/// A connection. It is closed when this is dropped.
pub(crate) struct Line {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    pub(crate) watch: Arc<Watch>,
    /// A second handle of it: the first one is hyper's.
    socket: Socket,
    target: Target,
    /// When it was given back; `None` if it is new.
    pub(crate) since: Option<Instant>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// The idle connection to `target` that was used last, or else a new one.
    pub(crate) async fn line(self: &Arc<Self>, target: &Target) -> Result<Line, TransportError> {
        if let Some(mut line) = self.take(target)
            && line.sender.ready().await.is_ok()
        {
            return Ok(line);
        }
        let mut place = Arc::clone(&self.places).try_acquire_owned().ok();
        if place.is_none() {
            // There are as many places as turns: one that has none is idle.
            drop(self.idle().pop_front());
            place = Arc::clone(&self.places).acquire_owned().await.ok();
        }
        let mut connecting = JoinSet::new();
        connecting.spawn(Arc::clone(self).connect(target.1.clone()));
        // It is by a panic alone that tokio tells of a runtime without its IO driver.
        let connected = connecting.join_next().await.and_then(Result::ok);
        let (stream, socket) = connected.ok_or_else(TransportError::no_runtime)??;
        let watch = Arc::<Watch>::default();
        let wire = Wire { stream, watch: Arc::clone(&watch), gone: false };
        // So that the collector is the one to say what is too large.
        let connection = Builder::new().max_buf_size(Collector::HEAD_ROOM).handshake(wire).await;
        let (sender, driver) = connection.map_err(TransportError::connect)?;
        tokio::spawn(drive(driver, Arc::downgrade(self), self.idle_timeout));
        Ok(Line { sender, watch, socket, target: target.clone(), since: None, _place: place })
    }

    fn take(&self, target: &Target) -> Option<Line> {
        let mut idle = self.idle();
        let last = idle.iter().rposition(|line| line.target == *target)?;
        let line = idle.remove(last)?;
        // By the system, since the runtime may not have heard of it yet: on a connection that the
        // server has closed a request would be lost, and it would take what came for its answer.
        let there = line.socket.peek(&mut [MaybeUninit::uninit()]);
        line.watch.begun.store(false, SeqCst);
        line.watch.interim.store(0, SeqCst);
        there.is_err_and(|error| error.kind() == WouldBlock).then_some(line)
    }

    /// The idle connections without those whose time is over.
    pub(crate) fn idle(&self) -> MutexGuard<'_, VecDeque<Line>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_over = |since: Instant| now.duration_since(since) >= self.idle_timeout;
        idle.retain(|line| !line.sender.is_closed() && !line.since.is_some_and(is_over));
        idle
    }
}

impl Line {
    /// Ends the connection, and says whether nothing of the request has left. In this order: its
    /// driver may be about to write.
    pub(crate) fn closed_unsent(&self) -> bool {
        let _ = self.socket.shutdown(Shutdown::Both);
        !self.watch.begun.load(SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // From any thread, and whether or not its runtime is running: there is room for another.
        self.closed_unsent();
    }
}

/// Does the work of a connection, and closes those that were idle for long enough. What ends it is
/// told to the request that has it.
async fn drive(driver: impl Future, pool: Weak<Pool>, idle: Duration) {
    let mut driver = Box::pin(driver);
    let tidy = || pool.upgrade().map(|pool| drop(pool.idle()));
    while timeout(idle / 2 + Duration::from_millis(50), driver.as_mut()).await.is_err() {
        tidy();
    }
    drop(driver);
    tidy();
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::{Arc, atomic::Ordering::SeqCst};

    use hyper::client::conn::http1::handshake;
    use socket2::{SockRef, Socket};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::runtime::Handle;

    use super::{Line, Watch, Wire};

    /// A new connection, a handle of it such as its driver has, and the other end.
    async fn line() -> (Line, Socket, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
        let (other_end, _) = server.accept().await.unwrap();
        let [socket, of_driver] = [(); 2].map(|()| SockRef::from(&stream).try_clone().unwrap());
        let watch = Arc::<Watch>::default();
        let wire = Wire { stream: Box::new(stream), watch: Arc::clone(&watch), gone: false };
        let (sender, _) = handshake(wire).await.unwrap();
        let target = (Handle::current().id(), "http://127.0.0.1/".parse().unwrap());
        (Line { sender, watch, socket, target, since: None, _place: None }, of_driver, other_end)
    }

    /// Whoever hears that nothing has left sends the report again.
    #[tokio::test]
    async fn w40_nothing_leaves_once_it_is_told_as_not_sent() {
        let (line, mut of_driver, _other_end) = line().await;
        assert!(line.closed_unsent());
        of_driver.write_all(b"POST").unwrap_err();

        let (line, ..) = self::line().await;
        line.watch.begun.store(true, SeqCst);
        assert!(!line.closed_unsent());
    }
}
