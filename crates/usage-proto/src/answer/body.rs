//! The body of an error answer: the usual forms by a fast path, everything else leniently.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::{fmt, mem};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::SliceRead;
use serde_json::value::RawValue;

use super::fold::is_key;
use crate::error::{ResponseErrorKind, SimpleError, ValidationErrors};

/// What an error body said: at least one of the two (rule W34).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    message: Option<String>,
    errors: Option<BTreeMap<String, Vec<String>>>,
}

impl Shape {
    /// `hidden` gives a text without what is secret in it, if there is something.
    pub(super) fn into_kind(self, hidden: impl Fn(&str) -> Option<String>) -> ResponseErrorKind {
        let clean = |text: String| hidden(&text).unwrap_or(text);
        let message = self.message.map(clean);
        let Some(mut errors) = self.errors else {
            return ResponseErrorKind::Simple(SimpleError::new(message.unwrap_or_default()));
        };
        for text in errors.values_mut().flatten() {
            *text = clean(mem::take(text));
        }
        if errors.keys().any(|field| hidden(field).is_some()) {
            let dirty = mem::take(&mut errors);
            errors.extend(dirty.into_iter().map(|(field, texts)| (clean(field), texts)));
        }
        ResponseErrorKind::Validation(ValidationErrors { errors, message })
    }
}

/// Reads a body of either shape; `None` if it is neither (rule W33).
pub(super) fn parse(body: &[u8]) -> Option<Shape> {
    fast(body).or_else(|| lenient(body))
}

/// The two forms that the API is known to send, and nothing else beside them.
fn fast(body: &[u8]) -> Option<Shape> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Usual {
        error: Option<String>,
        errors: Option<BTreeMap<String, Vec<String>>>,
    }

    // A derived struct is read from a list too, which is neither shape.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let Usual { error, errors } = serde_json::from_slice(body).ok()?;
    (error.is_some() || errors.is_some()).then_some(Shape { message: error, errors })
}

/// At least as lenient as Go's decoder (rules W35 and W36): a byte order mark, bytes that are no
/// UTF-8, any letter case of the keys, repeated keys, unknown fields of any depth, and anything
/// behind the object.
fn lenient(body: &[u8]) -> Option<Shape> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let mut deserializer = reader(&text);
    // What follows the object is not looked at: the end of the input is never asked for.
    let shape = deserializer.deserialize_map(ShapeVisitor).ok()?;
    (shape.message.is_some() || shape.errors.is_some()).then_some(shape)
}

/// All is read as bytes, text as well: a reader of texts would be the whole of `serde_json`'s reading
/// a second time in the program.
fn reader(text: &str) -> serde_json::Deserializer<SliceRead<'_>> {
    serde_json::Deserializer::from_slice(text.as_bytes())
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some(Text(key)) = map.next_key()? {
            if is_key(key.as_bytes(), "error") {
                let value: &RawValue = map.next_value()?;
                // A later value of another type does not undo an earlier message.
                shape.message = string(value).or(shape.message);
            } else if is_key(key.as_bytes(), "errors") {
                let value: &RawValue = map.next_value()?;
                if let Some(fields) = fields(value) {
                    shape.errors.get_or_insert_default().extend(fields);
                }
            } else {
                // Skipping keeps no stack, so nesting has no limit here.
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(shape)
    }
}

/// The fields of an `errors` object; `None` if it is no object.
fn fields(value: &RawValue) -> Option<BTreeMap<String, Vec<String>>> {
    struct Fields;

    impl<'de> Visitor<'de> for Fields {
        type Value = BTreeMap<String, Vec<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = BTreeMap::new();
            while let Some(Text(field)) = map.next_key()? {
                fields.insert(field, messages(map.next_value()?));
            }
            Ok(fields)
        }
    }

    reader(value.get()).deserialize_map(Fields).ok()
}

/// The messages about one field: a list, a single text, or whatever else as its JSON text.
fn messages(value: &RawValue) -> Vec<String> {
    match value.get().as_bytes().first() {
        Some(b'[') => list(value).unwrap_or_else(|| vec![value.get().to_owned()]),
        _ if value.get() == "null" => Vec::new(),
        _ => vec![message(value)],
    }
}

/// One message: a text as it is, `null` as the empty text, anything else as its JSON text.
fn message(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        json => string(value).unwrap_or_else(|| json.to_owned()),
    }
}

fn list(value: &RawValue) -> Option<Vec<String>> {
    struct List;

    impl<'de> Visitor<'de> for List {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(value) = seq.next_element()? {
                list.push(message(value));
            }
            Ok(list)
        }
    }

    reader(value.get()).deserialize_seq(List).ok()
}

/// The text of a JSON string; `None` for any other value.
fn string(value: &RawValue) -> Option<String> {
    let Text(text) = serde_json::from_slice(value.get().as_bytes()).ok()?;
    Some(text)
}

/// A string that is read as bytes, since only then does `serde_json` accept the escape of a lone
/// surrogate, as Go does.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(lossy(bytes).into_owned()))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// UTF-8 with each lone surrogate, three bytes from `ED A0 80` on, as one U+FFFD.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut mended = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if let [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] = rest {
            mended.extend_from_slice("\u{fffd}".as_bytes());
            rest = after;
        } else {
            mended.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&mended).into_owned().into()
}
