//! What two serializers have in common that take texts: they refuse all that is made of parts.

/// The types and methods by which a `Serializer` refuses what is not a single value, with the error
/// that `$refusal` makes.
///
/// What only stands around a value (`Some`, a newtype) counts as that value.
macro_rules! refuse_all_but_single_values {
    ($refusal:path) => {
        type Ok = ();
        type Error = Fault;
        type SerializeSeq = Impossible<(), Fault>;
        type SerializeTuple = Impossible<(), Fault>;
        type SerializeTupleStruct = Impossible<(), Fault>;
        type SerializeTupleVariant = Impossible<(), Fault>;
        type SerializeMap = Impossible<(), Fault>;
        type SerializeStruct = Impossible<(), Fault>;
        type SerializeStructVariant = Impossible<(), Fault>;

        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
            value.serialize(self)
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
            _: &'static str,
            _: &T,
        ) -> Result<(), Fault> {
            Err($refusal())
        }

        refuse! {
            $refusal;
            serialize_bytes(&[u8]) -> ();
            serialize_none() -> ();
            serialize_unit() -> ();
            serialize_unit_struct(&'static str) -> ();
            serialize_seq(Option<usize>) -> Impossible<(), Fault>;
            serialize_tuple(usize) -> Impossible<(), Fault>;
            serialize_tuple_struct(&'static str, usize) -> Impossible<(), Fault>;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Fault>;
            serialize_map(Option<usize>) -> Impossible<(), Fault>;
            serialize_struct(&'static str, usize) -> Impossible<(), Fault>;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Fault>;
        }
    };
}

/// Methods that refuse what they are given.
macro_rules! refuse {
    ($refusal:path; $($method:ident($($arg:ty),*) -> $ok:ty;)*) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, Fault> {
            Err($refusal())
        })*
    };
}

pub(super) use {refuse, refuse_all_but_single_values};
