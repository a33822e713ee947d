//! A serializer around a serializer: it refuses floats that are not finite, and collects the path
//! to the one it met while the error travels outwards.

use std::cell::RefCell;
use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// The steps from the float to the root, innermost first; `None` while no such float was met.
#[derive(Default)]
pub(super) struct Trail(RefCell<Option<Vec<Step>>>);

enum Step {
    Key(String),
    Index(usize),
}

impl Trail {
    fn start<E: serde::ser::Error>(&self) -> E {
        *self.0.borrow_mut() = Some(Vec::new());
        E::custom("the number is not finite")
    }

    /// Adds a step to the trail if the outcome is the error that a float began.
    fn note<T, E>(&self, outcome: Result<T, E>, step: impl FnOnce() -> Step) -> Result<T, E> {
        if outcome.is_err()
            && let Some(steps) = self.0.borrow_mut().as_mut()
        {
            steps.push(step());
        }
        outcome
    }

    /// The path from the root, such as `[0].values.uptime`, with quotes around an odd key; `None` if every float was finite.
    pub(super) fn into_path(self) -> Option<String> {
        let steps = self.0.into_inner()?;
        let mut path = String::new();
        for step in steps.iter().rev() {
            // Writing to a `String` cannot fail.
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Key(key) if !is_plain(key) => write!(path, "[{key:?}]"),
                Step::Key(key) if path.is_empty() => write!(path, "{key}"),
                Step::Key(key) => write!(path, ".{key}"),
            };
        }
        Some(path)
    }
}

/// Whether a key can stand in a path without quotes: dots and brackets would change its meaning,
/// and a line break would break the message.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-:/ ".contains(c))
}

/// Wraps a serializer, a compound of one, or a value on its way into one.
pub(super) struct Finite<'t, T> {
    inner: T,
    trail: &'t Trail,
    /// How many elements of a sequence were written.
    index: usize,
    /// The key of a map whose value comes next.
    key: Option<String>,
    /// The variant of an enum that a compound stands in: a step of its own on the wire.
    variant: Option<&'static str>,
}

impl<'t, T> Finite<'t, T> {
    pub(super) fn new(inner: T, trail: &'t Trail) -> Self {
        Self { inner, trail, index: 0, key: None, variant: None }
    }

    fn in_variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    /// Adds the step within this compound, and the one to it, if the outcome is our error.
    fn note<O, E>(&self, outcome: Result<O, E>, step: impl FnOnce() -> Step) -> Result<O, E> {
        let outcome = self.trail.note(outcome, step);
        match self.variant {
            Some(variant) => self.trail.note(outcome, || Step::Key(variant.to_owned())),
            None => outcome,
        }
    }
}

/// A value that serializes through the wrapper, wherever it is handed to.
struct Watched<'a, 't, T: ?Sized> {
    value: &'a T,
    trail: &'t Trail,
}

impl<T: Serialize + ?Sized> Serialize for Watched<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Finite::new(serializer, self.trail))
    }
}

macro_rules! forward {
    ($($method:ident($($arg:ident: $ty:ty),*);)*) => {
        $(fn $method(self, $($arg: $ty),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        })*
    };
}

macro_rules! forward_compound {
    ($($method:ident($($arg:ident: $ty:ty),*) -> $compound:ident;)*) => {
        $(fn $method(self, $($arg: $ty),*) -> Result<Self::$compound, S::Error> {
            Ok(Finite::new(self.inner.$method($($arg),*)?, self.trail))
        })*
    };
}

impl<'t, S: Serializer> Serializer for Finite<'t, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Finite<'t, S::SerializeSeq>;
    type SerializeTuple = Finite<'t, S::SerializeTuple>;
    type SerializeTupleStruct = Finite<'t, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Finite<'t, S::SerializeTupleVariant>;
    type SerializeMap = Finite<'t, S::SerializeMap>;
    type SerializeStruct = Finite<'t, S::SerializeStruct>;
    type SerializeStructVariant = Finite<'t, S::SerializeStructVariant>;

    fn serialize_f32(self, x: f32) -> Result<S::Ok, S::Error> {
        if x.is_finite() { self.inner.serialize_f32(x) } else { Err(self.trail.start()) }
    }

    fn serialize_f64(self, x: f64) -> Result<S::Ok, S::Error> {
        if x.is_finite() { self.inner.serialize_f64(x) } else { Err(self.trail.start()) }
    }

    forward! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    forward_compound! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Finite::new(inner, self.trail).in_variant(variant))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Finite::new(inner, self.trail).in_variant(variant))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Watched { value, trail: self.trail })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Watched { value, trail: self.trail })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let watched = Watched { value, trail: self.trail };
        let outcome = self.inner.serialize_newtype_variant(name, index, variant, &watched);
        self.trail.note(outcome, || Step::Key(variant.to_owned()))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! sequence {
    ($($tr:ident::$method:ident;)*) => {
        $(impl<S: $tr> $tr for Finite<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                let outcome = self.inner.$method(&Watched { value, trail: self.trail });
                let outcome = self.note(outcome, || Step::Index(self.index));
                self.index += 1;
                outcome
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

sequence! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! structure {
    ($($tr:ident;)*) => {
        $(impl<S: $tr> $tr for Finite<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                let outcome = self.inner.serialize_field(key, &Watched { value, trail: self.trail });
                self.note(outcome, || Step::Key(key.to_owned()))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        })*
    };
}

structure! { SerializeStruct; SerializeStructVariant; }

impl<S: SerializeMap> SerializeMap for Finite<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.key = Some(key_text(key));
        self.inner.serialize_key(&Watched { value: key, trail: self.trail })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let outcome = self.inner.serialize_value(&Watched { value, trail: self.trail });
        let key = self.key.take();
        self.note(outcome, || Step::Key(key.unwrap_or_default()))
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), S::Error>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        // The map may do something else with the two at once, but nothing that JSON can tell.
        self.serialize_key(key)?;
        self.serialize_value(value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// A map's key as the path shows it: the text of a string, JSON for anything else.
fn key_text<K: Serialize + ?Sized>(key: &K) -> String {
    match serde_json::to_value(key) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        // A key that cannot be serialized fails in the encoding proper, with its own error.
        Err(_) => String::new(),
    }
}
