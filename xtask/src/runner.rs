//! Runs steps one after the other, and sums up at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::command::{line, run, run_and_read};

/// One thing that CI checks.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name on the command line and in the summary.
    pub(crate) name: &'static str,
    /// One line for the help text.
    pub(crate) about: &'static str,
    pub(crate) how: How,
}

/// How a step does its work; its output goes straight to the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// Calls of cargo, as one would type them in the root of the workspace. Those of `cargo test`
    /// have to run a test.
    Lines(&'static [&'static str]),
    /// The same, for tests that need what a machine may not have: then they are run all the same, to
    /// show each of them as ignored, and the step is shown as skipped.
    LinesThatNeed(fn() -> Result<Readiness, String>, &'static [&'static str]),
    /// What takes more than that.
    Code(fn() -> Result<Note, String>),
}

/// What a step that passed has to say in the summary; mostly nothing.
pub(crate) type Note = &'static str;

/// Whether this machine has what tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// What is missing, in words.
    Missing(&'static str),
}

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tests {
    passed: u64,
    ignored: u64,
}

/// Runs `steps` until one fails, then prints how long each took.
pub(crate) fn run_all(steps: &[&Step]) -> ExitCode {
    let mut times = Vec::new();
    let mut tests = Tests::default();
    let mut failed = None;
    for step in steps {
        println!("\n==> {}: {}", step.name, step.about);
        let start = Instant::now();
        let (outcome, readiness) = outcome(step.how, &mut tests);
        let verdict = match (&outcome, readiness) {
            (Err(_), _) => "FAILED".to_owned(),
            (Ok(_), Readiness::Missing(what)) => format!("SKIPPED: {what}"),
            (Ok(""), Readiness::Ready) => "ok".to_owned(),
            (Ok(note), Readiness::Ready) => format!("ok {note}"),
        };
        times.push((step.name, start.elapsed(), verdict));
        if let Err(failure) = outcome {
            failed = Some((step.name, failure));
            break;
        }
    }
    summarise(&times);
    if let Some((name, failure)) = failed {
        let left: Vec<_> = steps[times.len()..].iter().map(|step| step.name).collect();
        if !left.is_empty() {
            println!("not run: {}", left.join(", "));
        }
        eprintln!("\nerror: step `{name}` failed: {failure}");
        eprintln!("to repeat it alone: cargo xtask {name}");
        return ExitCode::FAILURE;
    }
    if tests.passed > 0 {
        // In the words of the test runner itself.
        println!("\ntest result: ok. {} passed; 0 failed; {} ignored", tests.passed, tests.ignored);
    }
    ExitCode::SUCCESS
}

/// Does what a step is there for, with what is at hand.
fn outcome(how: How, tests: &mut Tests) -> (Result<Note, String>, Readiness) {
    let (readiness, lines) = match how {
        How::Code(code) => return (code(), Readiness::Ready),
        How::Lines(lines) => (Readiness::Ready, lines),
        How::LinesThatNeed(prepare, lines) => match prepare() {
            Ok(readiness) => (readiness, lines),
            Err(failure) => return (Err(failure), Readiness::Ready),
        },
    };
    let done = lines.iter().try_for_each(|line| call(line, tests, readiness));
    (done.map(|()| ""), readiness)
}

/// Runs a line of the table. If it runs tests they are counted. None at all is a failure, unless
/// something is missing: then none may pass.
fn call(text: &str, tests: &mut Tests, readiness: Readiness) -> Result<(), String> {
    let command = line(text)?;
    if !text.contains("cargo test ") {
        return run(command);
    }
    let before = *tests;
    run_and_read(command, |line| {
        if let Some(more) = Tests::from_line(line) {
            tests.passed += more.passed;
            tests.ignored += more.ignored;
        }
    })?;
    judge(tests.passed > before.passed, readiness)
}

/// Whether tests that have run, or none that has, are what is to be expected.
fn judge(ran: bool, readiness: Readiness) -> Result<(), String> {
    match readiness {
        Readiness::Ready if !ran => Err("no test ran".to_owned()),
        Readiness::Missing(what) if ran => Err(format!("tests have passed though {what}")),
        _ => Ok(()),
    }
}

impl Tests {
    /// Reads the line with which a test binary ends:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
    fn from_line(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut parts = counts.split("; ");
        let mut count = |what| parts.next()?.strip_suffix(what)?.trim_end().parse().ok();
        let passed = count("passed")?;
        let _failed: u64 = count("failed")?;
        Some(Self { passed, ignored: count("ignored")? })
    }
}

fn summarise(times: &[(&str, Duration, String)]) {
    println!("\n{:<14} {:>9}", "step", "seconds");
    for (name, time, verdict) in times {
        println!("{name:<14} {:>9.1}  {verdict}", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time, _)| *time).sum();
    println!("{:<14} {:>9.1}", "total", total.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::{How, Readiness, Tests, judge, outcome};

    #[test]
    fn what_is_missing_is_neither_passed_nor_failed() {
        let missing = Readiness::Missing("there is no browser");
        assert!(judge(true, Readiness::Ready).is_ok() && judge(false, Readiness::Ready).is_err());
        assert!(judge(false, missing).is_ok() && judge(true, missing).is_err());
        let mut tests = Tests::default();
        let skipped = outcome(How::LinesThatNeed(|| Ok(Readiness::Missing("it")), &[]), &mut tests);
        assert_eq!(skipped, (Ok(""), Readiness::Missing("it")));
        let broken = outcome(How::LinesThatNeed(|| Err("it".to_owned()), &[]), &mut tests);
        assert!(broken.0.is_err());
    }

    #[test]
    fn the_last_line_of_a_test_binary_is_read() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s";
        assert_eq!(Tests::from_line(line), Some(Tests { passed: 12, ignored: 1 }));
        for line in ["", "test a::b ... ok", "running 3 tests", "test result: maybe"] {
            assert_eq!(Tests::from_line(line), None, "{line}");
        }
    }
}
