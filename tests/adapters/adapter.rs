//! The adapters, as one type.

use std::fmt;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http::{Request, Response};
use testkit::samples::{api, check_words, usage};
use tokio::runtime::{Builder, Runtime};
use usage_proto::{Api, Deadlines, Error, Saveable, Saved, TransportError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Adapter {
    Ureq,
    Reqwest,
    Hyper,
}

impl Adapter {
    pub(crate) const ALL: [Self; 3] = [Self::Ureq, Self::Reqwest, Self::Hyper];
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ureq => "ureq",
            Self::Reqwest => "reqwest",
            Self::Hyper => "hyper",
        })
    }
}

/// A client of one of the adapters, with a runtime if it needs one.
pub(crate) struct Client {
    transport: Transport,
    runtime: Option<Arc<Runtime>>,
}

/// Why there is no client, by whichever adapter.
pub(crate) type NoClient = Box<dyn std::error::Error>;

#[derive(Clone)]
enum Transport {
    Ureq(usage_ureq::Client),
    Reqwest(usage_reqwest::Client),
    Hyper(Box<usage_hyper::Client>),
}

/// How an async adapter is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// On the thread that calls.
    Caller,
    /// On two workers of the runtime.
    Two,
}

/// # Construct
impl Client {
    pub(crate) fn new(adapter: Adapter, url: &str, deadlines: Deadlines) -> Self {
        Self::with_api(adapter, api(url), deadlines, Threads::Two).unwrap()
    }

    pub(crate) fn with_api(
        adapter: Adapter,
        api: Api,
        deadlines: Deadlines,
        threads: Threads,
    ) -> Result<Self, NoClient> {
        let transport = match adapter {
            Adapter::Ureq => {
                Transport::Ureq(usage_ureq::Client::configured(api, deadlines, |b| b)?)
            }
            Adapter::Reqwest => {
                Transport::Reqwest(usage_reqwest::Client::configured(api, deadlines, |b| b)?)
            }
            Adapter::Hyper => {
                let client =
                    usage_hyper::Client::configured(api, deadlines, usage_hyper::Config::new())?;
                Transport::Hyper(Box::new(client))
            }
        };
        let runtime = (adapter != Adapter::Ureq).then(|| runtime(threads));
        Ok(Self { transport, runtime })
    }
}

/// A runtime for an async adapter.
pub(crate) fn runtime(threads: Threads) -> Arc<Runtime> {
    let runtime = match threads {
        Threads::Caller => Builder::new_current_thread().enable_all().build(),
        Threads::Two => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
    };
    Arc::new(runtime.unwrap())
}

/// # Use
impl Client {
    /// Saves by the adapter's own `save`. What an error says of itself is looked at, too.
    pub(crate) fn save<P: Saveable>(&self, payload: &P) -> Result<Saved, Error> {
        let result = match &self.transport {
            Transport::Ureq(client) => client.save(payload),
            Transport::Reqwest(client) => self.wait(client.save(payload)),
            Transport::Hyper(client) => self.wait(client.save(payload)),
        };
        if let Err(error) = &result {
            check_words(error);
        }
        result
    }

    pub(crate) fn execute(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        match &self.transport {
            Transport::Ureq(client) => client.execute(request),
            Transport::Reqwest(client) => self.wait(client.execute(request)),
            Transport::Hyper(client) => self.wait(client.execute(request)),
        }
    }

    /// Saves so many times from each of so many threads or tasks.
    pub(crate) fn save_at_once(&self, at_once: usize, each: usize) -> Vec<Result<Saved, Error>> {
        match &self.transport {
            Transport::Ureq(client) => thread::scope(|scope| {
                let save = || (0..each).map(|_| client.save(&usage())).collect::<Vec<_>>();
                let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(save)).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            }),
            Transport::Reqwest(client) => self.tasks(at_once, each, || {
                let client = client.clone();
                async move { client.save(&usage()).await }
            }),
            Transport::Hyper(client) => self.tasks(at_once, each, || {
                let client = client.clone();
                async move { client.save(&usage()).await }
            }),
        }
    }

    fn tasks<F>(
        &self,
        at_once: usize,
        each: usize,
        save: impl Fn() -> F + Clone + Send + Sync,
    ) -> Vec<Result<Saved, Error>>
    where
        F: Future<Output = Result<Saved, Error>> + Send + 'static,
    {
        // Spawned, so that they are on the threads of the runtime, and go on at once.
        let runtime = self.runtime.as_ref().unwrap();
        let tasks: Vec<_> = (0..at_once)
            .map(|_| {
                let saves: Vec<_> = (0..each).map(|_| save()).collect();
                runtime.spawn(async move {
                    let mut results = Vec::new();
                    for save in saves {
                        results.push(save.await);
                    }
                    results
                })
            })
            .collect();
        runtime.block_on(async {
            let mut results = Vec::new();
            for task in tasks {
                results.extend(task.await.unwrap());
            }
            results
        })
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(future)
    }

    /// The runtime that is left when the client is dropped.
    pub(crate) fn into_runtime(self) -> Option<Arc<Runtime>> {
        self.runtime
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Ureq(client) => client.fmt(f),
            Transport::Reqwest(client) => client.fmt(f),
            Transport::Hyper(client) => client.fmt(f),
        }
    }
}
