//! When to report to a Usage API: a schedule without IO.
//!
//! A product tells its maker how it is used, every 12 hours, for years, without ever hurting the
//! host it lives in. [`usage_proto`] is *what is said*; this crate is *when it is said*: the first
//! report, the next one, the retry, the pause, the end. It opens no socket, reads no clock, starts
//! no thread and has no randomness of its own. An event loop of any kind drives it, and a test runs
//! through a year in a second.
//!
//! Most programs want no loop of their own, but a thread or a task that runs it: that is a *driver*,
//! behind a feature, as is a file for what must survive a restart.
//!
//! | feature | brings |
//! |---|---|
//! | none | [`Reporter`] and the loop below; no IO at all |
//! | `blocking` | [`blocking::spawn`]: a thread, over a blocking adapter such as `usage-ureq` |
//! | `tokio` | [`tokio::spawn`]: a task, over an async adapter such as `usage-reqwest` or `usage-hyper` |
//! | `state_file` | [`StateFile`]: the state in a file, that one process at a time writes |
//!
//! ```toml
//! [dependencies]
//! usage-proto = "0.1"
//! usage-reporter = { version = "0.1", features = ["blocking", "state_file"] }
//! usage-ureq = "0.1"
//! ```
//!
//! With a driver the whole of it is: [`Consent::resolve`], [`StateFile::open`], [`Identity`],
//! [`Reporter::new`], [`Reporter::register`], `spawn`, and [`Handle::shutdown`](Handle) in the end.
//! `examples/embedded.rs` is a small product that does so, for both drivers, to be copied.
//!
//! # The loop
//!
//! For an event loop of one's own. The drivers run the same one.
//!
//! ```
//! use std::time::{Duration, Instant, SystemTime};
//!
//! use bytes::Bytes;
//! use usage_proto::{Api, BaseUrl, TransportError, Usage, UsageData};
//! use usage_reporter::{Action, Config, Reporter, Seed, State};
//!
//! # // Stands in for a transport, and for what a host does at each of its steps.
//! # fn send(_: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
//! #     Ok(http::Response::new(Bytes::new()))
//! # }
//! # fn load() -> State { State::new() }
//! # fn store(_: &State) {}
//! # fn log(_: &str) {}
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let seed = Seed::from_bytes([0; 32]);
//! # // A clock that jumps.
//! # #[allow(clippy::disallowed_methods, reason = "an example has a clock")]
//! # let clock = std::cell::Cell::new(Instant::now());
//! # let now = || clock.get();
//! # let wall_now = || SystemTime::UNIX_EPOCH;
//! # let sleep_until = |until: Instant| clock.set(until);
//! let api = Api::new(BaseUrl::STAGING).with_application("influxdb/1.8.10")?;
//! let mut reporter = Reporter::new(Config::new(), api, load(), seed, now(), wall_now())?;
//! # let mut rounds = 0;
//! loop {
//!     match reporter.poll(now()) {
//!         // 1. Usage is due: hand in fresh numbers. Some cannot be said, such as a NaN: that is no
//!         //    reason to end the loop.
//!         Action::Collect => {
//!             let usage = Usage::new("influxdb").data(UsageData::new().value("num_databases", 3));
//!             if let Err(error) = reporter.submit(now(), &usage) {
//!                 reporter.collect_failed(now(), error);
//!             }
//!         }
//!         // 2. Store the state before anything else, so that a crash repeats no report. If that
//!         //    fails, say so with `persist_failed`, and go on.
//!         Action::Persist(snapshot) => store(&snapshot.into_state(wall_now())),
//!         // 3. Send a request, and tell the outcome whenever it is known.
//!         Action::Send(attempt) => match send(attempt.request) {
//!             Ok(response) => reporter.on_response(now(), attempt.id, response),
//!             Err(error) => reporter.on_failure(now(), attempt.id, error),
//!         },
//!         // 4. Write to the log.
//!         Action::Event(event) => log(&format!("{:?} {event}", event.level())),
//!         // 5. Sleep, but for a request in flight, statistics to push, or the end of the program.
//!         Action::Wait(until) => sleep_until(until),
//!         // 6. After `close`, or after the API has said that it wants no more.
//!         Action::Stopped => break,
//!     }
//! #   rounds += 1;
//! #   if rounds == 40 { reporter.close(now() + Duration::from_secs(5)); }
//! }
//! # assert!(reporter.status().delivered > 1);
//! # Ok(())
//! # }
//! ```
//!
//! The methods of [`Reporter`] that take something in only change its state; [`Reporter::poll`]
//! alone says what to do. No order of calls is wrong: an outcome that nobody waits for is ignored,
//! numbers that nobody asked for are a report out of turn, and what is never answered counts as
//! failed after its time.
//!
//! `examples/event_loop.rs` is a whole program around it: a non-blocking socket, no adapter.
//!
//! # States
//!
//! ```text
//!  the reporter            new
//!                           │
//!                    ┌──────▼──────┐  410 Gone
//!                    │   Running   ├───────────────────────┐
//!                    └──────┬──────┘                       │
//!                           │ close(deadline)              │
//!                    ┌──────▼──────┐  nothing left,   ┌────▼────┐
//!                    │  Draining   ├─────────────────▶│ Stopped │
//!                    └─────────────┘  deadline, 410   └─────────┘
//!
//!  usage             ┌─────────────┐  Collect: due, and    ┌────────────┐
//!                    │   waiting   ├──────────────────────▶│ collecting │
//!                    └──────▲──────┘  the API may be asked └─────┬──────┘
//!                           │ submit, collect_failed, a minute   │
//!                           └────────────────────────────────────┘
//!
//!  a report   taken  ┌─────────────┐  Persist¹, Send  ┌───────────┐  2xx   ┌───────────┐
//!             ──────▶│   pending   ├─────────────────▶│ in flight ├───────▶│ delivered │
//!                    └──┬───────▲──┘                  └──┬─────┬──┘        └───────────┘
//!                       │       │ back-off, Retry-After  │     │ refused, exhausted,
//!                       │       └────────────────────────┘     │ superseded, closed, 410
//!                       │                                  ┌───▼────┐
//!                       └─────────────────────────────────▶│  lost  │
//!                         superseded, no room, closed, 410 └────────┘
//!
//!  ¹ of a usage report: the key before the first attempt, the acknowledgement after the last
//! ```
//!
//! # When
//!
//! - **Usage** is due one period after the last acknowledgement, or after the last attempt if there
//!   was none, plus a jitter. The next slot is set when a slot begins: whatever becomes of a report,
//!   it never holds up the schedule. Periods that were missed are not made up for.
//! - **At a start** the state has the slot that was drawn last, which is kept: a program that runs for
//!   an hour a day gets to report, too. Nothing is sent within a period of an acknowledgement. A slot
//!   that has passed is due, once, and so is usage whose acknowledgement lies in the future (the clock
//!   was set back). Without a slot in the state it is drawn, uniform over a whole period, and stored: a
//!   fleet that is installed in a minute does not report in a minute. What is due at a start is spread
//!   over as long as it is late, 10 minutes at the most, and registrations over 10 minutes.
//! - **At a close** what waits is sent, the registration included. Usage whose slot has passed is
//!   collected once more: a program that lives for two seconds reports, if it is closed in the end.
//! - **A failure** is tried again after an exponential back-off with full jitter, at most four
//!   attempts a report. `Retry-After` is a floor for all requests of the host. 401 and 422 are not
//!   tried again, and 410 stops the reporter until the next start. `usage_proto` knows which errors
//!   are worth a retry.
//! - **A page** for people in place of an answer, as from a captive portal, is a failure whatever its
//!   status: the API has not seen the report, which is kept, for the next slot if all its attempts
//!   met pages ([`usage_proto::Saved::is_page`]).
//! - **A TLS session** that fails for good in the first minutes of a start has one more try within
//!   minutes: the clock of a machine that has just started may not be right yet.
//! - **The registration** is not given up: after its attempts it has as many in the next slot, and
//!   one that was refused for its token (401) waits for that slot or for another token.
//! - **Another address** starts afresh: what the old one still answers is about that report alone.
//! - **A retry** carries the same bytes and the same `Idempotency-Key`. The key of a
//!   usage report is stored before the report is sent; if the process ends before the answer, the
//!   next one uses it again, as long as the slot of that report lasts. A report that is told lost
//!   takes its key with it, unless it was lost to a close. Another API than `usage-server` may not
//!   know the header and count twice.
//! - **Statistics** go out when they come. What waits is bounded in number and in bytes; the oldest
//!   statistics give way, the newest usage never does.
//! - **The wall clock** is read at the start, to judge the state, and to stamp a state that is to be
//!   stored. A clock that is set back changes nothing that is scheduled.
//! - **A machine that slept** has its usage due that much sooner, spread as at a start
//!   ([`Reporter::slept`]). The drivers find out: they wait for five minutes at the most at a time, and
//!   compare the wall clock with the one that stands still in suspend. If it has run ahead by more than
//!   a minute, so much was slept.
//! - **In the log** there is one warning when reports stop getting through, and one notice when they
//!   do again, usage before all ([`Event::level`]). A 410 is a warning too: it is the last line.
//!
//! # What was sent
//!
//! With the state comes the last usage report as it left, with its time and the answer
//! ([`LastSent`]), less the token. A host keeps it for the owner of the machine to read: a state file
//! has it beside itself.
//!
//! # Whether and who
//!
//! [`Consent::resolve`] says whether reporting is on, and which rule decided it. [`Identity`] keeps
//! the ids of a server in its [`State`].
//!
//! # To be forgotten
//!
//! A customer who opts out may want what was reported to be erased: [`ForgetMe`] asks the API to, once,
//! and the state remembers it until the API has answered. The identity is given up with the first step.
//!
//! # What a driver logs
//!
//! Events of [`tracing`](https://docs.rs/tracing) under the target `usage_reporter`. Names and
//! fields stay as they are:
//!
//! | level | `event` | fields | when |
//! |---|---|---|---|
//! | info | `started` | `product`, `address`, `decided_by` | once, and how to switch reporting off |
//! | info | `dropped` | | the last handle was dropped before anything was sent: the reporting ends |
//! | warn | `outage_began` | `error` | a report is given up, or none gets through for a period: at most once a period |
//! | info | `outage_ended` | `lasted_s`, `failures` | usage gets through again, or all that failed |
//! | warn | `state_not_stored` | `error` | the host could not store the state; at level debug while that goes on |
//! | warn | `written_in_place` | `path` | the state file is a mount point: a crash may leave half of it |
//! | warn | `gone` | | the API wants no more reports: the end, until the next start |
//! | debug | `delivered` | `report`, `attempts`, `status` | |
//! | debug | `attempt_failed` | `report`, `attempt`, `error`, `retry_in_s` | |
//! | debug | `lost` | `report`, `reason`, `count` | |
//! | debug | `collect_failed` | `error` | the host had no numbers, or panicked |
//! | debug | `collect_unanswered` | | the host takes longer than it may |
//! | debug | `last_sent_not_stored` | `error` | the host could not keep the last report for its owner |
//! | debug | `stopped` | `delivered`, `lost` | the driver ends |
//!
//! `report` is `server`, `stats` or `usage`, and `error` has its reasons behind it. No token and
//! nothing of a report is in them. What the API says in an error, which may repeat a report, is in
//! `attempt_failed` alone.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod config;
mod consent;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod driver;
mod event;
mod forget_me;
mod machine;
mod report_kind;
mod seed;
mod state;
mod status;
mod submit_error;
mod time;

pub use action::{Action, Attempt, AttemptId};
pub use config::{Config, ConfigError, PendingLimits, RetryPolicy};
pub use consent::{Consent, ConsentRule};
#[cfg(feature = "blocking")]
pub use driver::blocking;
#[cfg(feature = "tokio")]
pub use driver::tokio;
#[cfg(any(feature = "blocking", feature = "tokio"))]
pub use driver::{
    handle::{Driver, Handle},
    host::Host,
    spawn_error::SpawnError,
};
pub use event::{Event, Level, LossReason};
pub use forget_me::{ForgetMe, ForgetOutcome, ForgetStep};
pub use machine::Reporter;
pub use report_kind::ReportKind;
pub use seed::Seed;
pub use state::State;
#[cfg(feature = "state_file")]
pub use state::file::{StateFile, error::StateFileError};
pub use state::identity::Identity;
pub use state::last_sent::LastSent;
pub use state::snapshot::Snapshot;
pub use status::{Phase, Status};
pub use submit_error::SubmitError;
#[cfg(feature = "state_file")]
pub use usage_files::{FileError, Risk};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
