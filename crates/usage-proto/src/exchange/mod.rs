//! One request out and one answer in, as bytes: HTTP/1.1 for an event loop of one's own.

mod chunked;
mod framing;
mod parse_head;
mod request_bytes;
mod transfer;

use std::time::Instant;
use std::{fmt, io, mem};

use bytes::Bytes;
use http::response::Parts;
use http::{Method, Request, Response, StatusCode, Uri};

use crate::collector::Collector;
use crate::deadlines::Deadlines;
use crate::error::TransportError;
use framing::{Framing, closes, keeps_alive};
use parse_head::HeadParser;

/// One request out and one answer in, over HTTP/1.1 and without IO: the caller owns the socket, the
/// clock and the loop.
///
/// It says what is to be [written](Self::to_write) and takes what was [read](Self::read), until
/// there is an [outcome](Self::take_outcome). No order of calls is wrong, and none panics. For a
/// non-blocking stream [`transfer`](Self::transfer) makes these calls.
///
/// - **Connect first.** The deadlines count from [`new`](Self::new). There is nothing to write until
///   [`connected`](Self::connected), which includes TLS and the way through a proxy: both are the
///   caller's, and what comes of them is told with [`failed`](Self::failed).
/// - **Time is an argument.** Whatever the other side may send without end is handed in together with the
///   time. What comes after a deadline does not count. [`timeout`](Self::timeout) says when to call
///   [`handle_timeout`](Self::handle_timeout).
/// - **It is bounded.** A head has at most 64 KiB and 100 lines, there are at most 100 interim
///   answers, and one byte more than the response limit is kept of a body. Where more comes, there
///   is an outcome. The time that an input takes grows with its length alone.
/// - **An answer before the request has left** counts. There is nothing more to write then.
///
/// It writes the request in origin form, as a server takes it. A `CONNECT` is not an exchange.
///
/// ```
/// use std::time::Instant;
/// use usage_proto::{Api, BaseUrl, Deadlines, Exchange, Usage};
///
/// # let mut answer = [&b"HTTP/1.1 200 OK\r\nContent-Le"[..], b"ngth: 2\r\n\r\n{}"].into_iter();
/// # let mut socket = (Vec::new(), || answer.next().unwrap_or_default());
/// let api = Api::new(BaseUrl::new("http://usage.example.com")?);
/// let request = api.build_request(&Usage::new("influxdb"))?;
/// let limit = api.response_limit();
/// let mut exchange = Exchange::new(&request, limit, Deadlines::new(), Instant::now());
///
/// // The socket has connected.
/// exchange.connected(Instant::now());
/// while !exchange.to_write().is_empty() {
///     let written = // socket.write(exchange.to_write())?;
///     # { socket.0.extend_from_slice(exchange.to_write()); socket.0.len() };
///     exchange.wrote(written);
/// }
/// while exchange.wants_read() {
///     let bytes = // socket.read(&mut buffer)?;
///     # socket.1();
///     exchange.read(Instant::now(), bytes);
/// }
/// let response = exchange.take_outcome().expect("nothing more is wanted")?;
/// assert_eq!(api.parse_response(response)?.body(), "{}");
/// assert!(exchange.is_reusable());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Exchange {
    uri: Uri,
    to_head: bool,
    response_limit: usize,
    deadlines: Deadlines,
    /// When they pass; `None` for one that is beyond what a clock can show.
    connect_by: Option<Instant>,
    total_by: Option<Instant>,
    output: Vec<u8>,
    written: usize,
    /// Whether bytes were handed out to be written. The caller may have written them when it has not
    /// said so yet.
    may_have_been_sent: bool,
    write_error: Option<io::Error>,
    phase: Phase,
    interim: usize,
    reusable: bool,
}

enum Phase {
    Connecting,
    Head(HeadParser),
    Body(Collector, Framing),
    /// The outcome, until it is taken.
    Over(Option<Result<Response<Bytes>, TransportError>>),
}

/// # Construct
impl Exchange {
    /// Begins with `request`, for which a connection is to be made to the host of its URI.
    ///
    /// `Host` and `Content-Length` are added. `response_limit` is the size of the largest body of an
    /// answer, in bytes: [`Api::response_limit`](crate::Api::response_limit).
    #[must_use]
    pub fn new(
        request: &Request<Bytes>,
        response_limit: usize,
        deadlines: Deadlines,
        now: Instant,
    ) -> Self {
        let total_by = now.checked_add(deadlines.total);
        let connect_by = now.checked_add(deadlines.connect.min(deadlines.total));
        Self {
            uri: request.uri().clone(),
            to_head: request.method() == Method::HEAD,
            response_limit,
            deadlines,
            connect_by,
            total_by,
            output: request_bytes::encode(request),
            written: 0,
            may_have_been_sent: false,
            write_error: None,
            phase: Phase::Connecting,
            interim: 0,
            reusable: !closes(request.headers()),
        }
    }
}

/// # Input
impl Exchange {
    /// The connection is there, with TLS if the URI asks for it. One that an earlier exchange has
    /// left [reusable](Self::is_reusable) is there at once.
    pub fn connected(&mut self, now: Instant) {
        self.handle_timeout(now);
        if let Phase::Connecting = self.phase {
            self.phase = Phase::Head(HeadParser::default());
        }
    }

    /// So many bytes of [`to_write`](Self::to_write) were written.
    pub fn wrote(&mut self, count: usize) {
        if self.may_have_been_sent {
            self.written = self.written.saturating_add(count).min(self.output.len());
        }
    }

    /// Writing has failed. The other side may have answered before it closed the connection: read
    /// on, there is nothing more to write.
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) and [`Interrupted`](io::ErrorKind::Interrupted) are
    /// not failures and change nothing.
    pub fn write_failed(&mut self, error: io::Error) {
        match self.phase {
            _ if is_transient(&error) => {}
            Phase::Connecting => self.failed(TransportError::connect(error)),
            _ => {
                self.reusable = false;
                self.write_error.get_or_insert(error);
            }
        }
    }

    /// These bytes were read; none say that the other side has closed the connection, as with
    /// [`io::Read::read`].
    pub fn read(&mut self, now: Instant, mut bytes: &[u8]) {
        self.handle_timeout(now);
        if bytes.is_empty() {
            return self.closed();
        }
        if let Phase::Connecting = self.phase {
            // Where something comes from there is a connection.
            self.connected(now);
        }
        while !bytes.is_empty() && self.wants_read() {
            self.take(&mut bytes);
        }
        if !bytes.is_empty() {
            // What nobody asked for would be taken for the next answer.
            self.reusable = false;
        }
    }

    /// Reading has failed.
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) and [`Interrupted`](io::ErrorKind::Interrupted) are
    /// not failures and change nothing.
    pub fn read_failed(&mut self, error: io::Error) {
        match self.phase {
            _ if is_transient(&error) => {}
            Phase::Connecting => self.failed(TransportError::connect(error)),
            _ => self.failed(TransportError::interrupted(error)),
        }
    }

    /// Something that the caller knows has failed: the name was not found, the connection refused,
    /// the certificate not accepted; or the caller gives up.
    ///
    /// With a complete head there is an answer all the same. An error that says that nothing was sent
    /// is not believed once there was something to write.
    pub fn failed(&mut self, error: TransportError) {
        self.reusable = false;
        match mem::replace(&mut self.phase, Phase::Over(None)) {
            Phase::Connecting | Phase::Head(_) => {
                let sent = self.may_have_been_sent;
                let error = if sent { error.sent() } else { error.not_sent() };
                self.phase = Phase::Over(Some(Err(error.at(&self.uri))));
            }
            Phase::Body(collector, _) => {
                self.phase = Phase::Over(Some(Ok(collector.break_off())));
            }
            over @ Phase::Over(_) => self.phase = over,
        }
    }

    /// It is `now`. If a deadline has passed, that is the outcome.
    pub fn handle_timeout(&mut self, now: Instant) {
        let passed = |by: Option<Instant>| by.is_some_and(|by| now >= by);
        if passed(self.total_by) {
            self.failed(TransportError::total_deadline(self.deadlines.total));
        } else if matches!(self.phase, Phase::Connecting) && passed(self.connect_by) {
            self.failed(TransportError::connect_deadline(self.deadlines.connect));
        }
    }
}

/// # Output
impl Exchange {
    /// Whether there is no connection yet.
    #[must_use]
    pub fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting)
    }

    /// What is to be written next; empty if there is nothing.
    ///
    /// Once it has given something out, the request counts as one that may have been sent.
    #[must_use]
    pub fn to_write(&mut self) -> &[u8] {
        if !matches!(self.phase, Phase::Head(_)) || self.write_error.is_some() {
            return &[];
        }
        self.may_have_been_sent = true;
        &self.output[self.written..]
    }

    /// Whether it is of use to read. What is read all the same is dropped.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        matches!(self.phase, Phase::Head(_) | Phase::Body(..))
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` once there is an outcome.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Connecting => self.connect_by,
            Phase::Head(_) | Phase::Body(..) => self.total_by,
            Phase::Over(_) => None,
        }
    }

    /// The answer, or why there is none; `None` before it is known and once it was taken.
    ///
    /// An answer is complete, or marked as [`Incomplete`](crate::Incomplete). It is for
    /// [`Api::parse_response`](crate::Api::parse_response).
    #[must_use]
    pub fn take_outcome(&mut self) -> Option<Result<Response<Bytes>, TransportError>> {
        match &mut self.phase {
            Phase::Over(outcome) => outcome.take(),
            _ => None,
        }
    }

    /// Whether the connection may be used for another exchange: the request has left, all of the
    /// answer has come and nothing behind it, and neither side has asked for the end.
    #[must_use]
    pub fn is_reusable(&self) -> bool {
        self.reusable && matches!(self.phase, Phase::Over(_))
    }
}

impl Exchange {
    /// Takes a part of the bytes, at least one.
    fn take(&mut self, bytes: &mut &[u8]) {
        match &mut self.phase {
            Phase::Head(parser) => match parser.read(bytes) {
                Ok(Some(head)) => self.begin_body(head),
                Ok(None) => {}
                Err(malformed) => self.failed(TransportError::protocol(malformed)),
            },
            Phase::Body(collector, framing) => {
                match framing.next(bytes) {
                    Ok(piece) => collector.push_slice(piece.unwrap_or_default()),
                    // The head counts: what came is the answer.
                    Err(_) => return self.failed(TransportError::protocol("a malformed chunk")),
                }
                self.end_if_complete();
            }
            Phase::Connecting | Phase::Over(_) => *bytes = &[],
        }
    }

    fn begin_body(&mut self, head: Parts) {
        if head.status.is_informational() && head.status != StatusCode::SWITCHING_PROTOCOLS {
            self.interim += 1;
            if self.interim > Collector::MAX_INTERIM {
                self.failed(TransportError::too_many_interim());
            }
            return;
        }
        // An answer to what has not left: the other side does not wait for the rest.
        self.reusable &= self.written == self.output.len() && keeps_alive(&head);
        let framing = Framing::of(&head, self.to_head).map_err(TransportError::protocol);
        match framing.and_then(|framing| Ok((Collector::new(head, self.response_limit)?, framing)))
        {
            Ok((collector, framing)) => {
                self.phase = Phase::Body(collector, framing);
                self.end_if_complete();
            }
            Err(error) => self.failed(error),
        }
    }

    fn end_if_complete(&mut self) {
        let Phase::Body(collector, framing) = &self.phase else { return };
        // A body above the limit is told from a complete one by its length. How much of it came beyond
        // that is chance.
        if framing.has_ended() || !collector.wants_more() {
            self.reusable &= collector.wants_more();
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.phase = match mem::replace(&mut self.phase, Phase::Over(None)) {
            Phase::Body(collector, _) => Phase::Over(Some(Ok(collector.finish()))),
            other => other,
        };
    }

    /// The other side has closed the connection.
    fn closed(&mut self) {
        self.reusable = false;
        match self.phase {
            Phase::Body(_, Framing::Closed) => self.finish(),
            Phase::Connecting => {
                self.failed(TransportError::connect(io::Error::from(io::ErrorKind::UnexpectedEof)));
            }
            _ => {
                let error = self.write_error.take();
                let error = error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
                self.failed(TransportError::interrupted(error));
            }
        }
    }
}

/// Shows nothing of the request, which has the token in it, and nothing of the answer.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Connecting => "connecting",
            Phase::Head(_) => "head",
            Phase::Body(..) => "body",
            Phase::Over(_) => "over",
        };
        f.debug_struct("Exchange")
            .field("phase", &phase)
            .field("written", &self.written)
            .field("to_write", &(self.output.len() - self.written))
            .finish_non_exhaustive()
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
