//! The signals that ask a server to stop.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// What a shell reports for a process that an interrupt has ended.
const INTERRUPTED: i32 = 130;

/// SIGINT and SIGTERM, or Ctrl-C where there are no signals. From the moment that this exists they
/// no longer end the process by themselves.
pub(crate) struct StopSignals {
    runtime: Runtime,
    signals: Signals,
}

impl StopSignals {
    pub(crate) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let signals = {
            let _context = runtime.enter();
            Signals::listen()?
        };
        Ok(Self { runtime, signals })
    }

    /// Blocks until a signal comes.
    pub(crate) fn wait(&mut self) {
        self.runtime.block_on(self.signals.next());
    }

    /// Blocks until a signal comes, or `other` is done. Tells whether there was a signal.
    pub(crate) fn wait_or(&mut self, other: impl Future) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                () = self.signals.next() => true,
                _ = other => false,
            }
        })
    }

    /// Who does not want to wait for an end in good order sends a second signal.
    pub(crate) fn exit_on_the_next(mut self) {
        thread::spawn(move || {
            self.wait();
            std::process::exit(INTERRUPTED);
        });
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) {
        self.interrupt.recv().await;
    }
}
