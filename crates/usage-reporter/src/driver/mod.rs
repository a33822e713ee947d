//! What both drivers are made of: a reporter that a thread or a task shares with handles.

mod error;
mod guard;
mod handle;
mod host;
mod log;
mod shared;

pub use error::SpawnError;
pub(crate) use guard::{Panicked, caught};
pub use handle::{Driver, Handle};
pub use host::Host;
pub(crate) use shared::{Clock, Shared, collect, store};

use std::sync::Arc;

use crate::Reporter;

/// The beginning of every driver: nothing is started where reporting is off.
pub(crate) fn share<D: Clock>(
    reporter: Reporter,
    host: &impl Host,
    driver: D,
) -> Result<Arc<Shared<D>>, SpawnError> {
    let consent = host.consent();
    if !consent.is_on() {
        return Err(SpawnError::Off { consent: consent.clone() });
    }
    Ok(Arc::new(Shared::new(reporter, driver)))
}
