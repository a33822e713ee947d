//! The connection as ureq sees it, mended where ureq would break a rule.

use std::time::Duration;
use std::{fmt, io};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use crate::call::{self, Writing};
use crate::tcp::Until;

/// The last connector of the chain: wraps what the others have made.
#[derive(Debug)]
pub(crate) struct WireConnector {
    /// Whether requests go through a proxy.
    pub(crate) proxied: bool,
}

impl<In: Transport> Connector<In> for WireConnector {
    type Out = Wire<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Wire<In>>, Error> {
        let leg = match details.config.proxy() {
            // ureq runs the chain a second time, without a proxy, to reach the proxy itself.
            None if self.proxied => Leg::ToProxy,
            Some(proxy) if !details.needs_tls() => Leg::Forwarded(Forwarded::new(details, proxy)),
            _ => Leg::ToApi,
        };
        Ok(chained.map(|inner| Wire { inner, leg, write_error: None, half_written: false }))
    }
}

/// A transport of ureq's that
///
/// - puts the lines into the head that must not be seen in ureq's log,
/// - asks a proxy for an `http` URL in the absolute form (RFC 9112, section 3.2.2),
/// - still looks for an answer when the server closed, or read no more, before it had read the whole
///   request,
/// - tells a body that a reset or a TLS failure cut off from one that ended (rule W46),
/// - tells a head that is too large from many interim answers that came at once.
pub(crate) struct Wire<T> {
    inner: T,
    leg: Leg,
    /// Why the request could not be written to its end.
    write_error: Option<io::Error>,
    /// Whether it could not. What comes next over the connection would be taken for the rest.
    half_written: bool,
}

/// Where the connection leads.
enum Leg {
    /// To the API, or to it through a tunnel.
    ToApi,
    /// To a proxy that passes requests on.
    Forwarded(Forwarded),
    /// To a proxy that is about to make a tunnel: none of the request belongs here.
    ToProxy,
}

/// What a head needs if a proxy is to pass it on.
struct Forwarded {
    /// `http://host:port`, which comes in front of the path.
    origin: String,
    /// The `Proxy-Authorization` line, or nothing.
    authorization: Vec<u8>,
}

impl Forwarded {
    fn new(details: &ConnectionDetails, proxy: &ureq::Proxy) -> Self {
        use base64::Engine as _;

        let authority = details.uri.authority().map_or("", |authority| authority.as_str());
        // A hand-made URI may have user information, which is nothing to the proxy.
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let mut authorization = Vec::new();
        if proxy.username().is_some() || proxy.password().is_some() {
            let username = proxy.username().unwrap_or_default();
            let pair = format!("{username}:{}", proxy.password().unwrap_or_default());
            let value = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair));
            call::push_line(&mut authorization, "proxy-authorization", value.as_bytes());
        }
        Self { origin: format!("http://{host}"), authorization }
    }
}

impl<T: Transport> Wire<T> {
    fn write(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let (origin, authorization): (&str, &[u8]) = match &self.leg {
            Leg::ToProxy => return self.inner.transmit_output(amount, timeout),
            Leg::ToApi => ("", b""),
            Leg::Forwarded(forwarded) => (&forwarded.origin, &forwarded.authorization),
        };
        let secrets = match call::writing() {
            Writing::Head(secrets) => secrets,
            Writing::Body => return self.inner.transmit_output(amount, timeout),
            Writing::Stray => return Err(Error::Other(STRAY.into())),
        };
        if secrets.is_empty() && origin.is_empty() {
            return self.inner.transmit_output(amount, timeout);
        }
        // ureq writes whole lines, the request line first.
        let head = &self.inner.buffers().output()[..amount];
        let (line, headers) = head.split_at(position(head, b'\n'));
        let (method, target) = line.split_at(position(line, b' '));
        let head = [method, origin.as_bytes(), target, authorization, &secrets, headers].concat();
        let room = self.inner.buffers().output().len();
        let until = Until::after(timeout);
        for piece in head.chunks(room.max(1)) {
            self.inner.buffers().output()[..piece.len()].copy_from_slice(piece);
            self.inner.transmit_output(piece.len(), until.timeout()?)?;
        }
        Ok(())
    }
}

const STRAY: &str = "a middleware moved the request to another thread, where its token is not";

/// Just behind the first `byte`.
fn position(bytes: &[u8], byte: u8) -> usize {
    bytes.iter().position(|&other| other == byte).map_or(0, |at| at + 1)
}

impl<T: Transport> Transport for Wire<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.half_written {
            return Ok(());
        }
        let error = match self.write(amount, with_a_rest(timeout)) {
            Err(Error::Io(error)) if is_closed(&error) => Some(error),
            // If there is no answer either, what is left of the time passes too.
            Err(Error::Timeout(_)) => None,
            result => return result,
        };
        // Nobody reads on, but there may be an answer, such as a 413: go and look.
        self.write_error = error;
        self.half_written = true;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let buffers = self.inner.buffers();
        if buffers.input_append_buf().is_empty() {
            // ureq would take the full buffer for the end of the connection.
            let full = buffers.input().len();
            return Err(Error::LargeResponseHeader(full, full));
        }
        let read = self.inner.await_input(timeout);
        match (read, self.write_error.as_ref()) {
            (Ok(false) | Err(Error::Io(_)), Some(_)) => {
                // What went wrong first tells more.
                let first = self.write_error.take();
                Err(Error::Other(first.map_or_else(|| "closed".into(), Into::into)))
            }
            // ureq takes an `Io` of some kinds for a regular end.
            (Err(Error::Io(error)), None) => Err(Error::Other(error.into())),
            (read, _) => read,
        }
    }

    fn is_open(&mut self) -> bool {
        !self.half_written && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The time for writing, of which some is left to look for an answer in.
fn with_a_rest(timeout: NextTimeout) -> NextTimeout {
    if timeout.not_zero().is_none() {
        return timeout;
    }
    let rest = (*timeout.after / 10).min(Duration::from_secs(1));
    NextTimeout { after: timeout.after.saturating_sub(rest).into(), ..timeout }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

impl<T: Transport> fmt::Debug for Wire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The leg may hold a password.
        f.debug_struct("Wire").field("inner", &self.inner).finish_non_exhaustive()
    }
}
