//! Answers that a healthy server would not give, to try out a client.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderValue, StatusCode};

/// Switches that make the four `POST` routes of the API misbehave. A clone works the same switches.
///
/// They can be thrown before the server starts ([`Config::faults`](crate::Config::faults)) and
/// while it runs ([`Server::faults`](crate::Server::faults)). A request that is answered by a
/// failure or a redirect was read in full, and nothing of it is stored. Where both are switched
/// on, the failures come first, and one with a 3xx status carries the redirect's `Location`.
///
/// ```
/// use std::time::Duration;
/// use usage_server::Faults;
///
/// let faults = Faults::new();
/// faults.fail(Some("503:3".parse()?)); // the next three requests
/// faults.retry_after(Some("30"))?;
/// faults.delay(Duration::from_millis(200));
/// faults.clear();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Faults {
    switches: Arc<Mutex<Switches>>,
}

#[derive(Debug, Default)]
struct Switches {
    fail: Option<FailRule>,
    delay: Duration,
    redirect: Option<HeaderValue>,
    retry_after: Option<HeaderValue>,
}

impl Faults {
    /// No faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers requests with a status, or stops doing so.
    pub fn fail(&self, rule: Option<FailRule>) {
        self.lock().fail = rule;
    }

    /// Waits before each answer. A report that is stored is stored before the wait, so a client
    /// that gives up meanwhile has been heard: its retry shows whether it sends the same
    /// idempotency key.
    pub fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Answers each request with 307 and this `Location`, as it stands; `None` stops it.
    ///
    /// # Errors
    ///
    /// [`InvalidFault`] if the text can not stand in a header.
    pub fn redirect(&self, location: Option<&str>) -> Result<(), InvalidFault> {
        let location = location.map(|text| header("redirect URL", text)).transpose()?;
        self.lock().redirect = location;
        Ok(())
    }

    /// Sends `Retry-After` with failures and redirects: seconds, an HTTP date, or nonsense to try
    /// a client with.
    ///
    /// # Errors
    ///
    /// [`InvalidFault`] if the text can not stand in a header.
    pub fn retry_after(&self, value: Option<&str>) -> Result<(), InvalidFault> {
        let value = value.map(|text| header("Retry-After value", text)).transpose()?;
        self.lock().retry_after = value;
        Ok(())
    }

    /// Switches everything off.
    pub fn clear(&self) {
        *self.lock() = Switches::default();
    }

    /// What is to happen to the next request; uses up one of a counted rule.
    pub(crate) fn next(&self) -> Fault {
        let mut switches = self.lock();
        let failing = switches.fail.map(|rule| rule.status);
        switches.fail = switches.fail.and_then(FailRule::used);
        let status = failing.or(switches.redirect.as_ref().map(|_| StatusCode::TEMPORARY_REDIRECT));
        let answer = status.map(|status| FaultAnswer {
            status,
            location: switches.redirect.clone().filter(|_| status.is_redirection()),
            retry_after: switches.retry_after.clone(),
        });
        Fault { delay: switches.delay, answer }
    }

    fn lock(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the switches say about one request.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) delay: Duration,
    pub(crate) answer: Option<FaultAnswer>,
}

#[derive(Debug)]
pub(crate) struct FaultAnswer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<HeaderValue>,
    pub(crate) retry_after: Option<HeaderValue>,
}

/// A status to answer with, for a number of requests or for ever.
///
/// Its text is `503:3` for the next three requests, and `503` for every one.
///
/// ```
/// use usage_server::FailRule;
///
/// let rule: FailRule = "503:3".parse()?;
/// assert_eq!(rule, FailRule::new(503, Some(3))?);
/// assert_eq!(rule.to_string(), "503:3");
/// # Ok::<(), usage_server::InvalidFailRule>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailRule {
    status: StatusCode,
    times: Option<u32>,
}

impl FailRule {
    /// Answers the next `times` requests with `status`; every one with `None`.
    ///
    /// # Errors
    ///
    /// [`InvalidFailRule`] unless the status is from 200 to 999 (no answer ends with a 1xx), and
    /// if the number is 0.
    pub fn new(status: u16, times: Option<u32>) -> Result<Self, InvalidFailRule> {
        match StatusCode::from_u16(status) {
            _ if times == Some(0) => Err(InvalidFailRule::Times { text: "0".to_owned() }),
            Ok(status) if !status.is_informational() => Ok(Self { status, times }),
            _ => Err(InvalidFailRule::Status { text: status.to_string() }),
        }
    }

    /// The rule after one request.
    fn used(self) -> Option<Self> {
        match self.times {
            None => Some(self),
            Some(times) => match times - 1 {
                0 => None,
                left => Some(Self { times: Some(left), ..self }),
            },
        }
    }
}

impl FromStr for FailRule {
    type Err = InvalidFailRule;

    fn from_str(text: &str) -> Result<Self, InvalidFailRule> {
        let (status, times) = match text.split_once(':') {
            Some((status, times)) => (status, Some(times)),
            None => (text, None),
        };
        let status =
            status.parse().map_err(|_| InvalidFailRule::Status { text: status.to_owned() })?;
        let times = times
            .map(|times| {
                times.parse().map_err(|_| InvalidFailRule::Times { text: times.to_owned() })
            })
            .transpose()?;
        Self::new(status, times)
    }
}

/// The text that it is parsed from.
impl fmt::Display for FailRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        match self.times {
            Some(times) => write!(f, ":{times}"),
            None => Ok(()),
        }
    }
}

/// A text that is no [`FailRule`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFailRule {
    /// The status is no number from 200 to 999.
    #[error("`{text}` is no status to fail with: write one from 200 to 999, such as 503 or 503:3")]
    #[non_exhaustive]
    Status {
        /// What stood for the status.
        text: String,
    },
    /// The number of requests is no number from 1 on.
    #[error("`{text}` is no number of requests: write 503:3, or 503 alone for every request")]
    #[non_exhaustive]
    Times {
        /// What stood for the number.
        text: String,
    },
}

/// A text that can not stand in the header of a fault's answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} has a character that can not stand in a header: write it in visible ASCII")]
pub struct InvalidFault {
    what: &'static str,
}

fn header(what: &'static str, text: &str) -> Result<HeaderValue, InvalidFault> {
    HeaderValue::from_str(text).map_err(|_| InvalidFault { what })
}
