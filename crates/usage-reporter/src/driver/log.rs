//! Events as `tracing` has them. The names and fields are a promise: the page of the crate lists
//! them.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tracing::{debug, info, warn};
use usage_proto::{BaseUrl, Chain, Error, ResponseErrorKind};

use crate::consent::Consent;
use crate::event::Event;
use crate::status::Status;

/// The target of every event.
const TARGET: &str = "usage_reporter";

pub(crate) fn started(product: &str, address: &BaseUrl, consent: &Consent) {
    // Whatever is in the name, it is one line.
    let product = product.escape_debug();
    info!(
        target: TARGET,
        event = "started",
        %product,
        %address,
        decided_by = %consent.rule(),
        "{product} reports its usage to {address}; to switch it off, {}",
        consent.to_switch_off(),
    );
}

pub(crate) fn dropped() {
    info!(
        target: TARGET,
        event = "dropped",
        "usage reporting ends before anything was sent: its last handle was dropped; keep a handle \
         until the program ends, and shut it down then",
    );
}

pub(crate) fn last_sent_not_stored(error: &(dyn StdError + Send + Sync + 'static)) {
    debug!(
        target: TARGET,
        event = "last_sent_not_stored",
        error = %Chain(error),
        "the last usage report could not be kept for its owner to read",
    );
}

pub(crate) fn stopped(status: &Status) {
    let Status { delivered, lost, .. } = *status;
    debug!(target: TARGET, event = "stopped", delivered, lost, "usage reporting has ended");
}

pub(crate) fn write(happened: &Event) {
    let event = happened.name();
    match happened {
        Event::OutageBegan { error } => warn!(
            target: TARGET,
            event,
            error = %Brief(error),
            "usage reports are not getting through",
        ),
        Event::OutageEnded { lasted, failures } => info!(
            target: TARGET,
            event,
            lasted_s = lasted.as_secs(),
            failures,
            "usage reports are getting through again",
        ),
        Event::Delivered { report, attempts, status } => debug!(
            target: TARGET,
            event,
            %report,
            attempts,
            status = status.as_u16(),
            "a report was delivered",
        ),
        Event::AttemptFailed { report, attempt, error, retry_in } => debug!(
            target: TARGET,
            event,
            %report,
            attempt,
            error = %Chain(&**error),
            retry_in_s = retry_in.as_ref().map(Duration::as_secs_f64),
            "a report did not get through",
        ),
        Event::Lost { report, reason, count } => debug!(
            target: TARGET,
            event,
            %report,
            %reason,
            count,
            "reports are lost",
        ),
        Event::CollectUnanswered => {
            debug!(target: TARGET, event, "no usage was collected in time");
        }
        Event::CollectFailed { error } => debug!(
            target: TARGET,
            event,
            error = %Chain(&**error),
            "usage could not be collected",
        ),
        Event::StateNotStored { error, again: false } => warn!(
            target: TARGET,
            event,
            error = %Chain(&**error),
            "the state of usage reporting could not be stored: after a restart a report may be \
             sent that is not due",
        ),
        Event::StateNotStored { error, again: true } => debug!(
            target: TARGET,
            event,
            error = %Chain(&**error),
            "the state of usage reporting could not be stored",
        ),
        Event::Gone => warn!(
            target: TARGET,
            event,
            "usage reporting has stopped until the next start: the API wants no more reports",
        ),
    }
}

/// The error without the words of the API, which may repeat what was reported. Those are in
/// `attempt_failed`, at level debug.
struct Brief<'a>(&'a Error);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::Response(answer) if answer.kind == ResponseErrorKind::Page => answer.fmt(f),
            Error::Response(answer) => write!(f, "the Usage API answered {}", answer.status),
            error => Chain(error).fmt(f),
        }
    }
}
