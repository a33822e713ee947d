//! Answers: any status, headers and bytes give a typed result with the right status, and an error body
//! says what a second reading of it says.

mod expected;
#[cfg(feature = "proptest")]
mod strategy;

#[cfg(feature = "proptest")]
pub use strategy::{inputs, tokens};

use expected::Reading;
use usage_proto::Token;
use usage_proto::oracles::{Answer, check_answer};

use super::retry_after;

/// Judges the answer and holds the outcome against the rules W6, W30 to W39, W44 and W46.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(input: &Answer) {
    retry_after::check_headers(&input.headers);
    let Err(error) = check_answer(input) else { return };
    if input.status.is_redirection() || input.body.len() > input.limit {
        return;
    }
    if let Some(reading) = Reading::of(&input.body) {
        reading.check(&error.kind, input.token.as_ref().map(Token::expose));
    }
}
