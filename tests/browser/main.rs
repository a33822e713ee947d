//! Registration in a real browser: Chromium, headless.
//!
//! `cargo xtask browser` installs what is needed and runs them. Where there is no Chromium they are
//! shown as ignored, and never as passed.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

mod look;
mod round;
mod site;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use testkit::webdriver;

/// What a case is called, and what it does.
type Case = (&'static str, fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = webdriver::programs().is_none();
    let cases = round::CASES.iter().chain(look::CASES);
    let trials = cases.map(|(name, play)| {
        Trial::test(*name, || {
            play();
            Ok(())
        })
        .with_ignored_flag(missing)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
