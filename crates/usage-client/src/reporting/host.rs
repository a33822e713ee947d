//! The product as a driver sees it.

use std::error::Error;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tracing::warn;
use usage_proto::{Api, Chain, Usage};
use usage_reporter::{Consent, Host, Identity, LastSent, State, StateFile};

use super::Reporting;
use super::collect::Collect;
use super::surroundings;

type BoxError = Box<dyn Error + Send + Sync>;

/// Asks the application, and adds what every report needs.
pub(crate) struct Numbers<C, M> {
    product: String,
    version: String,
    identity: Identity,
    pipeline: bool,
    collect: C,
    kind: PhantomData<fn() -> M>,
}

impl<C: Collect<M>, M> Numbers<C, M> {
    pub(crate) fn new(reporting: &Reporting, identity: Identity, collect: C) -> Self {
        Self {
            product: reporting.product.clone(),
            version: reporting.version.clone(),
            identity,
            pipeline: surroundings::is_pipeline(),
            collect,
            kind: PhantomData,
        }
    }

    /// Blocks for as long as the application takes. An async collector must not be waited for on a
    /// thread that runs tasks.
    pub(crate) fn usage(&self) -> Result<Usage, BoxError> {
        let items = wait(self.collect.collect())?;
        let Identity { cluster_id, server_id, .. } = &self.identity;
        let complete = |item| {
            surroundings::complete(item, &self.version, cluster_id, server_id, self.pipeline)
        };
        Ok(items.into_iter().map(complete).fold(Usage::new(&self.product), Usage::data))
    }
}

/// The result of a collector.
fn wait<T>(collecting: impl Future<Output = T>) -> T {
    let mut collecting = pin!(collecting);
    // A plain collector is ready, wherever it is asked: nothing may block on a runtime from within it.
    let looked = collecting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    match looked {
        Poll::Ready(result) => result,
        Poll::Pending => block_on(collecting),
    }
}

fn block_on<T>(mut future: Pin<&mut impl Future<Output = T>>) -> T {
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        return runtime.block_on(future);
    }
    // Outside of a runtime any future wakes this thread.
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Numbers that fail again and again are told of once, and again half a day later: whoever reads the
/// log of a month finds it, and nothing else is buried.
const SILENCE: Duration = Duration::from_secs(12 * 60 * 60);

pub(crate) struct Product<C, M> {
    consent: Consent,
    numbers: Arc<Numbers<C, M>>,
    file: StateFile,
    api: Api,
    /// When numbers that failed were told of.
    told: Mutex<Option<Instant>>,
}

impl<C: Collect<M>, M> Product<C, M> {
    pub(crate) fn new(
        consent: Consent,
        numbers: Arc<Numbers<C, M>>,
        file: StateFile,
        api: Api,
    ) -> Self {
        Self { consent, numbers, file, api, told: Mutex::new(None) }
    }

    /// Numbers that can be sent. The application is told where it has none: there is no other sign of
    /// it than that nothing arrives.
    fn checked(&self) -> Result<Usage, BoxError> {
        let usage = self.numbers.usage()?;
        self.api.build_request(&usage)?;
        Ok(usage)
    }

    fn tell(&self, error: &BoxError) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|then| then.elapsed() >= SILENCE) {
            *told = Some(Instant::now());
            let error = Chain(&**error);
            warn!("usage could not be collected, so that none is reported this time: {error}");
        }
    }
}

impl<C: Collect<M>, M: Send + Sync + 'static> Host for Product<C, M> {
    type Usage = Usage;

    fn product(&self) -> &str {
        &self.numbers.product
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    fn collect(&self) -> Result<Usage, BoxError> {
        self.checked().inspect_err(|error| self.tell(error))
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        Ok(self.file.store(state)?)
    }

    fn store_last_sent(&self, sent: &LastSent) -> Result<(), BoxError> {
        Ok(self.file.store_last_sent(sent)?)
    }
}
