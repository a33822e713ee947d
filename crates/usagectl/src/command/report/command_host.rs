//! What the driver asks this command for.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use usage_proto::Usage;
use usage_reporter::{Consent, Host, LastSent, State, StateFile};

use super::report_log;
use super::usage_program::{NoUsage, UsageProgram};

type BoxError = Box<dyn Error + Send + Sync>;

/// A program that fails again and again is told of once, and again half a day later: whoever reads
/// the log of a month finds it, and nothing else is buried.
const SILENCE: Duration = Duration::from_secs(12 * 60 * 60);

pub(super) struct CommandHost {
    consent: Consent,
    program: Arc<UsageProgram>,
    file: StateFile,
    /// When a failure of the program was told.
    told: Mutex<Option<Instant>>,
    /// Gone with this host, when the driver has ended.
    _alive: oneshot::Sender<()>,
}

impl CommandHost {
    pub(super) fn new(
        consent: Consent,
        program: Arc<UsageProgram>,
        file: StateFile,
        alive: oneshot::Sender<()>,
    ) -> Self {
        Self { consent, program, file, told: Mutex::new(None), _alive: alive }
    }

    fn tell(&self, error: &NoUsage) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|then| then.elapsed() >= SILENCE) {
            *told = Some(Instant::now());
            report_log::no_usage(error);
        }
    }
}

impl Host for CommandHost {
    type Usage = Usage;

    fn product(&self) -> &str {
        self.program.product()
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    fn collect(&self) -> Result<Usage, BoxError> {
        self.program.collect().map_err(|error| {
            if !matches!(error, NoUsage::Stopped { .. }) {
                self.tell(&error);
            }
            error.into()
        })
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        Ok(self.file.store(state)?)
    }

    fn store_last_sent(&self, sent: &LastSent) -> Result<(), BoxError> {
        Ok(self.file.store_last_sent(sent)?)
    }
}
