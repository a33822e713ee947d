//! The integration suite.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect")]

mod citations;
mod golden;
mod properties;
mod purity;
mod replay;
