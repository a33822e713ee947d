//! A second reading of error bodies: strict JSON first, then the rules W33 to W36 in plain steps.

use std::collections::BTreeMap;

use usage_proto::ResponseErrorKind;

use crate::json::Json;

/// What an error body says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    message: Option<String>,
    errors: Option<BTreeMap<String, Vec<Message>>>,
}

#[derive(Debug)]
enum Message {
    Text(String),
    /// Shown as its JSON text.
    Other(Json),
}

impl Reading {
    /// Reads a body that is one JSON text in UTF-8; `None` for anything else.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let mut reading = Self::default();
        let Json::Map(entries) = Json::parse(body).ok()? else { return Some(reading) };
        for (key, value) in entries {
            // Go folds letters as Unicode does; U+017F is the one that matters here.
            match (key.replace('\u{17f}', "s").to_ascii_lowercase().as_str(), value) {
                ("error", Json::Text(text)) => reading.message = Some(text),
                ("errors", Json::Map(fields)) => {
                    let errors = reading.errors.get_or_insert_default();
                    errors.extend(fields.into_iter().map(|(field, told)| (field, messages(told))));
                }
                _ => {}
            }
        }
        Some(reading)
    }

    /// Holds the outcome against the reading, in which `secret` may stand.
    pub(super) fn check(&self, kind: &ResponseErrorKind, secret: Option<&str>) {
        match (&self.errors, kind) {
            (Some(fields), ResponseErrorKind::Validation(errors)) => {
                let same = match (&self.message, &errors.message) {
                    (Some(text), Some(found)) => is_shown(text, found, secret),
                    (expected, found) => expected == found,
                };
                assert!(same, "W34: beside the errors: {:?}", errors.message);
                assert!(errors.errors.len() <= fields.len(), "W35: a field is made up: {errors:?}");
                for (name, told) in fields {
                    // Two names may become one when the secret in them is replaced.
                    let mut shown = errors.errors.iter();
                    let kept = shown.any(|(found, texts)| {
                        is_shown(name, found, secret) && are_shown(told, texts, secret)
                    });
                    assert!(kept, "W35: `{name}` with {told:?} is dropped: {errors:?}");
                }
            }
            (None, ResponseErrorKind::Simple(error)) => {
                let text = self.message.as_ref();
                let same = text.is_some_and(|text| is_shown(text, &error.message, secret));
                assert!(same, "W31: {text:?} is {:?}", error.message);
            }
            (None, ResponseErrorKind::Unexpected { .. }) => {
                assert_eq!(self.message, None, "W34: the message was not found");
            }
            (_, other) => panic!("W34: the body says {self:?}, but the kind is {other:?}"),
        }
    }
}

/// W35: a text is one message, null is none, a list is as many as it has.
fn messages(value: Json) -> Vec<Message> {
    let one = |value| match value {
        Json::Text(text) => Message::Text(text),
        Json::Null => Message::Text(String::new()),
        other => Message::Other(other),
    };
    match value {
        Json::Null => Vec::new(),
        Json::List(list) => list.into_iter().map(one).collect(),
        other => vec![one(other)],
    }
}

fn are_shown(expected: &[Message], found: &[String], secret: Option<&str>) -> bool {
    let same = |(expected, found): (&Message, &String)| match expected {
        Message::Text(text) => is_shown(text, found, secret),
        // A secret inside is replaced, which may leave no JSON behind.
        Message::Other(json) => {
            Json::parse(found.as_bytes()).is_ok_and(|found| &found == json) || found.contains(MARK)
        }
    };
    expected.len() == found.len() && expected.iter().zip(found).all(same)
}

/// What stands in the place of a secret (W6).
const MARK: &str = "[redacted]";

/// How much of a secret is worth something.
const WORTH: usize = 8;

/// Whether `found` is `text`, with the secret replaced where it stands, escaped or cut short, and
/// nothing else.
fn is_shown(text: &str, found: &str, secret: Option<&str>) -> bool {
    let Some(secret) = secret.filter(|secret| secret.len() >= WORTH) else { return found == text };
    if found == text {
        return !text.contains(secret);
    }
    let pieces: Vec<_> = found.split(MARK).collect();
    let mut rest = text;
    let in_order = pieces.iter().all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    });
    let around = text.starts_with(pieces[0]) && text.ends_with(pieces[pieces.len() - 1]);
    let may_stand = text.contains(&secret[..WORTH]) || text.contains(['%', '\\', '+']);
    in_order && around && may_stand
}
