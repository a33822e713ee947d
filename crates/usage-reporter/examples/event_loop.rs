//! Reports from an event loop of one's own: a non-blocking socket under `mio`, HTTP/1 by
//! `ureq-proto`, and no adapter.
//!
//! ```sh
//! cargo run --package usage-reporter --example event_loop
//! ```
//!
//! It starts a `usage-server` on a free loopback port, registers, reports usage every second until
//! three reports are delivered, closes, and prints what the server has stored. The first answer is
//! made to fail, so that one retry is to be seen. The first numbers are made to fail too, by the
//! usual mistake: a ratio of nothing to nothing.
//!
//! The thread blocks in `mio::Poll::poll`, where it waits for the socket or for the reporter,
//! whichever comes first, and while it looks up a name: a program that must not wait for a resolver
//! does that in another thread. Each request has a connection of its own: reports are half a
//! day apart in earnest. There is no TLS here and no proxy; the adapters have both.

#![expect(clippy::disallowed_methods, reason = "an event loop owns the clock")]
#![expect(clippy::disallowed_types, reason = "an event loop resolves names")]

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvResponseResult, SendRequestResult};
use usage_proto::{Api, BaseUrl, Deadlines, Incomplete, Server, TransportError, Usage, UsageData};
use usage_reporter::{
    Action, Attempt, AttemptId, Config, Event, Identity, ReportKind, Reporter, RetryPolicy, Seed,
    State,
};

/// How many usage reports to deliver before the end.
const REPORTS: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout().lock())
}

/// Runs everything, and tells about it on `out`.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    use usage_server::{Config, Database, Server};

    let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
    server.faults().fail(Some("503:1".parse()?));
    let token = server.create_token("Example Inc.")?;
    let api = Api::new(BaseUrl::new(&server.url())?)
        .with_application("event-loop/1.0")?
        .with_token(token)?;

    let state = report(api, out)?;
    writeln!(out, "the state to keep: {}", serde_json::to_string(&state)?)?;
    for stored in server.store().servers()? {
        writeln!(out, "stored: server {}", stored.report.server_id)?;
    }
    for stored in server.store().usage()? {
        let organisation = stored.organisation.unwrap_or_default();
        let usage = serde_json::to_string(&stored.report)?;
        writeln!(out, "stored: usage of {organisation}: {usage}")?;
    }
    server.shutdown()?;
    Ok(())
}

/// The event loop. Returns the state that the next start would begin with.
fn report(api: Api, out: &mut impl Write) -> Result<State, Box<dyn Error>> {
    let mut io = Poll::new()?;
    let mut events = Events::with_capacity(8);
    let mut exchange: Option<Exchange> = None;

    let mut state = State::new();
    let identity = Identity::single_node(&mut state, random()?);
    let started = Instant::now();
    let seed = Seed::from_bytes(random()?);
    let mut reporter =
        Reporter::new(config(), api, state.clone(), seed, started, SystemTime::now())?;
    reporter.register(started, &server(&identity))?;
    let (mut delivered, mut lookups) = (0, 0);

    loop {
        let now = Instant::now();
        let wake = match reporter.poll(now) {
            Action::Collect => {
                // What cannot be said is no reason to end the loop: the next numbers may be fine.
                if let Err(error) = reporter.submit(now, &usage(started, lookups)) {
                    reporter.collect_failed(now, error);
                }
                lookups += 1;
                continue;
            }
            Action::Send(attempt) => {
                writeln!(out, "sending {}, attempt {}", attempt.report, attempt.number)?;
                let id = attempt.id;
                let limit = reporter.api().response_limit();
                match Exchange::start(io.registry(), limit, attempt, now) {
                    Ok(started) => exchange = Some(started),
                    Err(error) => reporter.on_failure(now, id, error),
                }
                continue;
            }
            Action::Persist(snapshot) => {
                // A program that is to be restarted writes it to a file here.
                state = snapshot.into_state(SystemTime::now());
                continue;
            }
            Action::Event(event) => {
                writeln!(out, "{:?}: {event}", event.level())?;
                if let Event::Delivered { report: ReportKind::Usage, .. } = event {
                    delivered += 1;
                    if delivered == REPORTS {
                        reporter.close(now + Duration::from_secs(5));
                    }
                }
                continue;
            }
            Action::Wait(until) => until,
            Action::Stopped => return Ok(state),
        };

        let wake = exchange.as_ref().map_or(wake, |exchange| wake.min(exchange.deadline));
        match io.poll(&mut events, Some(wake.saturating_duration_since(now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        if let Some(outcome) =
            exchange.as_mut().and_then(|exchange| exchange.advance(Instant::now()))
            && let Some(done) = exchange.take()
        {
            match outcome {
                Ok(response) => reporter.on_response(Instant::now(), done.id, response),
                Err(error) => reporter.on_failure(Instant::now(), done.id, error),
            }
        }
    }
}

fn config() -> Config {
    let retry = RetryPolicy::new().base(Duration::from_millis(100));
    Config::every(Duration::from_secs(1)).retry(retry)
}

fn server(identity: &Identity) -> Server {
    Server::new()
        .cluster_id(&identity.cluster_id)
        .server_id(&identity.server_id)
        .host("localhost")
        .product("event-loop")
        .version("1.0")
}

/// The numbers, fresh each time.
fn usage(started: Instant, lookups: u32) -> Usage {
    let hits = lookups;
    let numbers = UsageData::new()
        .tag("os", std::env::consts::OS)
        .value("uptime", started.elapsed().as_secs_f64())
        // Before the first look-up it is not a number.
        .value("hit_ratio", f64::from(hits) / f64::from(lookups));
    Usage::new("event-loop").data(numbers)
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// One request on one connection, until its answer is there.
struct Exchange {
    id: AttemptId,
    stream: TcpStream,
    /// Everything that is to be sent, and how much of it was.
    output: Vec<u8>,
    sent: usize,
    /// What was received and is not parsed.
    input: Vec<u8>,
    receiving: Receiving,
    response_limit: usize,
    deadline: Instant,
}

enum Receiving {
    Head(Call<RecvResponse>),
    Body {
        call: Call<RecvBody>,
        response: Response<()>,
        body: Vec<u8>,
    },
    /// The answer was handed over.
    Done,
}

type Outcome = Result<Response<Bytes>, TransportError>;

impl Exchange {
    /// Begins to connect. Nothing here blocks but the look-up of the name.
    fn start(
        registry: &Registry,
        response_limit: usize,
        attempt: Attempt,
        now: Instant,
    ) -> Result<Self, TransportError> {
        let Attempt { id, request, .. } = attempt;
        let uri = request.uri().clone();
        let (host, port) = destination(&uri)?;
        let connect = || {
            let address = (host, port).to_socket_addrs()?.next();
            let address = address.ok_or(ErrorKind::AddrNotAvailable)?;
            let mut stream = TcpStream::connect(address)?;
            registry.register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
            Ok::<_, io::Error>(stream)
        };
        let stream = connect().map_err(|error| TransportError::connect(error).at(&uri))?;
        let (output, call) =
            encode(request).map_err(|error| TransportError::other(error).not_sent())?;
        Ok(Self {
            id,
            stream,
            output,
            sent: 0,
            input: Vec::new(),
            receiving: Receiving::Head(call),
            response_limit,
            deadline: now + Deadlines::new().total,
        })
    }

    /// Writes and reads as far as the socket goes; the outcome once it is known.
    fn advance(&mut self, now: Instant) -> Option<Outcome> {
        if now >= self.deadline {
            return Some(
                self.cut_off(TransportError::timeout(io::Error::from(ErrorKind::TimedOut))),
            );
        }
        if let Err(error) = self.write() {
            return Some(Err(error));
        }
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    let closed = io::Error::from(ErrorKind::UnexpectedEof);
                    return Some(self.cut_off(TransportError::interrupted(closed)));
                }
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return None,
                Err(error) => return Some(self.cut_off(TransportError::interrupted(error))),
            }
            match self.parse() {
                Ok(None) => {}
                Ok(Some(response)) => return Some(Ok(response)),
                Err(error) => return Some(self.cut_off(TransportError::protocol(error))),
            }
        }
    }

    fn write(&mut self) -> Result<(), TransportError> {
        // A connection that was refused says so here.
        if let Some(error) = self.stream.take_error().ok().flatten() {
            return Err(self.not_sent_if_true(TransportError::connect(error)));
        }
        while self.sent < self.output.len() {
            match self.stream.write(&self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return Ok(()),
                // The other end may have answered before it closed: that is for the reader to find.
                Err(_) if self.sent > 0 => return Ok(()),
                Err(error) => return Err(TransportError::connect(error)),
            }
        }
        Ok(())
    }

    fn parse(&mut self) -> Result<Option<Response<Bytes>>, ureq_proto::Error> {
        if let Receiving::Head(call) = &mut self.receiving {
            let (used, head) = call.try_response(&self.input, false)?;
            self.input.drain(..used);
            let Some(head) = head else { return Ok(None) };
            let Receiving::Head(call) = std::mem::replace(&mut self.receiving, Receiving::Done)
            else {
                return Ok(None);
            };
            match call.proceed() {
                Some(RecvResponseResult::RecvBody(call)) => {
                    self.receiving = Receiving::Body { call, response: head, body: Vec::new() };
                }
                _ => return Ok(Some(head.map(|()| Bytes::new()))),
            }
        }
        let Receiving::Body { call, body, .. } = &mut self.receiving else { return Ok(None) };
        let mut chunk = [0; 4096];
        loop {
            let (used, made) = call.read(&self.input, &mut chunk)?;
            self.input.drain(..used);
            body.extend_from_slice(&chunk[..made]);
            // One byte above the limit tells that there was more.
            if body.len() > self.response_limit {
                body.truncate(self.response_limit + 1);
                return Ok(self.finish(true));
            }
            if used == 0 && made == 0 {
                break;
            }
        }
        // A body that ends with the connection goes on until then.
        let ended = call.can_proceed() && call.body_mode() != ureq_proto::BodyMode::CloseDelimited;
        Ok(if ended { self.finish(true) } else { None })
    }

    /// Hands over what has come.
    fn finish(&mut self, complete: bool) -> Option<Response<Bytes>> {
        match std::mem::replace(&mut self.receiving, Receiving::Done) {
            Receiving::Body { mut response, body, .. } => {
                if !complete {
                    response.extensions_mut().insert(Incomplete);
                }
                Some(response.map(|()| body.into()))
            }
            Receiving::Head(_) | Receiving::Done => None,
        }
    }

    /// Nothing more will come. With a head there is an answer all the same.
    fn cut_off(&mut self, error: TransportError) -> Outcome {
        let complete = match &self.receiving {
            Receiving::Body { call, .. } => call.can_proceed(),
            _ => false,
        };
        match self.finish(complete) {
            Some(response) => Ok(response),
            None => Err(self.not_sent_if_true(error)),
        }
    }

    fn not_sent_if_true(&self, error: TransportError) -> TransportError {
        if self.sent == 0 { error.not_sent() } else { error }
    }
}

/// Where a request goes: not always to the API that reports go to by now.
pub(crate) fn destination(uri: &Uri) -> Result<(&str, u16), TransportError> {
    if uri.scheme() != Some(&Scheme::HTTP) {
        return Err(TransportError::tls("there is no TLS in this example").not_retryable());
    }
    // The address of IPv6 stands in brackets.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    Ok((host, uri.port_u16().unwrap_or(80)))
}

/// The bytes of the request, and what reads its answer.
fn encode(
    request: Request<Bytes>,
) -> Result<(Vec<u8>, Call<RecvResponse>), Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let mut head = Request::from_parts(parts, ());
    head.headers_mut().insert(CONTENT_LENGTH, body.len().into());
    head.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));

    // Room for the head: the URI is the only part of it without a small bound.
    let mut output = vec![0; head.uri().to_string().len() + body.len() + 16 * 1024];
    let mut call = Call::new(head)?.proceed();
    let mut used = call.write(&mut output)?;
    let Some(SendRequestResult::SendBody(mut call)) = call.proceed()? else {
        return Err("the head of the request does not fit".into());
    };
    used += call.write(&body, &mut output[used..])?.1;
    output.truncate(used);
    let call = call.proceed().ok_or("the body of the request does not fit")?;
    Ok((output, call))
}

/// The socket is not ready, or not connected yet.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
}
