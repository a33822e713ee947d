//! What `PostgreSQL` says, in words, and whether it says it at all.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// How often something is tried that others are in the way of.
const TRIES: u32 = 5;

/// Why something did not work.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// There is no connection, or it was lost: nobody knows what became of what was asked.
    Unreachable(String),
    /// It may work the next time: others were in the way.
    Again(String),
    /// It does not work.
    Other(String),
}

impl Failed {
    pub(super) fn words(self) -> String {
        match self {
            Self::Unreachable(words) | Self::Again(words) | Self::Other(words) => words,
        }
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            let mut words = error.to_string();
            if let Some(source) = error.source() {
                words = format!("{words}: {source}");
            }
            // Not the database's words, so it was not reached, or what it sent was not understood.
            return Self::Unreachable(words);
        };
        // The message alone: the detail may repeat what was to be stored.
        let words = format!("{} (SQLSTATE {})", said.message(), said.code().code());
        let state = said.code();
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(state) {
            Self::Again(words)
        } else if state.code().starts_with("57P")
            || state.code().starts_with("08")
            || *state == SqlState::TOO_MANY_CONNECTIONS
            || *state == SqlState::READ_ONLY_SQL_TRANSACTION
        {
            Self::Unreachable(words)
        } else {
            Self::Other(words)
        }
    }
}

impl From<PoolError> for Failed {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match Self::from(error) {
                // Whatever it is, there is no connection.
                Self::Other(words) | Self::Again(words) | Self::Unreachable(words) => {
                    Self::Unreachable(words)
                }
            },
            error => Self::Unreachable(error.to_string()),
        }
    }
}

/// Tries again what others were in the way of.
pub(super) fn retried<T>(work: &mut dyn FnMut() -> Result<T, Failed>) -> Result<T, Failed> {
    let mut tries = 1;
    loop {
        match work() {
            Err(Failed::Again(_)) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

pub(super) fn late(most: Duration) -> Failed {
    Failed::Unreachable(format!("there was no answer within {most:?}"))
}

pub(super) fn boxed(words: String) -> Arc<dyn Error + Send + Sync> {
    Box::<dyn Error + Send + Sync>::from(words).into()
}
