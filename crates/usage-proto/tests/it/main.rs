//! The protocol's rules, each through the public API.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test says what it expects; floats are compared where they must be exact"
)]

mod allocations;
mod answers;
mod base_url;
mod bounds;
mod collector;
mod configuration;
mod encoding;
mod error_bodies;
mod error_texts;
mod exchange;
mod forget;
mod payloads;
mod proxy;
mod registration;
mod retry;
mod saving;
mod token;
mod traits;
