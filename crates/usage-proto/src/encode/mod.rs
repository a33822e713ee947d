//! From a payload to the bytes of a body, with the size and the floats checked on the way.

mod buffer;
mod finite;
mod null_flag;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Serializer;

use self::buffer::LimitedBuffer;
use self::finite::{Finite, Trail};
use self::null_flag::NullFlag;
use crate::BuildError;

/// Encodes `payload` as JSON of at most `limit` bytes.
///
/// `serde_json` writes `null` for a float that is not finite. The formatter notices each `null`,
/// which costs next to nothing; only then is the payload encoded again, through a serializer that
/// tells the two apart and knows the path (rule W9). An error of `serde_json`'s own makes for a
/// second look too, since it may be about such a float as the key of a map. The bytes of that
/// second pass are the ones that are used: a payload may read live gauges, and differ from one
/// pass to the next.
pub(crate) fn body<P: Serialize + ?Sized>(payload: &P, limit: usize) -> Result<Bytes, BuildError> {
    let mut buffer = LimitedBuffer::new(limit);
    let mut formatter = NullFlag::default();
    let outcome = payload.serialize(&mut Serializer::with_formatter(&mut buffer, &mut formatter));
    if buffer.overflowed() || (outcome.is_ok() && !formatter.wrote_null()) {
        return finish(buffer, outcome);
    }

    buffer.clear();
    let trail = Trail::default();
    let outcome = payload.serialize(Finite::new(&mut Serializer::new(&mut buffer), &trail));
    match trail.into_path() {
        Some(path) => Err(BuildError::NotFinite { path }),
        None => finish(buffer, outcome),
    }
}

fn finish(buffer: LimitedBuffer, outcome: serde_json::Result<()>) -> Result<Bytes, BuildError> {
    match outcome {
        _ if buffer.overflowed() => Err(BuildError::TooLarge { limit: buffer.limit() }),
        Ok(()) => Ok(buffer.into_bytes()),
        Err(error) => Err(BuildError::Encode { message: error.to_string() }),
    }
}
