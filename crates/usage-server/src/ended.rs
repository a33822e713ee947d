use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Tells when a thread is over, with a deadline, which `JoinHandle` can not.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Nothing is ever sent: it breaks when the thread drops its end. The mutex is for `Sync`.
    broken: Mutex<Receiver<()>>,
}

/// The thread's end, to be dropped as the last thing it does.
#[derive(Debug)]
pub(crate) struct Running(
    #[expect(dead_code, reason = "dropping it is the message")] SyncSender<()>,
);

impl Ended {
    pub(crate) fn new() -> (Running, Self) {
        let (sender, receiver) = sync_channel(0);
        (Running(sender), Self { broken: Mutex::new(receiver) })
    }

    /// Whether the thread is over.
    pub(crate) fn is_over(&self) -> bool {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(broken.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Waits until the thread is over, or the time is.
    pub(crate) fn wait(&mut self, at_most: Duration) {
        let broken = self.broken.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Either error is an end of the wait, and nothing can arrive.
        let _ = broken.recv_timeout(at_most);
    }
}

#[cfg(test)]
mod tests {
    use super::Ended;

    #[test]
    fn a_thread_is_over_when_its_end_is_dropped() {
        let (running, ended) = Ended::new();
        assert!(!ended.is_over());
        let thread = std::thread::spawn(move || drop(running));
        thread.join().unwrap();
        assert!(ended.is_over());
        // However often it is asked.
        assert!(ended.is_over());
    }
}
