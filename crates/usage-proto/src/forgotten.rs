//! What comes of a request to be forgotten.

use serde_json::Value;

use crate::error::ResponseError;
use crate::saved::Saved;

/// The API has forgotten a server: the answer to [`Forget`](crate::Forget) was a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// How many reports it has erased: those that were there, so that it is 0 the second time. `None`
    /// if it does not say.
    pub reports: Option<u64>,
}

impl Forgotten {
    /// What a success says. A page for people is none (rule W30).
    pub(crate) fn of(saved: Saved) -> Result<Self, ResponseError> {
        let saved = saved.refuse_page()?;
        let body: Option<Value> = serde_json::from_slice(saved.body()).ok();
        Ok(Self { reports: body.and_then(|body| body.get("reports")?.as_u64()) })
    }
}
