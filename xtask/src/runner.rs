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
    /// What takes more than that.
    Code(fn() -> Result<Note, String>),
}

/// What a step that passed has to say in the summary; mostly nothing.
pub(crate) type Note = &'static str;

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
        let outcome = match step.how {
            How::Lines(lines) => {
                lines.iter().try_for_each(|line| call(line, &mut tests)).map(|()| "")
            }
            How::Code(code) => code(),
        };
        let verdict = match outcome {
            Ok("") => "ok".to_owned(),
            Ok(note) => format!("ok {note}"),
            Err(_) => "FAILED".to_owned(),
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

/// Runs a line of the table. If it runs tests they are counted, and none at all is a failure.
fn call(text: &str, tests: &mut Tests) -> Result<(), String> {
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
    if tests.passed == before.passed { Err("no test ran".to_owned()) } else { Ok(()) }
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
    use super::Tests;

    #[test]
    fn the_last_line_of_a_test_binary_is_read() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s";
        assert_eq!(Tests::from_line(line), Some(Tests { passed: 12, ignored: 1 }));
        for line in ["", "test a::b ... ok", "running 3 tests", "test result: maybe"] {
            assert_eq!(Tests::from_line(line), None, "{line}");
        }
    }
}
