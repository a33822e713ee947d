//! Values as JSON.

use std::fmt::{self, Display, Write as _};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use super::compound::Compound;
use super::fault::{Fault, Step, Trail};
use super::output::Output;
use super::text;

/// By these names `serde_json` hands over JSON that is ready: its `RawValue`, and its `Number` where
/// some crate of the host turns on the feature `arbitrary_precision`.
const READY: [&str; 2] = ["$serde_json::private::RawValue", "$serde_json::private::Number"];

/// Writes values into one buffer, as `serde_json` would.
///
/// Unlike it, a float that is not finite is an error, and the path to it is kept.
pub(super) struct Encoder {
    pub(super) out: Output,
    /// There is one once a float was met that is not finite.
    pub(super) trail: Option<Trail>,
}

impl Encoder {
    pub(super) fn new(limit: usize) -> Self {
        Self { out: Output::new(limit), trail: None }
    }

    /// Begins a trail.
    #[cold]
    pub(super) fn not_finite(&mut self) -> Fault {
        self.trail = Some(Trail::default());
        Fault::NotFinite
    }

    /// Adds a step, if this is the error that a float began.
    #[cold]
    pub(super) fn note(&mut self, step: impl FnOnce() -> Step) {
        if let Some(trail) = &mut self.trail {
            trail.push(step());
        }
    }

    fn integer(&mut self, number: impl itoa::Integer) -> Result<(), Fault> {
        Ok(self.out.extend(itoa::Buffer::new().format(number).as_bytes())?)
    }
}

macro_rules! integers {
    ($($method:ident: $ty:ty;)*) => {
        $(#[inline]
        fn $method(self, number: $ty) -> Result<(), Fault> {
            self.integer(number)
        })*
    };
}

impl<'e> Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Compound<'e>;
    type SerializeTuple = Compound<'e>;
    type SerializeTupleStruct = Compound<'e>;
    type SerializeTupleVariant = Compound<'e>;
    type SerializeMap = Compound<'e>;
    type SerializeStruct = Compound<'e>;
    type SerializeStructVariant = Compound<'e>;

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
        Ok(self.out.extend(if value { b"true" } else { b"false" })?)
    }

    fn serialize_f32(self, number: f32) -> Result<(), Fault> {
        if !number.is_finite() {
            return Err(self.not_finite());
        }
        Ok(self.out.extend(zmij::Buffer::new().format_finite(number).as_bytes())?)
    }

    fn serialize_f64(self, number: f64) -> Result<(), Fault> {
        if !number.is_finite() {
            return Err(self.not_finite());
        }
        Ok(self.out.extend(zmij::Buffer::new().format_finite(number).as_bytes())?)
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Fault> {
        Ok(text::quoted(&mut self.out, value)?)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Fault> {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        Ok(self.out.extend(b"null")?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.serialize_unit()
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

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.out.push(b'{')?;
        text::key(&mut self.out, true, variant)?;
        if let Err(fault) = value.serialize(&mut *self) {
            self.note(|| Step::Key(variant.to_owned()));
            return Err(fault);
        }
        Ok(self.out.push(b'}')?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'e>, Fault> {
        Compound::list(self, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'e>, Fault> {
        Compound::list(self, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'e>, Fault> {
        Compound::list(self, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'e>, Fault> {
        Compound::list(self, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'e>, Fault> {
        Compound::map(self, None)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'e>, Fault> {
        if READY.contains(&name) { Ok(Compound::ready(self)) } else { Compound::map(self, None) }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'e>, Fault> {
        Compound::map(self, Some(variant))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        self.out.push(b'"')?;
        displayed(&mut self.out, value)?;
        Ok(self.out.push(b'"')?)
    }
}

/// Writes what is displayed, piece by piece, with its escapes.
fn displayed(out: &mut Output, value: &(impl Display + ?Sized)) -> Result<(), Fault> {
    struct Pieces<'o>(&'o mut Output);

    impl fmt::Write for Pieces<'_> {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            text::escaped(self.0, piece).map_err(|_| fmt::Error)
        }
    }

    let shown = write!(Pieces(out), "{value}");
    match shown {
        Ok(()) => Ok(()),
        Err(_) if out.overflowed() => Err(Fault::Overflow),
        Err(_) => Err(Fault::custom("a value could not be displayed")),
    }
}
