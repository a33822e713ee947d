//! What a reporter does, seen from outside.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod support;

mod close;
mod driver;
mod embedded;
mod event_loop;
mod forget_me;
mod last_sent;
mod laws;
mod log;
mod pending;
mod purity;
mod registration;
mod restart;
mod retry;
mod schedule;
mod slots;
mod start;
mod token;
mod types;
