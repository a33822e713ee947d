//! Runs steps one after the other, and sums up at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::test_counts::TestCounts;

/// One thing that CI checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// The name on the command line and in the summary.
    pub(crate) name: &'static str,
    /// One line for the help text.
    pub(crate) about: &'static str,
    /// Does the work; its output goes straight to the terminal.
    pub(crate) run: fn() -> Result<Done, Failure>,
}

/// What a step that passed has to say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Done {
    Checked,
    /// The step ran tests, and this many.
    Tested(TestCounts),
}

/// Runs `steps` until one fails, then prints how long each took.
pub(crate) fn run(steps: &[Step]) -> ExitCode {
    let mut times = Vec::new();
    let mut tests: Option<TestCounts> = None;
    let mut failed = None;
    for step in steps {
        println!("\n==> {}: {}", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, start.elapsed(), outcome.is_ok()));
        match outcome {
            Ok(Done::Checked) => {}
            Ok(Done::Tested(counts)) => tests = Some(tests.unwrap_or_default() + counts),
            Err(failure) => {
                failed = Some((step.name, failure));
                break;
            }
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
    if let Some(counts) = tests {
        println!("\n{counts}");
    }
    ExitCode::SUCCESS
}

fn summarise(times: &[(&str, Duration, bool)]) {
    println!("\n{:<14} {:>9}", "step", "seconds");
    for (name, time, passed) in times {
        let verdict = if *passed { "ok" } else { "FAILED" };
        println!("{name:<14} {:>9.1}  {verdict}", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time, _)| *time).sum();
    println!("{:<14} {:>9.1}", "total", total.as_secs_f64());
}
