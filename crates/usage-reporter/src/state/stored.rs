//! The state as it is written.

use serde::{Deserialize, Serialize};
use usage_proto::IdempotencyKey;

use super::State;
use super::stamp::Stamp;
use super::to_forget::ToForget;

const VERSION: u32 = 1;

/// The state as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged_unix_ns: Option<Stamp>,
    /// 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unacknowledged_key: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    failures: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_due_unix_ns: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    to_forget: Vec<ToForget>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<State> for Stored {
    fn from(state: State) -> Self {
        Self {
            version: VERSION,
            server_id: state.server_id,
            cluster_id: state.cluster_id,
            acknowledged_unix_ns: state.acknowledged,
            unacknowledged_key: state.unacknowledged_key.map(|key| key.to_string()),
            failures: state.failures,
            next_due_unix_ns: state.next_due,
            to_forget: state.to_forget,
        }
    }
}

impl TryFrom<Stored> for State {
    type Error = InvalidState;

    fn try_from(stored: Stored) -> Result<Self, InvalidState> {
        if stored.version != VERSION {
            return Err(InvalidState::Version { found: stored.version });
        }
        for (field, id) in [("server_id", &stored.server_id), ("cluster_id", &stored.cluster_id)] {
            if id.as_ref().is_some_and(|id| id.trim().is_empty()) {
                return Err(InvalidState::Blank { field });
            }
        }
        Ok(Self {
            server_id: stored.server_id,
            cluster_id: stored.cluster_id,
            acknowledged: stored.acknowledged_unix_ns,
            unacknowledged_key: stored.unacknowledged_key.as_deref().map(key).transpose()?,
            failures: stored.failures,
            next_due: stored.next_due_unix_ns,
            to_forget: stored.to_forget,
            unsaved: false,
        })
    }
}

fn key(text: &str) -> Result<IdempotencyKey, InvalidState> {
    // `from_str_radix` alone would take a sign.
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    let number = number.ok_or(InvalidState::Key)?;
    Ok(IdempotencyKey::from_bytes(number.to_be_bytes()))
}

/// What was read is no state. It is not replaced by an empty one: the server would get a new
/// identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidState {
    #[error(
        "the state has version {found}, and this program knows version {VERSION}: it was written \
         by another release"
    )]
    Version { found: u32 },
    #[error("`{field}` is blank: mend the state, or remove it to start as a new server")]
    Blank { field: &'static str },
    #[error("`unacknowledged_key` is not 32 hexadecimal digits: remove it from the state")]
    Key,
}
