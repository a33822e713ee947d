//! Everything that can go wrong with a command.

use std::error::Error;
use std::fmt;
use std::io;

use serde::Serialize;
use usage_files::FileError;
use usage_proto::{BuildError, ResponseError, TransportError};
use usage_reporter::{ForgetOutcome, Risk, StateFileError, SubmitError};
use usage_server::{ServerError, StoreError};

use crate::forget_words::forget_words;

type Source = Box<dyn Error + Send + Sync>;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request could not be built; a file that cannot be read or understood is a reason, too.
    #[error("{message}")]
    Build {
        message: String,
        /// The part of the input that is to blame.
        field: Option<String>,
        source: Option<Source>,
    },
    /// There is no client for what the environment says, such as a proxy that cannot be used.
    #[error(transparent)]
    Client(Source),
    /// The state file cannot be used.
    #[error(transparent)]
    State(StateFileError),
    /// The API answered, and not with success.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// There was no answer, and a proxy stands between.
    #[error(transparent)]
    ThroughProxy(TransportError),
    /// The API wants no more reports; what became of those until then.
    #[error("the API answered 410 Gone: it wants no more reports from this program; {0}")]
    Gone(Totals),
    /// Somebody who wants to be forgotten is not.
    #[error("{}", forget_words(.0))]
    NotForgotten(ForgetOutcome),
    /// No token came.
    #[error("{0}")]
    NotRegistered(String),
    /// The server did not start, or not end, as it should.
    #[error(transparent)]
    Server(Source),
    /// Standard output does not take what there is to say. A closed pipe is no failure.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

/// What became of the reports of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    /// Given up at the end.
    pub(crate) pending: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, lost, pending } = self;
        write!(f, "{delivered} delivered, {lost} lost")?;
        if *pending > 0 { write!(f, ", {pending} given up") } else { Ok(()) }
    }
}

impl Failure {
    /// A file that was not read; `what` it is, in words between "read" and its name.
    pub(crate) fn unread(error: FileError, what: &str, field: Option<String>) -> Self {
        match error {
            FileError::Io { path, source, .. } => Self::Build {
                message: format!("cannot read {what}{}", path.display()),
                field,
                source: Some(source.into()),
            },
            error => Self::Build { message: error.to_string(), field, source: None },
        }
    }

    /// A report that the schedule does not take.
    pub(crate) fn submit(error: SubmitError) -> Self {
        match error {
            SubmitError::Build(error) => error.into(),
            error => Self::Build { message: error.to_string(), field: None, source: None },
        }
    }

    /// A failure of the embedded server, or of its database.
    pub(crate) fn server(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Server(error.into())
    }

    /// The server did not start, and perhaps since its database may be somebody else's.
    pub(crate) fn not_started(error: ServerError) -> Self {
        match &error {
            ServerError::Store(StoreError::File(file)) => match file.risk() {
                Some(risk) => Self::Server(accept_by_option(file, risk).into()),
                None => Self::server(error),
            },
            _ => Self::server(error),
        }
    }
}

/// The library tells what would be accepted, and this command how that is said.
fn accept_by_option(error: &impl Error, risk: Risk) -> String {
    format!("{error} (--accept-file {risk})")
}

impl From<StateFileError> for Failure {
    fn from(error: StateFileError) -> Self {
        match error.risk() {
            Some(risk) => {
                Self::Build { message: accept_by_option(&error, risk), field: None, source: None }
            }
            None => Self::State(error),
        }
    }
}

/// Says it in terms of this command's options where the library speaks of its own methods.
impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let (message, field) = match &error {
            BuildError::PlaintextToken { host, .. } => (
                format!(
                    "the token would go to `{host}` over plain http: use https, or say \
                     --allow-plaintext-token"
                ),
                error.field(),
            ),
            BuildError::TooLarge { limit, .. } => (
                format!("the body is larger than the limit of {limit} bytes: report less at once"),
                None,
            ),
            // The products are the only segments that a command lets its user choose.
            BuildError::Segment { segment, .. } => (
                format!("`{segment}` is not a product: it may not be empty, `.` or `..`"),
                Some("product"),
            ),
            BuildError::UriTooLong { .. } => (error.to_string(), Some("product")),
            _ => (error.to_string(), error.field()),
        };
        let field = field.map(str::to_owned);
        Self::Build { message, field, source: None }
    }
}
