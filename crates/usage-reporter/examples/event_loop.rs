//! Reports from an event loop of one's own: one thread, a non-blocking socket under `mio`, no adapter.
//!
//! `cargo run --package usage-reporter --example event_loop` starts a `usage-server` on loopback,
//! registers, reports usage every second until three reports are delivered, and prints what is stored.
//! The first answer is made to fail, so that a retry is to be seen, and so are the first numbers.
//!
//! 89 lines concern reporting: `report` and what stands below it.
//!
//! Besides `mio::Poll::poll` the thread waits for the look-up of a name: a program that must not wait
//! does that elsewhere. There is no TLS here and no proxy; the adapters have both.

#![expect(clippy::disallowed_methods, reason = "an event loop owns the clock")]
#![expect(clippy::disallowed_types, reason = "an event loop resolves names")]

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant, SystemTime};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use usage_proto::{Api, BaseUrl, Deadlines, Exchange, Server, TransportError, Usage, UsageData};
use usage_reporter::{
    Action, Config, Event, Identity, ReportKind, Reporter, RetryPolicy, Seed, State,
};

fn main() -> Result<(), Box<dyn Error>> {
    demo(&mut io::stdout().lock())
}

/// Runs everything, and tells about it on `out`.
pub(crate) fn demo(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let database = usage_server::Database::temporary();
    let server = usage_server::Server::bind("127.0.0.1:0", usage_server::Config::new(database))?;
    server.faults().fail(Some("503:1".parse()?));
    let token = server.create_token("Example Inc.")?;
    let api = Api::new(BaseUrl::new(&server.url())?).with_token(token)?;
    let mut left = 3;
    let state = report(api, Deadlines::new(), out, |event| {
        left -= i32::from(matches!(event, Event::Delivered { report: ReportKind::Usage, .. }));
        left == 0
    })?;
    writeln!(out, "the state to keep: {}", serde_json::to_string(&state)?)?;
    writeln!(out, "stored: {} server", server.store().servers().read_all()?.len())?;
    for stored in server.store().usage().read_all()? {
        let organisation = stored.organisation.unwrap_or_default();
        let usage = serde_json::to_string(&stored.report)?;
        writeln!(out, "stored: usage of {organisation}: {usage}")?;
    }
    Ok(server.shutdown()?)
}

/// The event loop. It closes after an event that is enough, and returns the state that the next start
/// would begin with.
pub(crate) fn report(
    api: Api,
    deadlines: Deadlines,
    out: &mut impl Write,
    mut is_enough: impl FnMut(&Event) -> bool,
) -> Result<State, Box<dyn Error>> {
    let (mut io, mut events) = (Poll::new()?, Events::with_capacity(8));
    let mut state = State::new();
    let identity = Identity::single_node(&mut state, random()?);
    let config = Config::every(Duration::from_secs(1))
        .retry(RetryPolicy::new().base(Duration::from_millis(100)));
    let (started, wall, seed) = (Instant::now(), SystemTime::now(), Seed::from_bytes(random()?));
    let mut reporter = Reporter::new(config, api, state.clone(), seed, started, wall)?;
    let server = Server::new().cluster_id(&identity.cluster_id).server_id(&identity.server_id);
    reporter.register(started, &server.host("localhost").product("event-loop").version("1.0"))?;
    let (mut under_way, mut lookups) = (None, 0);
    loop {
        let now = Instant::now();
        // After an action there may be another one at once.
        let mut wake = now;
        match reporter.poll(now) {
            Action::Collect => {
                // Not a number before the first look-up, which is no reason to end the loop.
                let ratio = f64::from(lookups) / f64::from(lookups);
                lookups += 1;
                let numbers = UsageData::new().tag("os", std::env::consts::OS);
                let usage = Usage::new("event-loop").data(numbers.value("hit_ratio", ratio));
                if let Err(error) = reporter.submit(now, &usage) {
                    reporter.collect_failed(now, error);
                }
            }
            Action::Send(attempt) => {
                writeln!(out, "sending {}, attempt {}", attempt.report, attempt.number)?;
                let limit = reporter.api().response_limit();
                let exchange = Exchange::new(&attempt.request, limit, deadlines, now);
                match connect(attempt.request.uri(), io.registry()) {
                    Ok(stream) => under_way = Some((attempt.id, stream, exchange)),
                    Err(error) => reporter.on_failure(now, attempt.id, error),
                }
            }
            // A program that is to be restarted writes it to a file here.
            Action::Persist(snapshot) => state = snapshot.into_state(SystemTime::now()),
            Action::Event(event) => {
                writeln!(out, "{:?}: {event}", event.level())?;
                if is_enough(&event) {
                    reporter.close(now + deadlines.total);
                }
            }
            Action::Wait(until) => wake = until,
            Action::Stopped => return Ok(state),
        }
        let deadline = under_way.as_ref().and_then(|(_, _, exchange)| exchange.timeout());
        let wait = wake.min(deadline.unwrap_or(wake)).saturating_duration_since(now);
        match io.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        let Some((id, stream, exchange)) = &mut under_way else { continue };
        let (now, id) = (Instant::now(), *id);
        if exchange.is_connecting() {
            match stream.take_error() {
                Ok(Some(error)) | Err(error) => exchange.failed(TransportError::connect(error)),
                Ok(None) if stream.peer_addr().is_ok() => exchange.connected(now),
                Ok(None) => {}
            }
        }
        exchange.transfer(now, stream);
        match exchange.take_outcome() {
            None => continue,
            Some(Ok(response)) => reporter.on_response(now, id, response),
            Some(Err(error)) => reporter.on_failure(now, id, error),
        }
        under_way = None;
    }
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map(|()| bytes)
}

/// Begins to connect to where the request goes: not always to the API that reports go to by now.
fn connect(uri: &http::Uri, registry: &Registry) -> Result<TcpStream, TransportError> {
    if uri.scheme_str() != Some("http") {
        return Err(TransportError::tls("there is no TLS in this example").not_retryable());
    }
    // The address of IPv6 stands in brackets. Of several addresses only the first is tried here.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let begin = || {
        let address = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs()?.next();
        let mut stream = TcpStream::connect(address.ok_or(ErrorKind::AddrNotAvailable)?)?;
        registry.register(&mut stream, Token(0), Interest::READABLE | Interest::WRITABLE)?;
        Ok::<_, io::Error>(stream)
    };
    begin().map_err(|error| TransportError::connect(error).at(uri))
}
