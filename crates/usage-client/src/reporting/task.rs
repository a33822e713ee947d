//! On a tokio task, over hyper or reqwest.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant as StdInstant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;
use usage_proto::TransportError;
use usage_reporter::{SpawnError, tokio as driver};

use super::Reporting;
use super::collect::Collect;
use super::preparation::prepare;
use super::preview::{Preview, PreviewError};
use super::registration_line;
use super::running::Running;
use super::stage::{Stage, Started};
use super::start_error::StartError;
use super::status::Status;

impl Reporting {
    /// Starts to report on a task of the runtime that this is called in. `collect` is a closure, or
    /// one that gives a future; it is called on a thread of its own, and may block or await.
    ///
    /// The requests go over hyper if the feature `hyper` is on, and else over reqwest; both keep the
    /// same contract. For the rest it is as [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// [`StartError`]; none is a reason for a program to stop.
    pub fn start_on_tokio<M, C>(self, collect: C) -> Result<Running<driver::Task>, StartError>
    where
        C: Collect<M>,
        M: Send + Sync + 'static,
    {
        let consent = self.consent();
        if !consent.is_on() {
            return Ok(Running::off(consent, self.state_file));
        }
        let runtime = Handle::try_current().map_err(|_| SpawnError::Runtime)?;
        let api = self.api()?;
        let state_file = self.state_file.clone();
        let transport = self.transport(api.clone())?;
        let stage = Stage::starting(api.clone());
        let (reached, for_thread) = (Arc::clone(&stage), consent.clone());
        let run = move || -> Result<_, StartError> {
            let prepared = prepare(
                &self,
                for_thread,
                api.clone(),
                collect,
                StdInstant::now(),
                SystemTime::now(),
            )?;
            let (reporter, product) = (prepared.reporter, prepared.product);
            // The task belongs to the caller's runtime.
            let _context = runtime.enter();
            let handle = driver::spawn(reporter, transport, product)?;
            registration_line::say(&api, &prepared.server);
            Ok(Started { handle, api, server: prepared.server, numbers: prepared.numbers })
        };
        // Not on the runtime's own threads for what blocks: they would keep it from ending.
        thread::Builder::new()
            .name("usage-client-start".to_owned())
            .spawn(move || reached.reach(run()))
            .map_err(StartError::Thread)?;
        let running = Running::on(consent, state_file, stage);
        running.settle()?;
        Ok(running)
    }

    #[cfg(feature = "hyper")]
    pub(super) fn transport(
        &self,
        api: usage_proto::Api,
    ) -> Result<impl FnMut(Request<Bytes>) -> Answer + Send + 'static, StartError> {
        let client =
            usage_hyper::Client::configured(api, self.deadlines, usage_hyper::Config::new())
                .map_err(|error| StartError::Client(error.into()))?;
        Ok(move |request| -> Answer { Box::pin(client.execute(request)) })
    }

    #[cfg(not(feature = "hyper"))]
    pub(super) fn transport(
        &self,
        api: usage_proto::Api,
    ) -> Result<impl FnMut(Request<Bytes>) -> Answer + Send + 'static, StartError> {
        let client = usage_reqwest::Client::configured(api, self.deadlines, |builder| builder)
            .map_err(|error| StartError::Client(error.into()))?;
        Ok(move |request| -> Answer { Box::pin(client.execute(request)) })
    }
}

type Answer =
    std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>;

impl Running<driver::Task> {
    /// The usage report that would go now, with fresh numbers: what is sent, but for the idempotency
    /// key, which a report gets when it goes. Nothing is sent.
    ///
    /// `None` while there is nothing to report, as where consent is off.
    ///
    /// # Errors
    ///
    /// [`PreviewError`]: what the application's collector says, or what is wrong with its numbers.
    pub async fn preview(&self) -> Result<Option<Preview>, PreviewError> {
        let Some((numbers, api)) = self.previewed() else { return Ok(None) };
        let runtime = Handle::try_current();
        let (tell, told) = oneshot::channel();
        // As for a report: a plain collector may block, and an async one is waited for.
        thread::Builder::new()
            .name("usage-client-preview".to_owned())
            .spawn(move || {
                let _runtime = runtime.as_ref().map(Handle::enter);
                // Who asked may have left.
                let _ = tell.send(numbers.preview(&api));
            })
            .map_err(PreviewError::Thread)?;
        // A collector that panics tells nothing.
        told.await.map_err(|_| PreviewError::Collect("it panicked".into()))?.map(Some)
    }

    /// Takes no more reports, sends what waits as far as the time allows, and waits for the task to
    /// end, `limit` at the most.
    pub async fn stop(&self, limit: Duration) {
        let begun = Instant::now();
        let Some(stage) = self.stage() else { return };
        stage.wait_on_tokio(limit).await;
        if let Some(handle) = self.end() {
            handle.shutdown(limit.saturating_sub(begun.elapsed())).await;
        }
    }

    /// Sends what waits, without the spread of a start, and waits until all of it was sent or lost;
    /// `limit` at the most. Tells whether nothing is left. It returns sooner where nothing more can
    /// happen by then, as in a pause that the API has asked for.
    ///
    /// Usage is part of it if [`report_now`](Self::report_now) has asked for it. The reporting goes on.
    pub async fn flush(&self, limit: Duration) -> bool {
        let begun = Instant::now();
        let Some(stage) = self.stage() else { return true };
        stage.wait_on_tokio(limit).await;
        let left = limit.saturating_sub(begun.elapsed());
        match self.handle() {
            Some(handle) => handle.flush(left).await,
            None => false,
        }
    }

    /// Waits until `condition` holds, `limit` at the most, and tells whether it does. It is asked now
    /// and at each change of the status, and must be quick. What has stopped is not waited for.
    pub async fn wait_until(
        &self,
        mut condition: impl FnMut(&Status) -> bool,
        limit: Duration,
    ) -> bool {
        let begun = Instant::now();
        if condition(&self.status()) {
            return true;
        }
        let Some(stage) = self.stage() else { return false };
        stage.wait_on_tokio(limit).await;
        let Some(handle) = self.handle() else { return condition(&self.status()) };
        let left = limit.saturating_sub(begun.elapsed());
        handle.wait_until(|status| condition(&self.status_of(status)), left).await
    }
}
