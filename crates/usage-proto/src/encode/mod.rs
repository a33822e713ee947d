//! From a payload to the bytes of a body, with the size and the floats checked on the way.
//!
//! A serializer of our own, since `serde_json` writes `null` for a float that is not finite, and asks
//! its buffer for every byte. What it writes is what `serde_json` would: properties and a fuzz target
//! hold it to that.

mod compound;
mod encoder;
mod fault;
mod key;
mod output;
mod ready;
mod text;
mod text_only;

use bytes::Bytes;
use serde::Serialize;

use self::encoder::Encoder;
use crate::error::BuildError;

/// Encodes `payload` as JSON of at most `limit` bytes (rules W9 and W15).
pub(crate) fn body<P: Serialize + ?Sized>(payload: &P, limit: usize) -> Result<Bytes, BuildError> {
    let mut encoder = Encoder::new(limit);
    let outcome = payload.serialize(&mut encoder);
    let Encoder { out, trail } = encoder;
    // These first: the payload's own `Serialize` may have dropped the error, or made another of it.
    if let Some(trail) = trail {
        return Err(BuildError::NotFinite { path: trail.into_path() });
    }
    if out.overflowed() {
        return Err(BuildError::TooLarge { limit: out.limit() });
    }
    match outcome {
        Ok(()) => Ok(out.into_bytes()),
        Err(fault) => Err(BuildError::Encode { message: fault.to_string() }),
    }
}
