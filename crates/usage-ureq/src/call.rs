//! What one call tells its connection past ureq.
//!
//! ureq dumps the head it writes at log level trace, values marked as sensitive included. So the
//! lines that nobody may read in a log go around it: the caller leaves them here, and the
//! connection takes them when the head passes through (see `wire`). ureq is blocking, so the whole
//! call happens on one thread.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use http::HeaderMap;

thread_local! {
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

struct Call {
    started: Instant,
    /// Header lines for the head; gone once it has been on its way.
    secrets: Option<Vec<u8>>,
}

/// What the connection finds when it is about to write.
pub(crate) enum Writing {
    /// The head of the request: these lines belong to it.
    Head(Vec<u8>),
    /// What comes after the head.
    Body,
    /// Not a call on this thread.
    Stray,
}

/// Runs `exchange` as a call of its own. The flag says whether any of the request may have left.
pub(crate) fn run<R>(secrets: Vec<u8>, exchange: impl FnOnce() -> R) -> (R, bool) {
    /// Brings the outer call back, after a panic too; there is one if a middleware calls.
    struct Restore(Option<Call>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CALL.set(self.0.take());
        }
    }
    let call = Call { started: Instant::now(), secrets: Some(secrets) };
    let _restore = Restore(CALL.replace(Some(call)));
    let result = exchange();
    let unsent = CALL.with_borrow(|call| call.as_ref().is_some_and(|call| call.secrets.is_some()));
    (result, !unsent)
}

/// Says what is written now, and counts it as sent.
pub(crate) fn writing() -> Writing {
    CALL.with_borrow_mut(|call| match call {
        None => Writing::Stray,
        Some(call) => call.secrets.take().map_or(Writing::Body, Writing::Head),
    })
}

/// How long the call has been going on.
pub(crate) fn elapsed() -> Duration {
    CALL.with_borrow(|call| call.as_ref().map_or(Duration::ZERO, |call| call.started.elapsed()))
}

/// Takes the headers that are marked as sensitive out of `headers`, as lines of a head.
pub(crate) fn take_secrets(headers: &mut HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    let secret = headers.iter().filter(|(_, value)| value.is_sensitive());
    let names: Vec<_> = secret.map(|(name, _)| name.clone()).collect();
    for name in names {
        for value in headers.get_all(&name) {
            push_line(&mut lines, name.as_str(), value.as_bytes());
        }
        headers.remove(&name);
    }
    lines
}

/// Appends one header line.
pub(crate) fn push_line(lines: &mut Vec<u8>, name: &str, value: &[u8]) {
    lines.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
}
