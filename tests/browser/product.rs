//! The example of `usage-client` that has a web interface, run in this process.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use testkit::scripted::PATIENCE;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use usage_client::{BaseUrl, Schedule};

#[path = "../../crates/usage-client/examples/web_interface.rs"]
mod example;

/// It ends when it is dropped.
pub(crate) struct Product {
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Product {
    /// Reports every second instead of every twelve hours.
    pub(crate) fn start(usage_api: BaseUrl, data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let schedule = Schedule::every(Duration::from_secs(1)).start_spread(Duration::ZERO);
        let product =
            example::TinyKv::start(Some(true), usage_api, schedule, data, url.clone()).unwrap();
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let pages = Arc::clone(&product).pages();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, pages).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
            product.reporting.stop(PATIENCE);
        });
        Self { url, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the product failed");
    }
}
