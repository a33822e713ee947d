//! Hosts share these between threads.

use usage_reporter::{
    Action, Attempt, AttemptId, Config, ConfigError, Consent, ConsentRule, Event, ForgetMe,
    ForgetOutcome, ForgetStep, Identity, LastSent, Level, LossReason, PendingLimits, Phase,
    ReportKind, Reporter, RetryPolicy, Seed, Snapshot, State, Status, SubmitError,
};

#[test]
fn everything_is_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<(Action, Attempt, AttemptId, Config, ConfigError, Consent, ConsentRule)>();
    check::<(Event, Identity, LastSent, Level, LossReason, PendingLimits, Phase, ReportKind)>();
    check::<(ForgetMe, ForgetOutcome, ForgetStep)>();
    check::<(Reporter, RetryPolicy, Seed, Snapshot, State, Status, SubmitError)>();
}
