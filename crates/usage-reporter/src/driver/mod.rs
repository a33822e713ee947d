//! What drives a reporter: a thread or a task, that shares it with handles.

#[cfg(feature = "blocking")]
pub mod blocking;
mod guard;
pub(crate) mod handle;
pub(crate) mod host;
mod log;
mod shared;
pub(crate) mod spawn_error;
mod suspend;
#[cfg(feature = "tokio")]
pub mod tokio;
