//! What tests share: oracles for any input, and servers that do what a test tells them to.
//!
//! The oracles are used by the properties in `tests/it` and in `usage-reporter`, by the fuzz targets in `fuzz/` and by the
//! replay of what these have found. The servers, behind the feature `servers`, are used by the
//! suite over every adapter in `tests/adapters` and by the tests of the adapters themselves. The
//! tests that hold a crate to its dependencies ask `dependencies`, behind the feature of that name.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an oracle is a test: it panics with what it has found"
)]

#[cfg(feature = "servers")]
pub mod bench;
#[cfg(feature = "servers")]
pub mod child;
#[cfg(all(unix, feature = "servers"))]
pub mod cluster;
#[cfg(feature = "dependencies")]
pub mod dependencies;
pub mod json;
#[cfg(feature = "servers")]
pub mod logged;
#[cfg(feature = "tasks")]
pub mod neighbours;
pub mod oracle;
#[cfg(feature = "servers")]
pub mod outcome;
#[cfg(feature = "servers")]
pub mod proxy;
#[cfg(feature = "servers")]
pub mod samples;
#[cfg(feature = "servers")]
pub mod scripted;
pub mod targets;
#[cfg(feature = "servers")]
pub mod tls;
pub mod uri;
#[cfg(feature = "browser")]
pub mod webdriver;

/// The programs in the README build.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
