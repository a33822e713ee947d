//! JSON that is ready, and only copied.

use serde::ser::{Error as _, Impossible};
use serde::{Serialize, Serializer};

use super::fault::Fault;
use super::output::Output;
use super::text_only::{refuse, refuse_all_but_single_values};

/// Takes a text and writes it as it is.
pub(super) struct Ready<'o>(pub(super) &'o mut Output);

fn not_ready() -> Fault {
    Fault::custom("expected JSON that is ready")
}

impl Serializer for Ready<'_> {
    fn serialize_str(self, json: &str) -> Result<(), Fault> {
        Ok(self.0.extend(json.as_bytes())?)
    }

    refuse! {
        not_ready;
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
    }

    refuse_all_but_single_values!(not_ready);
}
