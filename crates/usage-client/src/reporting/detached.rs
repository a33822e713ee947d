//! A report by a process of its own, so that a prompt comes back at once.

use std::env;
use std::process::{self, Command, Stdio};
use std::time::{Duration, SystemTime};

use super::Reporting;
use super::collect::{Collect, Plain};
use super::if_due::IfDue;
use super::start_error::StartError;

/// Set, with the product, in the process that reports.
const REPORTS: &str = "USAGE_CLIENT_DETACHED";

impl Reporting {
    /// As [`report_if_due`](Self::report_if_due), by a process of its own that nobody waits for: this
    /// call returns after one read of the state file.
    ///
    /// Where there is something to do, the program starts itself once more, without arguments,
    /// without terminal and with a variable in its environment. **The call has to be the first thing
    /// that `main` does**: in that second process it reports, within `limit`, and ends the process; what
    /// stands behind it does not run there. A program that was started under another name, or whose
    /// file was replaced, may not find itself; then it does not report.
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop. [`StartError::Process`] if the second
    /// process could not be started.
    pub fn report_if_due_detached<C: Collect<Plain>>(
        self,
        collect: C,
        limit: Duration,
    ) -> Result<IfDue, StartError> {
        if env::var_os(REPORTS).is_some_and(|product| product == *self.product) {
            // Nobody is there to be told.
            let _ = self.report_if_due(collect, limit);
            process::exit(0);
        }
        if !self.consent().is_on() {
            return Ok(IfDue::Off);
        }
        self.api()?;
        if !self.has_something_to_do(SystemTime::now())? {
            return Ok(IfDue::NotDue);
        }
        self.start_again().map_err(StartError::Process)?;
        Ok(IfDue::Detached)
    }

    /// Nobody waits for it: a tool ends before the report does.
    fn start_again(&self) -> std::io::Result<()> {
        let mut again = Command::new(env::current_exe()?);
        again.env(REPORTS, &self.product);
        again.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What is typed at the terminal, such as Ctrl-C, does not end it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut again, 0);
        #[cfg(windows)]
        {
            const DETACHED_PROCESS: u32 = 0x0000_0008;
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
            let flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP;
            std::os::windows::process::CommandExt::creation_flags(&mut again, flags);
        }
        again.spawn().map(drop)
    }
}
