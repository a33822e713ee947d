//! The thread that reads the JSON of large bodies, one at a time.
//!
//! JSON can need more than a hundred times its size in memory while it is read. It is one thread,
//! and always the same, because allocators keep what was freed for the thread that used it: a pool
//! of threads would keep as much for each of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::{fmt, io, thread};

use tokio::sync::oneshot;

use crate::store::error::StoreError;
use crate::turns::{Turn, Turns};

type Job = Box<dyn FnOnce() + Send>;

/// The way to the thread, which ends when this is dropped.
pub(crate) struct JsonThread {
    jobs: Sender<Job>,
    turns: Turns,
}

impl JsonThread {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        thread::Builder::new().name("usage-server-json".to_owned()).spawn(move || {
            for job in queue {
                // Whoever waits for the job hears of the panic; the next job has its own data.
                drop(catch_unwind(AssertUnwindSafe(job)));
            }
        })?;
        Ok(Self { jobs, turns: Turns::default() })
    }

    /// Waits for a turn for a body of this size.
    pub(crate) async fn turn(&self, bytes: usize) -> Turn {
        self.turns.take(bytes).await
    }

    /// Does the work on the thread, to its end even if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, result) = oneshot::channel();
        let job = Box::new(move || {
            let _turn = turn;
            // The client may have gone away.
            drop(reply.send(work()));
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        // It panicked.
        result.await.map_err(|_| StoreError::Closed)
    }
}

impl fmt::Debug for JsonThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::JsonThread;
    use crate::store::error::StoreError;

    #[tokio::test]
    async fn all_work_is_done_by_one_thread() {
        let json = JsonThread::start().unwrap();
        let mut threads = Vec::new();
        for _ in 0..3 {
            let turn = json.turn(1).await;
            threads.push(json.run(turn, || thread::current().id()).await.unwrap());
        }
        assert_eq!(threads, [threads[0]; 3]);
        assert_ne!(threads[0], thread::current().id());
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_goes_on() {
        let json = JsonThread::start().unwrap();
        let turn = json.turn(1).await;
        let panicked = json.run(turn, || panic!("this is expected")).await;
        assert!(matches!(panicked, Err::<(), _>(StoreError::Closed)));
        let turn = json.turn(1).await;
        assert_eq!(json.run(turn, || 7).await.unwrap(), 7);
    }
}
