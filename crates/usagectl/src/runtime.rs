//! A runtime for an async client in a command that has none.

use std::io;

use tokio::runtime::{self, Builder};

/// Runs futures on the thread that calls. It has no thread of its own: what a call leaves behind,
/// such as an idle connection, rests until the next call.
pub(crate) struct Runtime(Option<runtime::Runtime>);

impl Runtime {
    pub(crate) fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build().map(Some).map(Self)
    }

    /// Blocks until the future is done.
    #[expect(clippy::expect_used, reason = "only `drop` takes it, and nothing comes after that")]
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.as_ref().expect("it is there until it is dropped").block_on(future)
    }
}

/// A look-up of a name cannot be cancelled. The runtime's own `drop` would wait for one that has
/// outlived its deadline, for as long as the system's resolver takes.
impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, TryRecvError};
    use std::time::Duration;

    use super::Runtime;

    #[test]
    fn dropping_it_does_not_wait_for_a_look_up() {
        let (started, start) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel();
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            // As tokio looks up a name.
            tokio::task::spawn_blocking(move || {
                started.send(()).unwrap();
                let _ = released.recv_timeout(Duration::from_secs(20));
                let _ = ended.send(());
            });
        });
        start.recv_timeout(Duration::from_secs(20)).unwrap();
        drop(runtime);
        assert_eq!(end.try_recv(), Err(TryRecvError::Empty));
        drop(release);
    }
}
