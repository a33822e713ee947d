//! What the driver asks this command for.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use usage_proto::Usage;
use usage_reporter::{Consent, Host, State, StateFile};

use super::collector::Collector;
use super::log;

type BoxError = Box<dyn Error + Send + Sync>;

pub(super) struct CommandHost {
    product: String,
    consent: Consent,
    collector: Arc<Collector>,
    file: StateFile,
    /// The last call of the program failed, and that has been told.
    failing: AtomicBool,
    /// Gone with this host, when the driver has ended.
    _alive: oneshot::Sender<()>,
}

impl CommandHost {
    pub(super) fn new(
        product: &str,
        consent: Consent,
        collector: Arc<Collector>,
        file: StateFile,
        alive: oneshot::Sender<()>,
    ) -> Self {
        let (product, failing) = (product.to_owned(), AtomicBool::new(false));
        Self { product, consent, collector, file, failing, _alive: alive }
    }
}

impl Host for CommandHost {
    type Usage = Usage;

    fn product(&self) -> &str {
        &self.product
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    /// Whoever runs this has to hear of a program that does not work, and not every time.
    fn collect(&self) -> Result<Usage, BoxError> {
        let usage = self.collector.collect(&self.product);
        let failing = usage.is_err();
        if let Err(error) = &usage
            && !self.failing.load(Ordering::Relaxed)
            && !self.collector.is_stopped()
        {
            log::collecting_fails(error);
        }
        self.failing.store(failing, Ordering::Relaxed);
        Ok(usage?)
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        Ok(self.file.store(state)?)
    }
}
