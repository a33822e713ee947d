//! One suite over every backend: `SQLite` in a file and in a temporary file, `PostgreSQL`, and
//! `PostgreSQL` behind pgbouncer in transaction mode.
//!
//! It has a runner of its own, since it says of a backend that cannot be had that it was skipped. A
//! part of a case's name, or of a backend's, is a filter. With `USAGE_TEST_POSTGRES=required` in the
//! environment a backend that cannot be had is a failure.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic fails a case, and it tells"
)]

mod cases;
#[path = "../it/client.rs"]
#[expect(dead_code, reason = "shared with the other tests, which use more of it")]
mod client;
mod counting_cases;
mod forget_cases;
mod going_cases;
mod moving_cases;
mod naming_cases;
#[cfg(all(unix, feature = "postgres"))]
mod postgres_cases;
mod target;

use std::process::ExitCode;
use std::time::Instant;

use target::Target;

/// A case, and what it needs.
type Case = (&'static str, fn(&Target));

fn main() -> ExitCode {
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let backends = target::backends();
    let (mut failed, mut passed, mut skipped) = (0, 0, 0);
    for backend in &backends {
        for (name, case) in cases::ALL.iter().chain(backend.own_cases()) {
            let name = format!("{}::{name}", backend.name());
            if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
                continue;
            }
            let begun = Instant::now();
            match backend.new_target() {
                Err(reason) => {
                    skipped += 1;
                    println!("test {name} ... skipped: {reason}");
                }
                Ok(target) => {
                    let run = std::panic::AssertUnwindSafe(|| case(&target));
                    if std::panic::catch_unwind(run).is_ok() {
                        passed += 1;
                        println!("test {name} ... ok ({:.1?})", begun.elapsed());
                    } else {
                        failed += 1;
                        println!("test {name} ... FAILED");
                    }
                }
            }
        }
    }
    println!("\n{passed} passed; {failed} failed; {skipped} skipped");
    let required = std::env::var_os("USAGE_TEST_POSTGRES").is_some_and(|value| value == "required");
    if failed > 0 || (required && skipped > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
