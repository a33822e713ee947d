//! Both drivers behind one face.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use usage_proto::{Api, TransportError};
use usage_reporter::{Config, Handle, Host, Reporter, RetryPolicy, SpawnError, State, Status};
use usage_reporter::{SubmitError, blocking, tokio as driver};

use crate::support::{api, clock, seed_of};

type Outcome = Result<Response<Bytes>, TransportError>;

/// How a reporter is driven.
pub(crate) enum Rig {
    Thread,
    Task(Runtime),
}

/// A handle of either driver.
#[derive(Clone)]
pub(crate) enum AnyHandle<'a> {
    Thread(Handle<blocking::Thread>),
    Task(Handle<driver::Task>, &'a Runtime),
}

impl Rig {
    /// One after the other.
    pub(crate) fn both() -> [Self; 2] {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build();
        [Self::Thread, Self::Task(runtime.unwrap())]
    }

    /// Drives `reporter` over a transport that blocks.
    pub(crate) fn spawn(
        &self,
        reporter: Reporter,
        transport: impl FnMut(Request<Bytes>) -> Outcome + Clone + Send + 'static,
        host: impl Host,
    ) -> Result<AnyHandle<'_>, SpawnError> {
        match self {
            Self::Thread => Ok(AnyHandle::Thread(blocking::spawn(reporter, transport, host)?)),
            Self::Task(runtime) => {
                let _context = runtime.enter();
                let send = move |request| {
                    let mut transport = transport.clone();
                    async move {
                        match spawn_blocking(move || transport(request)).await {
                            Ok(outcome) => outcome,
                            Err(error) if error.is_panic() => {
                                std::panic::resume_unwind(error.into_panic())
                            }
                            Err(error) => Err(TransportError::other(error)),
                        }
                    }
                };
                Ok(AnyHandle::Task(driver::spawn(reporter, send, host)?, runtime))
            }
        }
    }
}

impl AnyHandle<'_> {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Thread(handle) => handle.status(),
            Self::Task(handle, _) => handle.status(),
        }
    }

    pub(crate) fn report_now(&self) {
        match self {
            Self::Thread(handle) => handle.report_now(),
            Self::Task(handle, _) => handle.report_now(),
        }
    }

    pub(crate) fn register(&self, server: &usage_proto::Server) -> Result<(), SubmitError> {
        match self {
            Self::Thread(handle) => handle.register(server),
            Self::Task(handle, _) => handle.register(server),
        }
    }

    pub(crate) fn push_stats(&self, stats: &usage_proto::Stats) -> Result<(), SubmitError> {
        match self {
            Self::Thread(handle) => handle.push_stats(stats),
            Self::Task(handle, _) => handle.push_stats(stats),
        }
    }

    pub(crate) fn set_api(&self, api: Api) {
        match self {
            Self::Thread(handle) => handle.set_api(api),
            Self::Task(handle, _) => handle.set_api(api),
        }
    }

    pub(crate) fn set_token(&self, token: usage_proto::Token) {
        match self {
            Self::Thread(handle) => handle.set_token(token),
            Self::Task(handle, _) => handle.set_token(token),
        }
        .unwrap();
    }

    pub(crate) fn flush(&self, limit: Duration) -> bool {
        match self {
            Self::Thread(handle) => handle.flush(limit),
            Self::Task(handle, runtime) => runtime.block_on(handle.flush(limit)),
        }
    }

    pub(crate) fn wait_until(
        &self,
        condition: impl FnMut(&Status) -> bool,
        limit: Duration,
    ) -> bool {
        match self {
            Self::Thread(handle) => handle.wait_until(condition, limit),
            Self::Task(handle, runtime) => runtime.block_on(handle.wait_until(condition, limit)),
        }
    }

    pub(crate) fn shutdown(&self, limit: Duration) -> Status {
        match self {
            Self::Thread(handle) => handle.shutdown(limit),
            Self::Task(handle, runtime) => runtime.block_on(handle.shutdown(limit)),
        }
    }
}

/// A reporter that reports to nobody in particular.
pub(crate) fn reporter() -> Reporter {
    reporter_for(api(), State::new())
}

/// Usage every twelve hours, but for what the test asks for; a failure is repeated at once.
pub(crate) fn reporter_for(api: Api, state: State) -> Reporter {
    let tiny = Duration::from_nanos(1);
    let config =
        Config::new().start_spread(Duration::ZERO).retry(RetryPolicy::new().base(tiny).cap(tiny));
    Reporter::new(config, api, state, seed_of(7), clock(), SystemTime::UNIX_EPOCH).unwrap()
}
