//! What blocks, on a thread of its own: the look-up of names, and reading certificates.
//!
//! Nothing can interrupt the system's resolver, which waits for a silent name server for minutes.
//! On the pool of the runtime for what blocks it would hold up the end of the program for as long.

use std::{error, net::ToSocketAddrs as _, thread};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::{Semaphore, oneshot};

/// Look-ups that go on at once, in the whole process. Calls that were given up leave no more
/// threads than these behind.
static LOOKUPS: Semaphore = Semaphore::const_new(8);

/// The system's resolver.
pub(crate) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let turn = LOOKUPS.acquire().await?;
            let look_up = move || (name.as_str(), 0).to_socket_addrs().map(|found| (turn, found).1);
            on_thread(look_up).await?.map(|found| Addrs::from(Box::new(found))).map_err(Into::into)
        })
    }
}

/// What `work` comes to. It goes on though nobody waits for it any more.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<dyn error::Error + Send + Sync>> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new().name("usage-reqwest".to_owned()).spawn(|| drop(tell.send(work())))?;
    Ok(told.await?)
}
