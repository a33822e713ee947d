//! For programs that run for a moment: whether there is anything to report, and what became of it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use usage_proto::Api;
use usage_reporter::{Action, Config, Host, StateFile, StateFileError, Status};

use super::Reporting;
use super::collect::Collect;
use super::preparation::{Prepared, prepare};
use super::start_error::StartError;

/// How soon a report is tried again that was tried and not acknowledged: a tool that is called a
/// hundred times in an outage waits for the API once.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// What became of a report that goes if it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IfDue {
    /// Consent is off: nothing was looked at.
    Off,
    /// The slot of the next report has not come.
    NotDue,
    /// Another process with the same state file is reporting.
    InUse,
    /// The API took a report and a registration.
    Reported,
    /// A process of its own does it (`Reporting::report_if_due_detached`).
    Detached,
    /// The API was not reached in time, or refused: why. It is tried again in an hour, or when the
    /// next report is due.
    NotReported(String),
}

pub(super) const TIME_IS_OVER: &str = "the time was over before the Usage API had answered";
pub(super) const PANICKED: &str = "the reporting has panicked";

/// What a look at the state comes to.
pub(super) enum Look<C, M> {
    /// There is nothing to send.
    Over(IfDue),
    /// The report is due, and the state is this process's own.
    Due(Box<Prepared<C, M>>),
}

impl Reporting {
    /// Whether there is anything to do, by one read of the state file.
    pub(super) fn has_something_to_do(&self, wall_now: SystemTime) -> Result<bool, StartError> {
        let path = self.state_path();
        let Some(state) = StateFile::peek(path)? else { return Ok(true) };
        if !state.is_due(&self.config, wall_now) {
            // Without a slot, one has to be drawn.
            return Ok(state.next_due().is_none());
        }
        let was_tried = state.unacknowledged_key().is_some();
        Ok(!(was_tried && was_written_lately(path, &self.config, wall_now)))
    }

    pub(super) fn state_path(&self) -> &Path {
        self.state_file.as_deref().unwrap_or(Path::new(""))
    }

    /// Looks whether a report is due, and prepares it. Waits for the disk.
    pub(super) fn look<C: Collect<M>, M: Send + Sync + 'static>(
        &self,
        api: Api,
        collect: C,
        begun: Instant,
    ) -> Result<Look<C, M>, StartError> {
        let wall_now = SystemTime::now();
        if !self.has_something_to_do(wall_now)? {
            return Ok(Look::Over(IfDue::NotDue));
        }
        let prepared = match prepare(self, self.consent(), api, collect, begun, wall_now) {
            Err(StartError::StateFile(StateFileError::Locked { .. })) => {
                return Ok(Look::Over(IfDue::InUse));
            }
            prepared => prepared?,
        };
        if prepared.is_due {
            return Ok(Look::Due(Box::new(prepared)));
        }
        store_slot(prepared)?;
        Ok(Look::Over(IfDue::NotDue))
    }
}

/// What became of a reporter that was closed, by the status that it ended with.
pub(super) fn outcome(status: &Status) -> IfDue {
    // The registration and the numbers.
    let is_complete = status.accepted >= 2;
    if is_complete && status.delivered == status.accepted {
        return IfDue::Reported;
    }
    IfDue::NotReported(match &status.last_error {
        Some(error) => format!("{error:#}"),
        None if is_complete || status.pending > 0 => TIME_IS_OVER.to_owned(),
        None => "no numbers were collected".to_owned(),
    })
}

/// Keeps the slot that was drawn, so that the calls to come find it.
fn store_slot<C, M>(mut prepared: Prepared<C, M>) -> Result<(), StartError>
where
    C: Collect<M>,
    M: Send + Sync + 'static,
{
    loop {
        match prepared.reporter.poll(Instant::now()) {
            Action::Persist(snapshot) => {
                let stored = prepared.product.store(&snapshot.into_state(SystemTime::now()));
                stored.map_err(StartError::Store)?;
            }
            Action::Event(_) => {}
            _ => return Ok(()),
        }
    }
}

/// Whether the state was stored within the pause. It is stored before each report that is tried.
fn was_written_lately(path: &Path, config: &Config, wall_now: SystemTime) -> bool {
    let written = fs::metadata(path).and_then(|metadata| metadata.modified());
    // A time in the future says nothing: the clock was set back.
    let ago = written.ok().and_then(|written| wall_now.duration_since(written).ok());
    ago.is_some_and(|ago| ago < PAUSE.min(config.period))
}
