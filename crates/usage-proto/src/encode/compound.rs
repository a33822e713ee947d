//! Lists and maps, and what serde counts among them.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::encoder::Encoder;
use super::fault::{Fault, Step};
use super::key::KeyEncoder;
use super::ready::Ready;
use super::text;

/// A list or a map that is being written.
pub(super) struct Compound<'e> {
    encoder: &'e mut Encoder,
    kind: Kind,
    /// The variant of an enum that it stands in: a step of its own on the wire.
    variant: Option<&'static str>,
    /// How many elements were written.
    count: usize,
    /// Where the key begins whose value comes next, or the comma in front of it.
    key_at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    /// JSON that is ready; nothing stands around it.
    Ready,
}

impl<'e> Compound<'e> {
    #[inline]
    fn new(encoder: &'e mut Encoder, kind: Kind, variant: Option<&'static str>) -> Self {
        Self { encoder, kind, variant, count: 0, key_at: 0 }
    }

    #[inline]
    pub(super) fn list(
        encoder: &'e mut Encoder,
        variant: Option<&'static str>,
    ) -> Result<Self, Fault> {
        open_variant(encoder, variant)?;
        encoder.out.push(b'[')?;
        Ok(Self::new(encoder, Kind::List, variant))
    }

    #[inline]
    pub(super) fn map(
        encoder: &'e mut Encoder,
        variant: Option<&'static str>,
    ) -> Result<Self, Fault> {
        open_variant(encoder, variant)?;
        encoder.out.push(b'{')?;
        Ok(Self::new(encoder, Kind::Map, variant))
    }

    pub(super) fn ready(encoder: &'e mut Encoder) -> Self {
        Self::new(encoder, Kind::Ready, None)
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        if self.count > 0 {
            self.encoder.out.push(b',')?;
        }
        if let Err(fault) = value.serialize(&mut *self.encoder) {
            let index = self.count;
            self.note(|| Step::Index(index));
            return Err(fault);
        }
        self.count += 1;
        Ok(())
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        if self.kind == Kind::Ready {
            return value.serialize(Ready(&mut self.encoder.out));
        }
        text::key(&mut self.encoder.out, self.count == 0, key)?;
        if let Err(fault) = value.serialize(&mut *self.encoder) {
            self.note(|| Step::Key(key.to_owned()));
            return Err(fault);
        }
        self.count += 1;
        Ok(())
    }

    #[inline]
    fn close(self) -> Result<(), Fault> {
        let out = &mut self.encoder.out;
        match self.kind {
            Kind::List => out.push(b']')?,
            Kind::Map => out.push(b'}')?,
            Kind::Ready => {}
        }
        if self.variant.is_some() {
            out.push(b'}')?;
        }
        Ok(())
    }

    /// Adds the step within this compound, and the one to it.
    #[cold]
    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.encoder.note(step);
        if let Some(variant) = self.variant {
            self.encoder.note(|| Step::Key(variant.to_owned()));
        }
    }

    /// The key as the payload has it, read back from what was written.
    #[cold]
    fn key_text(&self) -> String {
        let written = self.encoder.out.written_since(self.key_at);
        let written = written.strip_prefix(b",").unwrap_or(written);
        let mut read = serde_json::Deserializer::from_slice(written);
        serde::Deserialize::deserialize(&mut read).unwrap_or_default()
    }
}

fn open_variant(encoder: &mut Encoder, variant: Option<&'static str>) -> Result<(), Fault> {
    if let Some(variant) = variant {
        encoder.out.push(b'{')?;
        text::key(&mut encoder.out, true, variant)?;
    }
    Ok(())
}

macro_rules! lists {
    ($($tr:ident::$method:ident;)*) => {
        $(impl $tr for Compound<'_> {
            type Ok = ();
            type Error = Fault;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.element(value)
            }

            fn end(self) -> Result<(), Fault> {
                self.close()
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! structs {
    ($($tr:ident;)*) => {
        $(impl $tr for Compound<'_> {
            type Ok = ();
            type Error = Fault;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Fault> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Fault> {
                self.close()
            }
        })*
    };
}

structs! { SerializeStruct; SerializeStructVariant; }

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Fault;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key_at = self.encoder.out.len();
        key.serialize(KeyEncoder { encoder: &mut *self.encoder, first: self.count == 0 })
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        if let Err(fault) = value.serialize(&mut *self.encoder) {
            let key = self.key_text();
            self.note(|| Step::Key(key));
            return Err(fault);
        }
        self.count += 1;
        Ok(())
    }

    fn end(self) -> Result<(), Fault> {
        self.close()
    }
}
