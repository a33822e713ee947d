//! A report that goes if it is due, on a thread, over ureq.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use usage_proto::Api;
use usage_reporter::blocking;

use super::Reporting;
use super::collect::{Collect, Plain};
use super::if_due::{IfDue, Look, PANICKED, TIME_IS_OVER, outcome};
use super::start_error::StartError;

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
            Err(RecvTimeoutError::Disconnected) => Ok(IfDue::NotReported(PANICKED.to_owned())),
        }
    }

    fn report_once<C: Collect<Plain>>(
        &self,
        api: Api,
        collect: C,
        begun: Instant,
        limit: Duration,
    ) -> Result<IfDue, StartError> {
        let prepared = match self.look(api.clone(), collect, begun)? {
            Look::Over(outcome) => return Ok(outcome),
            Look::Due(prepared) => prepared,
        };
        let client = usage_ureq::Client::configured(api, self.deadlines, |builder| builder)
            .map_err(|error| StartError::Client(error.into()))?;
        let transport = move |request| client.execute(request);
        let handle = blocking::spawn(prepared.reporter, transport, prepared.product)?;
        // A close sends the registration, and asks for numbers since they are due.
        Ok(outcome(&handle.shutdown(limit.saturating_sub(begun.elapsed()))))
    }
}
