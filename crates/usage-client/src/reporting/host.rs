//! The product as a driver sees it.

use std::error::Error;
use std::marker::PhantomData;
use std::sync::Arc;

use usage_proto::Usage;
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

    /// Blocks for as long as the application takes.
    pub(crate) fn usage(&self) -> Result<Usage, BoxError> {
        let items = wait(self.collect.collect())?;
        let Identity { cluster_id, server_id, .. } = &self.identity;
        let complete = |item| {
            surroundings::complete(item, &self.version, cluster_id, server_id, self.pipeline)
        };
        Ok(items.into_iter().map(complete).fold(Usage::new(&self.product), Usage::data))
    }
}

/// The result of a collector: at once, unless it is async and on a runtime.
fn wait<T>(collecting: impl Future<Output = T>) -> T {
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        return runtime.block_on(collecting);
    }
    block_on(collecting)
}

/// Outside of a runtime: a plain collector is ready, and any other future wakes this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    use std::pin::pin;
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};

    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

pub(crate) struct Product<C, M> {
    consent: Consent,
    numbers: Arc<Numbers<C, M>>,
    file: StateFile,
}

impl<C, M> Product<C, M> {
    pub(crate) fn new(consent: Consent, numbers: Arc<Numbers<C, M>>, file: StateFile) -> Self {
        Self { consent, numbers, file }
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
        self.numbers.usage()
    }

    fn store(&self, state: &State) -> Result<(), BoxError> {
        Ok(self.file.store(state)?)
    }

    fn store_last_sent(&self, sent: &LastSent) -> Result<(), BoxError> {
        Ok(self.file.store_last_sent(sent)?)
    }
}
