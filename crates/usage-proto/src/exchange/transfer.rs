//! An exchange over a stream that does not block.

use std::io::{self, Read, Write};
use std::time::Instant;

use super::Exchange;

/// How often a stream may say that a signal came in between.
const INTERRUPTIONS: u8 = 100;

/// # Input and output
impl Exchange {
    /// Writes to the stream and reads from it as far as it goes without blocking: until it says
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), or nothing is wanted any more. A deadline that has
    /// passed `now` counts first.
    ///
    /// It is for a non-blocking stream that is [connected](Self::connected), be it TCP or TLS over it,
    /// whenever that is ready or time has passed. No stream can hold it for long: what is read in all is
    /// bounded.
    pub fn transfer(&mut self, now: Instant, stream: &mut (impl Read + Write)) {
        self.handle_timeout(now);
        let mut interruptions = 0;
        let mut is_blocked = |error: &io::Error| {
            interruptions += u8::from(error.kind() == io::ErrorKind::Interrupted);
            error.kind() == io::ErrorKind::WouldBlock || interruptions > INTERRUPTIONS
        };
        while !self.to_write().is_empty() {
            match stream.write(self.to_write()) {
                // The other side takes no more; what it says about it is for the reader to find.
                Ok(0) => self.write_failed(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.wrote(count),
                Err(error) if is_blocked(&error) => break,
                Err(error) => self.write_failed(error),
            }
        }
        let mut buffer = [0; 4096];
        while self.wants_read() {
            match stream.read(&mut buffer) {
                Ok(count) => self.read(now, &buffer[..count]),
                Err(error) if is_blocked(&error) => break,
                Err(error) => self.read_failed(error),
            }
        }
    }
}
