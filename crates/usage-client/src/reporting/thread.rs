//! On a thread, over ureq.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use usage_reporter::{Consent, blocking};

use super::Reporting;
use super::collect::{Collect, Plain};
use super::preparation::prepare;
use super::preview::{Preview, PreviewError};
use super::registration_line;
use super::running::Running;
use super::stage::{Stage, Started};
use super::start_error::StartError;
use super::status::Status;

impl Reporting {
    /// Starts to report, on a thread of its own: registers the server, and asks `collect` for numbers
    /// when usage is due.
    ///
    /// It returns within a tenth of a second, whatever the network and the disk do. Where consent is
    /// off nothing is made. `collect` is called on that thread, and may block.
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop. What comes to light later than a tenth
    /// of a second is in the log, and in [`Running::status`].
    pub fn start<C: Collect<Plain>>(
        self,
        collect: C,
    ) -> Result<Running<blocking::Thread>, StartError> {
        let consent = self.consent();
        if !consent.is_on() {
            return Ok(Running::off(consent, self.state_file));
        }
        let api = self.api()?;
        let state_file = self.state_file.clone();
        let client = usage_ureq::Client::configured(api.clone(), self.deadlines, |builder| builder)
            .map_err(|error| StartError::Client(error.into()))?;
        let stage = Stage::starting(api.clone());
        let reached = Arc::clone(&stage);
        let run = move |consent: Consent| -> Result<_, StartError> {
            let prepared =
                prepare(&self, consent, api.clone(), collect, Instant::now(), SystemTime::now())?;
            let (reporter, product) = (prepared.reporter, prepared.product);
            let transport = move |request| client.execute(request);
            let handle = blocking::spawn(reporter, transport, product)?;
            registration_line::say(&api, &prepared.server);
            Ok(Started { handle, api, server: prepared.server, numbers: prepared.numbers })
        };
        let for_thread = consent.clone();
        // The disk may take its time.
        thread::Builder::new()
            .name("usage-client-start".to_owned())
            .spawn(move || reached.reach(run(for_thread)))
            .map_err(StartError::Thread)?;
        let running = Running::on(consent, state_file, stage);
        running.settle()?;
        Ok(running)
    }
}

impl Running<blocking::Thread> {
    /// The usage report that would go now, with fresh numbers: what is sent, but for the idempotency
    /// key, which a report gets when it goes. Nothing is sent.
    ///
    /// `None` while there is nothing to report, as where consent is off.
    ///
    /// # Errors
    ///
    /// [`PreviewError`]: what the application's collector says, or what is wrong with its numbers.
    pub fn preview(&self) -> Result<Option<Preview>, PreviewError> {
        self.previewed().map(|(numbers, api)| numbers.preview(&api)).transpose()
    }

    /// Takes no more reports, sends what waits as far as the time allows, and waits for the thread to
    /// end, `limit` at the most.
    pub fn stop(&self, limit: Duration) {
        let begun = Instant::now();
        let Some(stage) = self.stage() else { return };
        drop(stage.wait(limit));
        if let Some(handle) = self.end() {
            handle.shutdown(limit.saturating_sub(begun.elapsed()));
        }
    }

    /// Sends what waits, without the spread of a start, and waits until all of it was sent or lost;
    /// `limit` at the most. Tells whether nothing is left. It returns sooner where nothing more can
    /// happen by then, as in a pause that the API has asked for.
    ///
    /// Usage is part of it if [`report_now`](Self::report_now) has asked for it. The reporting goes on.
    #[expect(clippy::must_use_candidate, reason = "what is left goes later")]
    pub fn flush(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        let Some(stage) = self.stage() else { return true };
        drop(stage.wait(limit));
        self.handle().is_some_and(|handle| handle.flush(limit.saturating_sub(begun.elapsed())))
    }

    /// Waits until `condition` holds, `limit` at the most, and tells whether it does. It is asked now
    /// and at each change of the status, and must be quick. What has stopped is not waited for.
    pub fn wait_until(&self, mut condition: impl FnMut(&Status) -> bool, limit: Duration) -> bool {
        let begun = Instant::now();
        if condition(&self.status()) {
            return true;
        }
        let Some(stage) = self.stage() else { return false };
        drop(stage.wait(limit));
        let Some(handle) = self.handle() else { return condition(&self.status()) };
        let left = limit.saturating_sub(begun.elapsed());
        handle.wait_until(|status| condition(&self.status_of(status)), left)
    }
}
