//! The signals that ask a command to stop.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

/// What a shell reports for a process that an interrupt has ended.
const INTERRUPTED: i32 = 130;

/// What comes so soon behind the first is the same wish: `timeout`, `sudo` and many a wrapper tell the
/// process and its group, and a terminal tells the group as well.
const SAME: Duration = Duration::from_millis(200);

/// SIGINT, SIGTERM and as a rule SIGHUP, or Ctrl-C where there are no signals. From the moment that this
/// exists the first one no longer ends the process by itself; the second one, a moment later, always
/// does, whatever everything else in the process is waiting for.
pub(crate) struct StopSignals {
    runtime: Runtime,
    first: oneshot::Receiver<()>,
    hangups: mpsc::Receiver<()>,
}

/// What SIGHUP means to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// The terminal is gone, and the command goes too.
    Stops,
    /// Somebody has changed a file: see [`Waited::Hangup`].
    IsTold,
}

/// What came.
enum Came {
    Stop,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no signals"))]
    Hangup,
}

/// What a wait for a signal came to.
pub(crate) enum Waited<T> {
    Signal,
    /// SIGHUP, where it [is told](Hangup::IsTold). Several that come at once are one.
    Hangup,
    /// The other thing came first.
    Other(T),
}

impl StopSignals {
    pub(crate) fn listen(hangup: Hangup) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _context = runtime.enter();
            Signals::listen(hangup)?
        };
        let (told, first) = oneshot::channel();
        let (tell, hangups) = mpsc::channel(1);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                signals.stop(hangup, &tell).await;
                // Who does not want to wait for an end in good order sends a second one.
                let _ = told.send(());
                let first = Instant::now();
                while first.elapsed() < SAME {
                    signals.stop(hangup, &tell).await;
                }
            });
            std::process::exit(INTERRUPTED);
        })?;
        Ok(Self { runtime: Builder::new_current_thread().enable_time().build()?, first, hangups })
    }

    /// Blocks until a signal comes, or `other` is done, which may use tokio's timers.
    pub(crate) fn wait_or<T>(&mut self, other: impl Future<Output = T>) -> Waited<T> {
        self.runtime.block_on(async {
            tokio::select! {
                // An error means that the thread is gone: nobody would ever be told.
                _ = &mut self.first => Waited::Signal,
                Some(()) = self.hangups.recv() => Waited::Hangup,
                other = other => Waited::Other(other),
            }
        })
    }
}

impl Signals {
    /// Returns when the command is to stop.
    async fn stop(&mut self, hangup: Hangup, tell: &mpsc::Sender<()>) {
        while let (Came::Hangup, Hangup::IsTold) = (self.next().await, hangup) {
            // Where one waits to be looked at already, this one means the same.
            let _ = tell.try_send(());
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// The terminal is gone. `None` where that is to change nothing, as under `nohup`.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen(hangup: Hangup) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: if hangup == Hangup::Stops && ignores_hangup() {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    async fn next(&mut self) -> Came {
        tokio::select! {
            _ = self.terminate.recv() => Came::Stop,
            _ = self.interrupt.recv() => Came::Stop,
            Some(()) = async { self.hangup.as_mut()?.recv().await } => Came::Hangup,
        }
    }
}

/// Whether this process was started with SIGHUP ignored. To ask the system itself is unsafe code;
/// Linux says it in a file, and elsewhere nobody is asked.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is that of signal 1.
    ignored
        .and_then(|mask| mask.trim().chars().last()?.to_digit(16))
        .is_some_and(|bits| bits & 1 == 1)
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn listen(_: Hangup) -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) -> Came {
        self.interrupt.recv().await;
        Came::Stop
    }
}
