//! What a log says about the file, beside what its host makes of errors.

use std::path::Path;

use tracing::warn;

/// Once for each file.
pub(super) fn in_place(path: &Path) {
    warn!(
        target: "usage_reporter",
        event = "written_in_place",
        path = %path.display(),
        "the state of usage reporting cannot be replaced, since its file is a mount point by itself, \
         and is written in place: a crash at that moment may leave a file that is not a state; mount \
         its directory instead",
    );
}
