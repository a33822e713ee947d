//! A report that goes if it is due, on a tokio task, over hyper or reqwest.

use std::panic::catch_unwind;
use std::thread;
use std::time::{Duration, Instant as StdInstant};

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use usage_proto::Api;
use usage_reporter::{Handle, SpawnError, tokio as driver};

use super::Reporting;
use super::collect::Collect;
use super::if_due::{IfDue, Look, PANICKED, TIME_IS_OVER, outcome};
use super::start_error::StartError;

/// What the thread that waits for the disk comes to.
enum Begun {
    Over(IfDue),
    Sending(Handle<driver::Task>),
}

impl Reporting {
    /// Reports once if it is time to, and not at all if not: for a command-line tool on tokio, in place
    /// of [`start_on_tokio`](Self::start_on_tokio). `collect` is a closure, or one that gives a future.
    ///
    /// A call costs one read of the state file where nothing is due, and `limit` at the most where
    /// something is. The first call of an installation draws a slot within a period and stores it; a
    /// tool that is called now and then reports in the first call after its slot. The server is
    /// registered along with a report.
    ///
    /// The file is read on a thread of its own, and the report is sent by a task: neither holds the
    /// runtime up, and a current-thread runtime will do. Who drops the future gives the report up.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use usage_client::{Reporting, UsageData};
    /// # async fn tool() -> Result<(), Box<dyn std::error::Error>> {
    /// Reporting::new("tinytool", env!("CARGO_PKG_VERSION"))
    ///     .url("https://usage.example.com".parse()?)
    ///     .state_file("/home/me/.local/state/tinytool/usage.json")
    ///     .report_if_due_on_tokio(|| UsageData::new().value("runs", 1), Duration::from_secs(2))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop.
    pub async fn report_if_due_on_tokio<M, C>(
        self,
        collect: C,
        limit: Duration,
    ) -> Result<IfDue, StartError>
    where
        C: Collect<M>,
        M: Send + Sync + 'static,
    {
        if !self.consent().is_on() {
            return Ok(IfDue::Off);
        }
        let runtime = runtime::Handle::try_current().map_err(|_| SpawnError::Runtime)?;
        // As `spawn` finds out; a timer is needed here before that.
        let has_timer = catch_unwind(|| drop(sleep(Duration::ZERO)));
        has_timer.map_err(|_| SpawnError::Runtime)?;
        let api = self.api()?;
        let begun = Instant::now();
        let (tell, told) = oneshot::channel();
        let run = move || {
            let outcome = self.begin(&runtime, api, collect, || tell.is_closed());
            // Nobody waits for it any more: what has begun ends with its handle.
            let _ = tell.send(outcome);
        };
        // Not on the runtime's own threads for what blocks: they would keep it from ending.
        let thread = thread::Builder::new().name("usage-client-report".to_owned());
        thread.spawn(run).map_err(StartError::Thread)?;
        let handle = match timeout(limit, told).await {
            Ok(Ok(begun)) => match begun? {
                Begun::Over(outcome) => return Ok(outcome),
                Begun::Sending(handle) => handle,
            },
            Ok(Err(_)) => return Ok(IfDue::NotReported(PANICKED.to_owned())),
            Err(_) => return Ok(IfDue::NotReported(TIME_IS_OVER.to_owned())),
        };
        // A close sends the registration, and asks for numbers since they are due.
        Ok(outcome(&handle.shutdown(limit.saturating_sub(begun.elapsed())).await))
    }

    fn begin<M, C>(
        &self,
        runtime: &runtime::Handle,
        api: Api,
        collect: C,
        is_given_up: impl FnOnce() -> bool,
    ) -> Result<Begun, StartError>
    where
        C: Collect<M>,
        M: Send + Sync + 'static,
    {
        let prepared = match self.look(api.clone(), collect, StdInstant::now())? {
            Look::Over(outcome) => return Ok(Begun::Over(outcome)),
            Look::Due(prepared) => prepared,
        };
        if is_given_up() {
            return Ok(Begun::Over(IfDue::NotReported(TIME_IS_OVER.to_owned())));
        }
        // The task belongs to the caller's runtime.
        let _context = runtime.enter();
        let transport = self.transport(api)?;
        Ok(Begun::Sending(driver::spawn(prepared.reporter, transport, prepared.product)?))
    }
}
