//! TCP with deadlines that hold.
//!
//! ureq's own transport gives each system call of a write the whole time that was left before the
//! first, so a server that stops reading, or reads by drops, holds the call far beyond its deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle,
    Transport,
};

/// Connects, unless a connector before it has.
#[derive(Debug)]
pub(crate) struct TcpConnector;

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() {
            return Ok(chained.map(Either::A));
        }
        let config = details.config;
        let stream = reach(&details.addrs, Until::after(details.timeout))?;
        if config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let stream = Arc::new(stream);
        let weak = Arc::downgrade(&stream);
        let handle: Weak<dyn ShutdownHandle> = weak;
        (details.register_shutdown)(handle)?;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(Tcp { stream, buffers })))
    }
}

/// The first of the addresses that takes the connection. Each but the last gets half of the time
/// that is left, so that one that does not answer leaves some for the others.
fn reach(addresses: &[SocketAddr], until: Until) -> Result<TcpStream, Error> {
    let mut last = Error::HostNotFound;
    for (index, address) in addresses.iter().enumerate() {
        let share = if index + 1 < addresses.len() { 2 } else { 1 };
        let left = until.left()?.map(|left| left / share);
        let reached = match left {
            Some(left) => TcpStream::connect_timeout(address, left.max(SHORTEST)),
            None => TcpStream::connect(address),
        };
        match reached {
            Ok(stream) => return Ok(stream),
            Err(error) if is_late(&error) => last = until.passed(),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// The system takes no time-out of zero, and rounds down what is shorter.
const SHORTEST: Duration = Duration::from_millis(1);

/// A point in time, and what ends there.
#[derive(Clone, Copy)]
pub(crate) struct Until {
    /// `None` is never.
    end: Option<Instant>,
    timeout: NextTimeout,
}

impl Until {
    /// The end of a time-out that begins now.
    pub(crate) fn after(timeout: NextTimeout) -> Self {
        let end = timeout.not_zero().and_then(|_| Instant::now().checked_add(*timeout.after));
        Self { end, timeout }
    }

    /// What is left of it now, as ureq hands it on.
    pub(crate) fn timeout(self) -> Result<NextTimeout, Error> {
        Ok(match self.left()? {
            Some(left) => NextTimeout { after: left.into(), ..self.timeout },
            None => self.timeout,
        })
    }

    /// What is left of it now, `None` for ever; never zero, which is an error.
    fn left(self) -> Result<Option<Duration>, Error> {
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) { Err(self.passed()) } else { Ok(left) }
    }

    fn passed(self) -> Error {
        Error::Timeout(self.timeout.reason)
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Tcp {
    /// Shared with the agent, which can shut it down.
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let until = Until::after(timeout.for_write());
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            let left = until.left()?;
            settle(self.stream.set_write_timeout(left.map(|left| left.max(SHORTEST))))?;
            // A part of it may go, and the time be up with that.
            match (&*self.stream).write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_late(&error) => return Err(until.passed()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let until = Until::after(timeout.for_read());
        let room = self.buffers.input_append_buf();
        let read = loop {
            let left = until.left()?;
            settle(self.stream.set_read_timeout(left.map(|left| left.max(SHORTEST))))?;
            match (&*self.stream).read(room) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_late(&error) => return Err(until.passed()),
                Err(error) => return Err(error.into()),
            }
        };
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Whether an idle connection can be used again: nothing has come over it, not even its end.
    fn is_open(&mut self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let read = (&*self.stream).read(&mut [0]);
        let silent = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        silent && self.stream.set_nonblocking(false).is_ok()
    }
}

/// Some systems refuse to set a time-out on a socket that the other end has closed. There may be an
/// answer in it all the same, and nothing that waits for it.
fn settle(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        set => set,
    }
}

/// Systems differ in how they say that a time-out has passed.
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
