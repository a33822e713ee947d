//! The state file, opened by one part of this process after another.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use usage_reporter::{StateFile, StateFileError};

use super::Reporting;

/// How often a state file is tried that another part of this process is about to let go.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A disk that takes longer to store an outcome is not waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// What threads of this process may have open to be forgotten, each as it was named.
static FORGETTING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn forgetting() -> MutexGuard<'static, Vec<PathBuf>> {
    FORGETTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kept by each of them for as long as it may.
#[derive(Debug)]
pub(super) struct Forgetting(PathBuf);

impl Forgetting {
    pub(super) fn begin(path: PathBuf) -> Self {
        forgetting().push(path.clone());
        Self(path)
    }

    fn goes_on(path: &Path) -> bool {
        forgetting().iter().any(|one| one == path)
    }
}

impl Drop for Forgetting {
    fn drop(&mut self) {
        let mut all = forgetting();
        if let Some(place) = all.iter().position(|one| *one == self.0) {
            all.swap_remove(place);
        }
    }
}

impl Reporting {
    /// For a reporting that starts. `retry_forget_me` returns in time, and its thread may store what
    /// became of it a moment later: that is not another process.
    pub(super) fn open_to_report(&self, path: &Path) -> Result<StateFile, StateFileError> {
        let begun = Instant::now();
        loop {
            // Asked before the file is tried: who has just ended does not have it any more.
            let may_wait = Forgetting::goes_on(path) && begun.elapsed() < LONGEST;
            match self.open(path) {
                Err(StateFileError::Locked { .. }) if may_wait => thread::sleep(LOOK_AGAIN),
                opened => return opened,
            }
        }
    }

    /// To be forgotten, in what `left` leaves. A reporting that was stopped may still wait for the
    /// answer to its last request: what it has sent is to be erased too.
    pub(super) fn open_to_forget(
        &self,
        path: &Path,
        left: impl Fn() -> Duration,
    ) -> Result<StateFile, StateFileError> {
        loop {
            match self.open(path) {
                // So that whoever waits is told the reason.
                Err(StateFileError::Locked { .. }) if left() > 2 * LOOK_AGAIN => {
                    thread::sleep(LOOK_AGAIN);
                }
                opened => return opened,
            }
        }
    }

    fn open(&self, path: &Path) -> Result<StateFile, StateFileError> {
        StateFile::open_accepting(path, self.accept.iter().copied())
    }
}
