//! What the suite shares: oracles for any input, and a TCP server that plays scripts.
//!
//! The oracles are used by the properties in `tests/it`, by the fuzz targets in `fuzz/` and by the
//! replay of what these have found.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an oracle is a test: it panics with what it has found"
)]

pub mod json;
pub mod oracle;
pub mod scripted;
pub mod targets;
pub mod uri;

/// The program in the README builds.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
