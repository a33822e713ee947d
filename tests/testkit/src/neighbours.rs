//! How long the tasks of a runtime of one thread keep each other waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the neighbour wants to run.
const TICK: Duration = Duration::from_millis(1);

/// What a call has come to, and what it has cost its neighbours.
#[derive(Debug)]
pub struct Beside<T> {
    /// What the future has given.
    pub output: T,
    /// How long it took.
    pub took: Duration,
    /// The longest that another task of the same thread was not run, though it wanted to.
    pub longest_wait: Duration,
}

/// Runs a future in a runtime of one thread, beside a task that wants to run each millisecond.
///
/// # Panics
///
/// If the system gives no runtime.
pub fn beside_another_task<F: Future>(future: F) -> Beside<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let longest = Arc::<AtomicU64>::default();
        let of_task = Arc::clone(&longest);
        let neighbour = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(TICK).await;
                let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                of_task.fetch_max(waited, Ordering::Relaxed);
            }
        });
        // It is there from the beginning, and has a turn at the end.
        tokio::time::sleep(2 * TICK).await;
        let begun = Instant::now();
        let output = future.await;
        let took = begun.elapsed();
        tokio::time::sleep(2 * TICK).await;
        neighbour.abort();
        Beside {
            output,
            took,
            longest_wait: Duration::from_micros(longest.load(Ordering::Relaxed)),
        }
    })
}
