//! The keys of maps: JSON knows texts alone, so numbers and booleans become some.

use std::fmt::Display;

use serde::ser::{Error as _, Impossible};
use serde::{Serialize, Serializer};

use super::encoder::{Encoder, displayed};
use super::fault::Fault;

/// Writes a key, as `serde_json` would.
pub(super) struct KeyEncoder<'e>(pub(super) &'e mut Encoder);

impl KeyEncoder<'_> {
    /// What needs no escape.
    fn plain(self, text: &str) -> Result<(), Fault> {
        let out = &mut self.0.out;
        out.push(b'"')?;
        out.extend(text.as_bytes())?;
        Ok(out.push(b'"')?)
    }
}

#[cold]
fn not_a_text() -> Fault {
    Fault::custom("key must be a string")
}

macro_rules! integers {
    ($($method:ident: $ty:ty;)*) => {
        $(fn $method(self, number: $ty) -> Result<(), Fault> {
            self.plain(itoa::Buffer::new().format(number))
        })*
    };
}

macro_rules! refused {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, Fault> {
            Err(not_a_text())
        })*
    };
}

type Never = Impossible<(), Fault>;

impl Serializer for KeyEncoder<'_> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    integers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_i128: i128;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_u128: u128;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.plain(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, number: f32) -> Result<(), Fault> {
        if !number.is_finite() {
            return Err(self.0.not_finite());
        }
        self.plain(zmij::Buffer::new().format_finite(number))
    }

    fn serialize_f64(self, number: f64) -> Result<(), Fault> {
        if !number.is_finite() {
            return Err(self.0.not_finite());
        }
        self.plain(zmij::Buffer::new().format_finite(number))
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        self.0.serialize_str(value)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Fault> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Fault> {
        Err(not_a_text())
    }

    refused! {
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        let out = &mut self.0.out;
        out.push(b'"')?;
        displayed(out, value)?;
        Ok(out.push(b'"')?)
    }
}
