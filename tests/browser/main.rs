//! Registration in a real browser: Chromium, headless.
//!
//! `cargo xtask browser` installs what is needed and runs them. Where there is no Chromium they are
//! shown as ignored, and never as passed.
//!
//! Scripts are switched off in it: no page needs one.
//!
//! The binary `usagectl` is another package's and may not be built: this program is `usagectl` once it
//! is started with a mark.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]
#![expect(clippy::print_stdout, reason = "what is not run is shown")]

mod applications;
mod look;
mod product;
mod round;
mod site;

use std::env;
use std::net::{Ipv6Addr, TcpListener};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use testkit::webdriver;

/// Set where this process is `usagectl`.
const MARK: &str = "USAGE_TESTS_USAGECTL";

/// What a case is called, and what it does.
type Case = (&'static str, fn());

fn main() -> ExitCode {
    if env::var_os(MARK).is_some() {
        return usagectl::run(env::args_os());
    }
    let no_browser = webdriver::programs().is_none();
    if no_browser {
        println!("SKIPPED: there is no Chromium here; `cargo xtask browser` installs one");
    }
    let no_version_6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err();
    let trial = |(name, play): &Case, ignored: bool| {
        let play = *play;
        let run = move || {
            play();
            Ok(())
        };
        Trial::test(*name, run).with_ignored_flag(ignored)
    };
    let cases = round::CASES.iter().chain(applications::CASES).chain(look::CASES);
    let mut trials: Vec<_> = cases.map(|case| trial(case, no_browser)).collect();
    trials.push(trial(&round::VERSION_6, no_browser || no_version_6));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
