//! Processes that COMMAND has left behind and that have no parent but this one, as in a container
//! where this is process 1. When they end, somebody has to ask for their status, or they stay as
//! zombies.

#[cfg(unix)]
pub(super) use unix::Orphans;

#[cfg(not(unix))]
pub(super) use elsewhere::Orphans;

/// Nobody has to ask.
#[cfg(not(unix))]
mod elsewhere {
    #[derive(Debug)]
    pub(crate) struct Orphans;

    pub(crate) struct Spared;

    impl Orphans {
        #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(crate) fn adopt() -> std::io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, reason = "as on Unix")]
        pub(crate) fn spare(&self) -> Spared {
            Spared
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::thread;

    use rustix::process::{WaitOptions, wait};
    use tokio::runtime::Builder;
    use tokio::signal::unix::{SignalKind, signal};

    /// Reaps whatever ends, but for the children of whoever has asked to [spare](Self::spare) them.
    #[derive(Debug, Clone)]
    pub(crate) struct Orphans {
        own: Arc<Mutex<()>>,
    }

    impl Orphans {
        /// From here on orphans are reaped.
        pub(crate) fn adopt() -> io::Result<Self> {
            let runtime = Builder::new_current_thread().enable_io().build()?;
            let mut ended = {
                let _context = runtime.enter();
                signal(SignalKind::child())?
            };
            let orphans = Self { own: Arc::default() };
            let of_thread = orphans.clone();
            thread::Builder::new().name("orphans".to_owned()).spawn(move || {
                loop {
                    of_thread.reap();
                    if runtime.block_on(ended.recv()).is_none() {
                        return;
                    }
                }
            })?;
            Ok(orphans)
        }

        /// While this is held, the children of this process are somebody's who waits for them.
        pub(crate) fn spare(&self) -> MutexGuard<'_, ()> {
            // There is nothing inside that could be broken.
            self.own.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn reap(&self) {
            let _nobody_waits = self.spare();
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        }
    }
}
