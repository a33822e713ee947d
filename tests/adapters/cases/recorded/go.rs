//! What the Go client made of an answer, and which rule says otherwise.

use std::collections::BTreeMap;

use serde::Deserialize;
use testkit::outcome::{Outcome, Refusal};

use super::{REDIRECTS, Recorded};

/// What the Go client returned.
#[derive(Debug)]
pub(super) enum Seen {
    Success(u16),
    Simple(u16, String),
    Validation(u16, BTreeMap<String, Vec<String>>),
    /// An error about the body: the status is not in it.
    Lost,
    NoAnswer,
}

pub(super) fn seen(recorded: &Recorded) -> Seen {
    let text = recorded.go_error_text.clone().unwrap_or_default();
    let status = || recorded.go_status.unwrap();
    match recorded.go_error_type.as_deref() {
        None => Seen::Success(status()),
        Some("client.SimpleError") => Seen::Simple(status(), text),
        Some("client.ValidationErrors") => Seen::Validation(status(), validation(&text)),
        Some("*url.Error") => Seen::NoAnswer,
        Some("*errors.errorString" | "*net.OpError") => Seen::Lost,
        Some(other) if other.starts_with("*json.") => Seen::Lost,
        Some(other) => panic!("{}: what is the Go type {other}?", recorded.name),
    }
}

/// `{"errors":{…}}` as the Go type prints itself; `null` is empty.
fn validation(text: &str) -> BTreeMap<String, Vec<String>> {
    #[derive(Deserialize)]
    struct Printed {
        errors: Option<BTreeMap<String, Option<Vec<String>>>>,
    }
    let printed: Printed = serde_json::from_str(text).unwrap();
    let fields = printed.errors.unwrap_or_default().into_iter();
    fields.map(|(field, texts)| (field, texts.unwrap_or_default())).collect()
}

/// The rule by which the outcome is another than Go's; `None` if it is the same.
pub(super) fn rule(recorded: &Recorded) -> Option<u8> {
    let go = seen(recorded);
    let here = recorded.expected(None);
    match (&go, &here) {
        (Seen::Success(status), Outcome::Saved { status: ours, .. }) if status == ours => None,
        (
            Seen::Simple(status, text),
            Outcome::Refused { status: ours, kind: Refusal::Simple(message), .. },
        ) if status == ours && text == message => None,
        (
            Seen::Validation(status, fields),
            Outcome::Refused {
                status: ours,
                kind: Refusal::Validation { message: None, errors },
                ..
            },
        ) if status == ours && fields == errors => None,
        (_, Outcome::Refused { status, .. }) if REDIRECTS.contains(status) => Some(37),
        (Seen::Success(_), Outcome::Refused { .. }) => Some(32),
        (_, Outcome::Refused { .. }) if recorded.breaks_off() => Some(46),
        (_, Outcome::Refused { kind: Refusal::Unexpected { .. }, .. }) => Some(33),
        // Go knows one shape for each status, and no other form of a message.
        (Seen::Simple(..) | Seen::Validation(..), Outcome::Refused { .. }) => Some(34),
        (_, Outcome::Refused { kind: Refusal::Validation { .. }, .. }) => Some(35),
        // Go takes a status that is no number of three digits, and any version of HTTP.
        (Seen::NoAnswer | Seen::Success(_), Outcome::Unanswered { .. }) => Some(40),
        _ => panic!("{}: neither the same nor by rule: Go {go:?}, here {here:?}", recorded.name),
    }
}
