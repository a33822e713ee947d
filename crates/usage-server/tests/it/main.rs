//! The server as its clients see it: real sockets, a real database.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic fails a test")]

mod brought_up;
mod client;
mod crowds;
mod database;
mod erasure;
mod faults;
mod forget;
#[cfg(unix)]
mod gone;
mod idempotency;
mod limits;
mod metrics;
mod openapi;
mod planted;
mod public_types;
mod rates;
mod reading;
mod registration;
mod request_rules;
mod retention;
mod routes;
mod secrets;
mod shutdown;
#[cfg(unix)]
mod sockets;
mod storage;
mod terms;
mod token_ends;
mod tokens;
mod validation;
