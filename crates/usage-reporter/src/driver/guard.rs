//! A host's code that panics must not end the reporting.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A part of the host panicked.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {message}")]
pub(crate) struct Panicked {
    message: String,
}

impl Panicked {
    #[expect(clippy::needless_pass_by_value, reason = "as a panic gives it")]
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self { message: text.unwrap_or_else(|| "without a message".to_owned()) }
    }
}

/// Runs `work`. What a panic leaves half done is the host's own: nothing of a reporter is touched
/// in there, and no lock of ours is held.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(Panicked::new)
}
