//! From the bytes of a fuzzer to an oracle: one function for each fuzz target, called by the target
//! itself and, on stable, by the tests that replay the corpora and past crashes.

use arbitrary::{Arbitrary, Unstructured};

use usage_proto::oracles::Answer;

use crate::oracle::{
    answer, exchange, payload, proxy, registration, reporter, request, retry_after,
};

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the binary in `fuzz/`, and of the folders with its inputs.
    pub name: &'static str,
    /// Runs one input.
    pub run: fn(&[u8]),
}

/// Every fuzz target.
pub const TARGETS: [Target; 8] = [
    Target { name: "payload", run: payload },
    Target { name: "request", run: request },
    Target { name: "answer", run: answer },
    Target { name: "exchange", run: exchange },
    Target { name: "url", run: url },
    Target { name: "proxy", run: proxy },
    Target { name: "retry_after", run: retry_after },
    Target { name: "reporter", run: reporter },
];

/// A payload, made from the bytes by `arbitrary`: encoding and reading back.
pub fn payload(data: &[u8]) {
    if let Ok(input) = payload::Input::arbitrary_take_rest(Unstructured::new(data)) {
        payload::check(&input);
    }
}

/// A request as text (see [`request::Input::from_text`]): reading it as a server does.
pub fn request(data: &[u8]) {
    if let Some(input) = request::Input::from_text(data) {
        request::check(&input);
    }
}

/// An answer as text (see [`Answer::from_text`]): judging it.
pub fn answer(data: &[u8]) {
    if let Some(input) = Answer::from_text(data) {
        answer::check(&input);
    }
}

/// The other side of an exchange as text (see [`exchange::Input::from_text`]): what comes of its
/// answer. The same bytes are calls of an exchange in any order, too.
pub fn exchange(data: &[u8]) {
    if let Some(input) = exchange::Input::from_text(data) {
        exchange::check(&input);
    }
    exchange::check_any_order(data);
}

/// A registration as text (see [`registration::Input::from_text`]): base URL, registration URL and
/// redirect.
pub fn url(data: &[u8]) {
    if let Some(input) = registration::Input::from_text(data) {
        registration::check(&input);
    }
}

/// A base URL and an environment as text (see [`proxy::Input::from_text`]): the choice of a proxy.
pub fn proxy(data: &[u8]) {
    if let Some(input) = proxy::Input::from_text(data) {
        proxy::check(&input);
    }
}

/// `Retry-After` and, after a line break, `Date`.
pub fn retry_after(data: &[u8]) {
    let mut lines = data.splitn(2, |&byte| byte == b'\n');
    retry_after::check(lines.next().unwrap_or_default(), lines.next());
}

/// The life of a reporter as pairs of bytes (see `oracle::reporter::Case`): the laws of
/// `usage-reporter`.
pub fn reporter(data: &[u8]) {
    reporter::check(&reporter::Case::from_bytes(data));
}
