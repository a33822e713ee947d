//! What the process ends with.

use usage_reporter::ForgetOutcome;

use crate::failure::Failure;

/// The exit status: scripts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Saved, or done.
    Done = 0,
    /// The server or standard output failed.
    Failed = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// The API answered, and not with success.
    Refused = 3,
    /// There was no answer.
    NoAnswer = 4,
    /// The request could not be built.
    NotBuilt = 5,
}

impl From<&Failure> for Exit {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Build { .. } | Failure::Client(_) | Failure::State(_) => Self::NotBuilt,
            Failure::NotForgotten(ForgetOutcome::Pending { is_refused: false, .. })
            | Failure::Transport(_)
            | Failure::ThroughProxy(_)
            | Failure::NotRegistered(_) => Self::NoAnswer,
            Failure::Response(_) | Failure::Gone(_) | Failure::NotForgotten(_) => Self::Refused,
            Failure::Server(_) | Failure::Output(_) => Self::Failed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
