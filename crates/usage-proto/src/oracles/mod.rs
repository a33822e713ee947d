//! What must hold for any payload and any answer, for fuzzing and for properties: an oracle panics with
//! what is broken.
//!
//! This project's own properties and fuzz targets call them. A product calls them for what it reports:
//! a type of its own that is [`Saveable`](crate::Saveable), made by a fuzzer.
//!
//! ```
//! use usage_proto::{UsageData, Usage, oracles};
//!
//! # let (from_a_fuzzer, bytes) = (0.5, b"503\nRetry-After: 5\n\n<!DOCTYPE html>");
//! let usage = Usage::new("tinykv").data(UsageData::new().value("load", from_a_fuzzer));
//! oracles::check_request(&usage);
//!
//! if let Some(answer) = oracles::Answer::from_text(bytes) {
//!     let _judged = oracles::check_answer(&answer);
//! }
//! ```
//!
//! - [`check_request`]: a payload is sent as it is, or refused with a typed error. The path has each
//!   segment once, escaped; the body is JSON and is never above the limit. [`check_payload`] reads a
//!   built-in payload back as well.
//! - [`check_answer`]: an answer never panics, keeps its bounds and its status, and is told in clean
//!   lines without the token.
//! - [`check_error`] and [`check_debug`]: a secret is in no text.
//!
//! With the feature `arbitrary`, payloads, [`Answer`] and [`Registration`](crate::Registration) are made
//! of a fuzzer's bytes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an oracle is a test: it panics with what it has found"
)]

mod arrived;
mod built;
mod judged;
mod shown;

pub use self::arrived::Answer;
pub use self::built::{check_limit, check_payload, check_request};
pub use self::judged::check_answer;
pub use self::shown::{
    LONGEST_EXCERPT, check_debug, check_error, check_excerpt, check_silent, is_clean, is_telling,
};
