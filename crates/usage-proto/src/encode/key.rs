//! The keys of maps: JSON knows texts alone, so numbers and booleans become some.

use std::fmt::Display;

use serde::ser::{Error as _, Impossible};
use serde::{Serialize, Serializer};

use super::encoder::Encoder;
use super::fault::Fault;
use super::text;
use super::text_only::{refuse, refuse_all_but_single_values};

/// Writes a key, as `serde_json` would, with what stands around it.
pub(super) struct KeyEncoder<'e> {
    pub(super) encoder: &'e mut Encoder,
    /// Whether it is the first of its map.
    pub(super) first: bool,
}

impl KeyEncoder<'_> {
    fn around(self, write: impl FnOnce(&mut Encoder) -> Result<(), Fault>) -> Result<(), Fault> {
        if !self.first {
            self.encoder.out.push(b',')?;
        }
        write(self.encoder)?;
        Ok(self.encoder.out.push(b':')?)
    }

    /// What needs no escape, as it is as a value.
    fn quoted(self, value: impl Serialize) -> Result<(), Fault> {
        self.around(|encoder| {
            encoder.out.push(b'"')?;
            value.serialize(&mut *encoder)?;
            Ok(encoder.out.push(b'"')?)
        })
    }
}

#[cold]
fn not_a_text() -> Fault {
    Fault::custom("key must be a string")
}

macro_rules! quoted {
    ($($method:ident: $ty:ty;)*) => {
        $(fn $method(self, value: $ty) -> Result<(), Fault> {
            self.quoted(value)
        })*
    };
}

impl Serializer for KeyEncoder<'_> {
    quoted! {
        serialize_bool: bool;
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
        serialize_f32: f32;
        serialize_f64: f64;
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        Ok(text::key(&mut self.encoder.out, self.first, value)?)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Fault> {
        self.serialize_str(variant)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        self.around(|encoder| encoder.collect_str(value))
    }

    refuse_all_but_single_values!(not_a_text);
}
