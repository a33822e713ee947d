//! Whether the laws of a reporter hold over the life that some bytes describe.
//!
//! 1. Every report that was accepted is delivered, lost or pending; every loss has its event.
//! 2. `poll` makes progress: it never waits for what has passed, and a drain ends.
//! 3. No request before its time: not before it is due, not before `Retry-After`, not beside another.
//! 4. A restart repeats nothing: within a period of an acknowledgement nothing is sent; with a stamp
//!    in the future, or after a year off, one report is. A slot that was drawn is kept over restarts.
//! 5. A wall clock that jumps changes nothing that is scheduled. A sleep that is told brings usage
//!    forward, and what has become due is spread as at a start; nothing comes later than it would have.
//! 6. What is pending is bounded; the newest usage survives.
//! 7. A retry has the same bytes and key; a new report has a new key, but for the one that a restart
//!    takes over in the same slot. A report that is over leaves no key behind.
//! 8. After `close(deadline)` no attempt starts at the deadline or later, and the end is reached. What
//!    was due by then, or spread over the time after a start, is collected and sent as far as there is
//!    time.
//! 9. The same inputs and seed give the same outputs.
//! 10. What nobody answers never holds up the schedule.
//! 11. Once a report that was tried is given up, or none got through for a period, an outage is
//!     announced: once until it is over, at most once a period, and never for nothing. Usage that
//!     gets through ends it; while usage fails, nothing else does.
//! 12. What has left is shown to its owner: with the outcome of usage comes the request as it was, less
//!     the token.
//!
//! The property test and the fuzz target both call `check`; it panics if a law is broken.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a law that is broken is a panic, as in any test"
)]

mod case;
mod life;
mod loud;
mod model;
mod place;
mod registration;
mod seen;
mod slot;
mod wall;
mod world;

pub use case::Case;
use case::{End, Op};
use world::World;

/// Lives through a case.
///
/// # Panics
///
/// If a law is broken.
pub fn check(case: &Case) {
    let mut world = World::new(case.start);
    for op in &case.ops {
        apply(&mut world, *op);
    }
    match case.end {
        End::Healthy => world.recover(),
        End::Silent => world.fall_silent(),
        End::Close { seconds } => world.shut_down(seconds),
    }
}

fn apply(world: &mut World, op: Op) {
    match op {
        Op::Poll => _ = world.poll(),
        Op::PollLate { seconds } => world.poll_late(seconds),
        Op::Drive => _ = world.drive(),
        Op::Sleep => _ = world.sleep(),
        Op::Serve { outcome, wakes } => world.serve(outcome, wakes),
        Op::Pass(time) => world.pass(time),
        Op::PassSixteenths(sixteenths) => world.pass_sixteenths(sixteenths),
        Op::Stats { size } => world.push_stats(size),
        Op::Usage { size } => world.submit(size),
        Op::Register => world.register(),
        Op::Answer(outcome) => world.answer(outcome),
        Op::StaleAnswer { back } => world.answer_stale(back),
        Op::CollectFailed => world.fail_to_collect(),
        Op::ReportNow => world.report_now(),
        Op::SetApi(choice) => world.set_api(choice),
        Op::MachineSleeps(time) => world.machine_sleeps(time),
        Op::WallJump { hours } => world.jump_wall(hours),
        Op::Restart { pause } => world.restart(pause),
        Op::CrashBeforeStoring => world.crash_before_storing(),
        Op::Close { seconds } => world.close(seconds),
    }
}
