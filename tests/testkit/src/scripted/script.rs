use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;

use super::{Connection, PATIENCE};

/// What happens to one connection, step by step. At its end the connection is closed gracefully:
/// what was sent arrives.
#[derive(Debug, Clone, Default)]
pub struct Script {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Read(usize),
    ReadHead,
    ReadRequest,
    Send(Bytes),
    Dribble(Bytes),
    Flood { piece: Bytes, times: usize, pause: Duration },
    Pause(Duration),
    Reset,
    Drop,
    Hold,
    HoldUnread,
    Repeat(usize),
}

impl Script {
    /// Accepts and closes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this many bytes, or less if the client has no more.
    #[must_use]
    pub fn read(self, length: usize) -> Self {
        self.and(Step::Read(length))
    }

    /// Reads the head of a request, and leaves its body unread.
    #[must_use]
    pub fn read_head(self) -> Self {
        self.and(Step::ReadHead)
    }

    /// Reads one request, with as much body as its `Content-Length` says.
    #[must_use]
    pub fn read_request(self) -> Self {
        self.and(Step::ReadRequest)
    }

    /// Writes bytes as they are.
    #[must_use]
    pub fn send(self, bytes: impl Into<Bytes>) -> Self {
        self.and(Step::Send(bytes.into()))
    }

    /// Writes bytes one at a time, each in a packet of its own.
    #[must_use]
    pub fn dribble(self, bytes: impl Into<Bytes>) -> Self {
        self.and(Step::Dribble(bytes.into()))
    }

    /// Writes a piece so many times, or until the client goes away.
    #[must_use]
    pub fn flood(self, piece: impl Into<Bytes>, times: usize) -> Self {
        self.and(Step::Flood { piece: piece.into(), times, pause: Duration::ZERO })
    }

    /// Writes a piece again and again, with a pause after each, until the client goes away.
    #[must_use]
    pub fn drip(self, piece: impl Into<Bytes>, pause: Duration) -> Self {
        self.and(Step::Flood { piece: piece.into(), times: usize::MAX, pause })
    }

    /// Waits, for what only time can show.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.and(Step::Pause(time))
    }

    /// Ends the connection with a reset. What was sent before is on its way.
    #[must_use]
    pub fn reset(self) -> Self {
        self.and(Step::Reset)
    }

    /// Closes at once, whatever is unread: a reset if there is any.
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.and(Step::Drop)
    }

    /// Says nothing until the client closes the connection, or the server is dropped.
    #[must_use]
    pub fn hold(self) -> Self {
        self.and(Step::Hold)
    }

    /// Neither says nor reads anything until the server is dropped.
    #[must_use]
    pub fn hold_unread(self) -> Self {
        self.and(Step::HoldUnread)
    }

    /// Starts over on the same connection, as long as the client keeps it open.
    #[must_use]
    pub fn repeat(self) -> Self {
        self.repeat_from(0)
    }

    /// The same, but for so many steps at its start.
    #[must_use]
    pub fn repeat_from(self, step: usize) -> Self {
        self.and(Step::Repeat(step))
    }

    /// Reads a request and answers it with these bytes.
    #[must_use]
    pub fn answer(bytes: impl Into<Bytes>) -> Self {
        Self::new().read_request().send(bytes)
    }

    fn and(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Does it. The client is free to go away in the middle.
    pub(super) fn play(&self, mut connection: Connection) -> Option<()> {
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match step {
                Step::Read(length) => {
                    let length = u64::try_from(*length).unwrap_or(u64::MAX);
                    let mut some = (&mut connection.stream).take(length);
                    io::copy(&mut some, &mut io::sink()).ok()?;
                }
                Step::ReadHead => drop(connection.head()?),
                Step::ReadRequest => drop(connection.request()?),
                Step::Send(bytes) => connection.try_send(bytes).ok()?,
                Step::Dribble(bytes) => {
                    for byte in bytes {
                        connection.try_send([*byte]).ok()?;
                    }
                }
                Step::Flood { piece, times, pause } => {
                    for _ in 0..*times {
                        connection.try_send(piece).ok()?;
                        if !pause.is_zero() {
                            connection.shared.wait(*pause)?;
                        }
                    }
                }
                Step::Pause(time) => connection.shared.wait(*time)?,
                Step::Reset => {
                    connection.reset();
                    return Some(());
                }
                Step::Drop => return Some(()),
                Step::Hold => {
                    connection.hang();
                    return Some(());
                }
                Step::HoldUnread => connection.shared.wait(PATIENCE)?,
                Step::Repeat(step) => at = *step,
            }
        }
        connection.close();
        Some(())
    }
}
