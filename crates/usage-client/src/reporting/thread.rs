//! On a thread, over ureq.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use usage_reporter::{Consent, blocking};

use super::Reporting;
use super::collect::{Collect, Plain};
use super::preparation::prepare;
use super::registration_line;
use super::running::{Running, Stage, Started};
use super::start_error::StartError;

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
            return Ok(Running::off(consent));
        }
        let api = self.api()?;
        let client = usage_ureq::Client::configured(api.clone(), self.deadlines, |builder| builder)
            .map_err(|error| StartError::Client(error.into()))?;
        let stage = Stage::starting(api.clone());
        let reached = Arc::clone(&stage);
        let run = move |consent: Consent| -> Result<_, StartError> {
            let prepared = prepare(&self, consent, api.clone(), collect)?;
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
        let running = Running::on(consent, stage);
        running.settle()?;
        Ok(running)
    }
}

impl Running<blocking::Thread> {
    /// Takes no more reports, sends what waits as far as the time allows, and waits for the thread to
    /// end, `limit` at the most.
    pub fn stop(&self, limit: Duration) {
        if let Some(handle) = self.end() {
            handle.shutdown(limit);
        }
    }
}
