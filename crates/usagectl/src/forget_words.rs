//! What became of a wish to be forgotten, in terms of this command.

use usage_reporter::ForgetOutcome;

/// The library's words, and what to do about it here.
pub(crate) fn forget_words(outcome: &ForgetOutcome) -> String {
    let hint = match outcome {
        ForgetOutcome::Forgotten { reports: Some(0) } => {
            " (`usagectl status --last` shows the last report that was kept, if any)"
        }
        ForgetOutcome::Pending { .. } => {
            " (nothing asks by itself: call `usagectl forget` again, or have a script call it with \
             --retry)"
        }
        _ => "",
    };
    format!("{outcome}{hint}")
}
