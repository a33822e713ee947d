//! Files as they are met: real ones, and what others put in their place.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic fails a test")]

mod names;
#[cfg(unix)]
mod planted;
mod reading;
