//! For programs that run for a moment.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use usage_proto::Api;
use usage_reporter::{Action, Config, Host, StateFile, StateFileError, Status, blocking};

use super::Reporting;
use super::collect::{Collect, Plain};
use super::preparation::{Prepared, prepare};
use super::start_error::StartError;

/// How soon a report is tried again that was tried and not acknowledged: a tool that is called a
/// hundred times in an outage waits for the API once.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// What became of [`Reporting::report_if_due`].
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
    /// A process of its own does it ([`Reporting::report_if_due_detached`]).
    Detached,
    /// The API was not reached in time, or refused: why. It is tried again in an hour, or when the
    /// next report is due.
    NotReported(String),
}

impl Reporting {
    /// Reports once if it is time to, and not at all if not: for a command-line tool, in place of
    /// [`start`](Self::start).
    ///
    /// A call costs one read of the state file where nothing is due, and `limit` at the most where
    /// something is. The first call of an installation draws a slot within a period and stores it; a
    /// tool that is called now and then reports in the first call after its slot. The server is
    /// registered along with a report.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use usage_client::{Reporting, UsageData};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// Reporting::new("tinytool", env!("CARGO_PKG_VERSION"))
    ///     .url("https://usage.example.com".parse()?)
    ///     .state_file("/home/me/.local/state/tinytool/usage.json")
    ///     .report_if_due(|| UsageData::new().value("runs", 1), Duration::from_secs(2))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop.
    pub fn report_if_due<C: Collect<Plain>>(
        self,
        collect: C,
        limit: Duration,
    ) -> Result<IfDue, StartError> {
        let begun = Instant::now();
        if !self.consent().is_on() {
            return Ok(IfDue::Off);
        }
        let api = self.api()?;
        let (tell, told) = sync_channel(1);
        // Neither the disk nor the network holds the program longer than it allows.
        let run = move || {
            let _ = tell.send(self.report_once(api, collect, begun, limit));
        };
        let thread = thread::Builder::new().name("usage-client-report".to_owned());
        thread.spawn(run).map_err(StartError::Thread)?;
        match told.recv_timeout(limit) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => Ok(IfDue::NotReported(TIME_IS_OVER.to_owned())),
            Err(RecvTimeoutError::Disconnected) => {
                Ok(IfDue::NotReported("the collector has panicked".to_owned()))
            }
        }
    }

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

    fn report_once<C: Collect<Plain>>(
        &self,
        api: Api,
        collect: C,
        begun: Instant,
        limit: Duration,
    ) -> Result<IfDue, StartError> {
        let wall_now = SystemTime::now();
        if !self.has_something_to_do(wall_now)? {
            return Ok(IfDue::NotDue);
        }
        let client = usage_ureq::Client::configured(api.clone(), self.deadlines, |builder| builder)
            .map_err(|error| StartError::Client(error.into()))?;
        let prepared = match prepare(self, self.consent(), api, collect, begun, wall_now) {
            Err(StartError::StateFile(StateFileError::Locked { .. })) => return Ok(IfDue::InUse),
            prepared => prepared?,
        };
        if !prepared.is_due {
            store_slot(prepared)?;
            return Ok(IfDue::NotDue);
        }
        let transport = move |request| client.execute(request);
        let handle = blocking::spawn(prepared.reporter, transport, prepared.product)?;
        // A close sends the registration, and asks for numbers since they are due.
        Ok(outcome(&handle.shutdown(limit.saturating_sub(begun.elapsed()))))
    }
}

const TIME_IS_OVER: &str = "the time was over before the Usage API had answered";

fn outcome(status: &Status) -> IfDue {
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
fn store_slot<C: Collect<Plain>>(mut prepared: Prepared<C, Plain>) -> Result<(), StartError> {
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
