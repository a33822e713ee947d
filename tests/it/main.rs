//! The integration suite.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

mod citations;
mod fresh_product;
mod golden;
mod properties;
mod purity;
mod replay;
