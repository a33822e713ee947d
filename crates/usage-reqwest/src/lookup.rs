//! What blocks, on a thread of its own: the look-up of names, and reading certificates.
//!
//! Nothing can interrupt the system's resolver, which waits for a silent name server for minutes.
//! On the pool of the runtime for what blocks it would hold up the end of the program for as long.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::{error, thread};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::{Semaphore, oneshot};

/// The system's resolver. Calls that were given up leave no more threads than these behind.
pub(crate) struct Lookups(pub(crate) Arc<Semaphore>);

impl Resolve for Lookups {
    fn resolve(&self, name: Name) -> Resolving {
        let turns = Arc::clone(&self.0);
        Box::pin(async move {
            let turn = turns.acquire_owned().await?;
            let look_up = move || (name.as_str(), 0).to_socket_addrs().map(|found| (turn, found).1);
            let found: Addrs = Box::new(on_thread(look_up).await??);
            Ok(found)
        })
    }
}

/// What `work` comes to. It goes on though nobody waits for it any more.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<dyn error::Error + Send + Sync>> {
    let (tell, told) = oneshot::channel();
    let thread = thread::Builder::new().name("usage-reqwest".to_owned());
    thread.spawn(move || drop(tell.send(work())))?;
    Ok(told.await?)
}
