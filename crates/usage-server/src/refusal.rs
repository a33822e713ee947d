//! Every answer that is not a success.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use usage_proto::{ParseRequestError, ValidationErrors};

use crate::faults::FaultAnswer;
use crate::json_answer::{self, Failure};
use crate::refused::Refused;
use crate::store::error::StoreError;

/// How long a client is to wait when the queue is full, in seconds.
const BUSY_WAIT: HeaderValue = HeaderValue::from_static("5");

/// What a body may be coded with.
const UNCODED: HeaderValue = HeaderValue::from_static("identity");

/// A 401 names at least one scheme (RFC 9110, section 11.6.1). This API's has no name but that of
/// its header.
const CHALLENGE: HeaderValue = HeaderValue::from_static("X-Authorization realm=\"Usage API\"");

/// Under these names a refusal speaks of what is not a field of a report.
pub(crate) const KEY_FIELD: &str = "idempotency_key";
const BODY_FIELD: &str = "body";

/// Why a request got no success.
///
/// Deployed Go clients take 401, 404, 422 and 500 for errors and anything else for a success, so a
/// refusal that must be noticed uses one of these: 500 and not 503 where the queue is full, or a
/// report would be lost without a word. Exceptions are what no such client sends: another method
/// (405), no host or two (400), what a browser adds (403), a body that is not JSON by its own word or
/// that is coded (415), and a body above a limit that is the client's own as well (413). More than
/// the operator wants is a 429: every proxy and every newer client understands it, and what a Go client
/// takes for a success is not to come either way.
#[derive(Debug)]
pub(crate) enum Refusal {
    UnknownToken,
    UnknownRoute,
    /// A path segment that names no product.
    Segment(String),
    WrongMethod,
    /// HTTP wants exactly one host.
    Host,
    /// A browser has sent it, which says so in this header.
    Browser {
        header: &'static str,
    },
    /// The body is not JSON by its own word.
    NotJson {
        content_type: Option<String>,
    },
    /// The body is compressed or the like.
    Encoded {
        coding: String,
    },
    Invalid(ValidationErrors),
    TooLarge {
        limit: usize,
    },
    /// The body took too long.
    Late {
        deadline: Duration,
    },
    /// The body broke off, or its framing is wrong.
    Broken,
    /// The operator does not take reports for it.
    Product(String),
    /// More in a minute than one may send.
    TooMany {
        of: Sender,
        wait: Duration,
    },
    /// Others were first until the time was over.
    Crowded,
    /// Ids that anybody may guess, and no token, are no reason to erase what has them.
    Guessable {
        /// How many hexadecimal digits the server's id needs.
        least: usize,
    },
    /// There is more to erase than there was time for.
    Unfinished,
    /// The database did not erase it.
    NotErased(StoreError),
    Store(StoreError),
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sender {
    Address,
    Token,
}

impl From<ValidationErrors> for Refusal {
    fn from(errors: ValidationErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refusal {
    /// The key belongs to what it was used for first. Which that was is not told: those without a
    /// token share their keys.
    pub(crate) fn key_taken() -> Self {
        let mut errors = ValidationErrors::new();
        errors.push(
            KEY_FIELD,
            "Idempotency-Key was used for a report of another kind, or about another product: each \
             report needs a key of its own.",
        );
        Self::Invalid(errors)
    }

    /// A request that is not what the call takes.
    pub(crate) fn unread(error: &ParseRequestError) -> Self {
        match error {
            ParseRequestError::Body { message, line, column, .. } => Self::body(format!(
                "The body can not be read at line {line}, column {column}: {}.",
                message.trim_end_matches('.')
            )),
            ParseRequestError::Segment { .. } => Self::Segment(error.to_string()),
            _ => Self::UnknownRoute,
        }
    }

    /// One message about the body.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        let mut errors = ValidationErrors::new();
        errors.push(BODY_FIELD, message);
        Self::Invalid(errors)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let reason = self.reason();
        let mut response = self.answer();
        response.extensions_mut().insert(reason);
        response
    }
}

impl Refusal {
    fn reason(&self) -> Refused {
        match self {
            Self::UnknownToken => Refused::UnknownToken,
            Self::UnknownRoute | Self::Segment(_) => Refused::UnknownRoute,
            Self::WrongMethod => Refused::Method,
            Self::Host => Refused::Host,
            Self::Browser { .. } => Refused::Browser,
            Self::NotJson { .. } | Self::Encoded { .. } => Refused::MediaType,
            Self::Invalid(errors) if errors.errors.contains_key(KEY_FIELD) => {
                Refused::IdempotencyKey
            }
            Self::Invalid(errors) if errors.errors.contains_key(BODY_FIELD) => Refused::Body,
            Self::Invalid(_) => Refused::Field,
            Self::TooLarge { .. } => Refused::TooLarge,
            Self::Late { .. } => Refused::Late,
            Self::Broken => Refused::Broken,
            Self::Product(_) => Refused::Product,
            Self::TooMany { of: Sender::Address, .. } => Refused::AddressRate,
            Self::TooMany { of: Sender::Token, .. } => Refused::TokenRate,
            Self::Crowded | Self::Unfinished | Self::Store(StoreError::Busy { .. }) => {
                Refused::Busy
            }
            Self::Guessable { .. } => Refused::Guessable,
            Self::Store(_) | Self::NotErased(_) => Refused::Database,
        }
    }

    fn answer(self) -> Response {
        match self {
            Self::UnknownToken => {
                let mut response = json_answer::error(
                    StatusCode::UNAUTHORIZED,
                    "the token is not known here: check that it was copied in full, or register \
                     again for a new one; without a token the report is taken as anonymous",
                );
                response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
                response
            }
            Self::UnknownRoute => json_answer::error(
                StatusCode::NOT_FOUND,
                "no such route: this API has POST /api/v1/servers, \
                 POST /api/v1/stats/{product}, POST /api/v1/usage/{product}, \
                 POST /api/v1/forget/{product} and GET /healthz",
            ),
            Self::Segment(message) => json_answer::error(StatusCode::NOT_FOUND, message),
            Self::WrongMethod => json_answer::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "this route does not take the method: the Allow header names those that it takes",
            ),
            Self::Host => json_answer::closing(json_answer::error(
                StatusCode::BAD_REQUEST,
                "a request needs exactly one Host header, with a host and perhaps a port",
            )),
            Self::Browser { header } => json_answer::error(
                StatusCode::FORBIDDEN,
                format!(
                    "reports come from programs, and not from web pages: this one has the header \
                     {header}, which browsers send"
                ),
            ),
            Self::NotJson { content_type } => {
                let found = match content_type {
                    Some(content_type) => format!("this one says {content_type}"),
                    None => "this one says nothing".to_owned(),
                };
                json_answer::error(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!(
                        "a report is JSON, and has the header Content-Type: application/json: \
                         {found}"
                    ),
                )
            }
            Self::Encoded { coding } => {
                let mut response = json_answer::error(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!(
                        "the body has the Content-Encoding {coding}, and none is taken here: send \
                         it as it is"
                    ),
                );
                response.headers_mut().insert(ACCEPT_ENCODING, UNCODED);
                response
            }
            Self::Invalid(errors) => json_answer::json(StatusCode::UNPROCESSABLE_ENTITY, &errors),
            Self::TooLarge { limit } => json_answer::closing(json_answer::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is above the limit of {limit} bytes: send less at once"),
            )),
            Self::Late { deadline } => json_answer::closing(json_answer::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the body did not arrive within {deadline:?}: send the report again"),
            )),
            Self::Broken => json_answer::closing(Self::body("The body broke off.").into_response()),
            Self::Product(product) => {
                let mut errors = ValidationErrors::new();
                errors.push(
                    "product",
                    format!("Reports for the product {product:?} are not taken here."),
                );
                json_answer::json(StatusCode::UNPROCESSABLE_ENTITY, &errors)
            }
            Self::TooMany { of, wait } => too_many(of, wait),
            Self::Guessable { least } => json_answer::error(
                StatusCode::FORBIDDEN,
                format!(
                    "anybody may guess this server_id: to be forgotten without a token, it has to be \
                     {least} hexadecimal digits or more; send the token, or ask who runs this API"
                ),
            ),
            Self::Unfinished => later(
                "there is more to erase than there was time for: send this again to go on",
                "not all of it was erased in time",
            ),
            Self::Crowded => busy("it had not come to this report by its deadline"),
            Self::Store(failure @ StoreError::Busy { .. }) => busy(&failure.to_string()),
            Self::Store(failure) => {
                failed("the report could not be stored: send it again later", &failure)
            }
            Self::NotErased(failure) => {
                failed("not all of it could be erased: send this again later", &failure)
            }
        }
    }
}

/// In whole seconds, of which there is at least one.
fn too_many(of: Sender, wait: Duration) -> Response {
    let seconds =
        wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(u64::from(wait.is_zero()));
    let sender = match of {
        Sender::Address => "from this address",
        Sender::Token => "with this token",
    };
    let mut response = json_answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        format!("too much {sender} within a minute: send this again in {seconds} s"),
    );
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

fn failed(message: &str, failure: &StoreError) -> Response {
    let told = json_answer::chain(failure);
    if let StoreError::Unreachable { .. } = failure {
        return later(message, &told);
    }
    let mut response = json_answer::error(StatusCode::INTERNAL_SERVER_ERROR, message);
    response.extensions_mut().insert(Failure(told));
    response
}

fn busy(failure: &str) -> Response {
    later("too many reports at once: send this one again later", failure)
}

fn later(message: &str, failure: &str) -> Response {
    let mut response = json_answer::error(StatusCode::INTERNAL_SERVER_ERROR, message);
    response.headers_mut().insert(RETRY_AFTER, BUSY_WAIT);
    response.extensions_mut().insert(Failure(failure.to_owned()));
    response
}

impl IntoResponse for FaultAnswer {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = match status {
            // Neither has a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5).
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => {
                status.into_response()
            }
            _ if status.is_success() => json_answer::success(status),
            _ => json_answer::error(
                status,
                format!("a fault switch of this server answers {status}"),
            ),
        };
        let headers = response.headers_mut();
        headers.extend(self.location.map(|location| (LOCATION, location)));
        headers.extend(self.retry_after.map(|wait| (RETRY_AFTER, wait)));
        if !status.is_success() {
            response.extensions_mut().insert(Refused::Fault);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::Refusal;

    /// W57: a client that sends it again goes on with what is left.
    #[test]
    fn what_is_not_finished_is_to_be_sent_again() {
        let answer = Refusal::Unfinished.into_response();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (500, &"5".parse().unwrap())
        );
    }
}
