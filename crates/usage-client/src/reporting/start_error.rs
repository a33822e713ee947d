use usage_proto::BuildError;
use usage_reporter::{ConfigError, Consent, SpawnError, StateFileError, SubmitError};

/// Why reporting did not start. Nothing runs and nothing was sent.
///
/// None of it is a reason for a program to stop: log it as `{error:#}`, which has the cause behind
/// it, and go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No address was given.
    #[error("usage reporting has no address: set `Reporting::url`")]
    NoUrl,
    /// No place for the state was given.
    #[error("usage reporting has no place for its state: set `Reporting::state_file`")]
    NoStateFile,
    /// The product, the version or the token cannot be sent.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The schedule makes no sense.
    #[error(transparent)]
    Schedule(#[from] ConfigError),
    /// There is no client for what the environment says, such as a proxy that cannot be used.
    #[error(transparent)]
    Client(Box<dyn std::error::Error + Send + Sync>),
    /// The state file cannot be used. Another process with the same file is
    /// [`StateFileError::Locked`].
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// The system has no random bytes for an identity.
    #[error("the system gives no random bytes for the identity of this server: {0}")]
    Random(getrandom::Error),
    /// The server's registration was not taken.
    #[error(transparent)]
    Register(#[from] SubmitError),
    /// The thread or the task could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Reporting is on, and only who has opted out can ask to be forgotten
    /// ([`Reporting::forget_me`](crate::Reporting)): set `Reporting::setting` to `Some(false)`.
    #[error("{0}: switch it off before you ask to be forgotten")]
    StillOn(Box<Consent>),
    /// The system gives no thread to open the state file on.
    #[error("the system gives no thread for usage reporting: {0}")]
    Thread(std::io::Error),
    /// The state could not be stored.
    #[error("the state of usage reporting could not be stored: {0:#}")]
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// The process that was to report could not be started.
    #[error("the process that reports usage could not be started: {0}")]
    Process(std::io::Error),
}
