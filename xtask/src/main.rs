//! The project's own tasks, run as `cargo xtask COMMAND`.
//!
//! `cargo xtask ci` is the whole of the continuous integration, so a contributor runs exactly what
//! CI runs. Each step is a command of its own as well.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to its user")]

mod bench;
mod cargo;
mod deny;
mod docs;
mod failure;
mod features;
mod format;
mod fuzz;
mod laws;
mod lint;
mod metadata;
mod msrv;
mod runner;
mod simulate;
mod test_counts;
mod testing;
mod tool;

use std::process::ExitCode;

use runner::Step;

/// What `cargo xtask ci` runs, in this order: what fails fast comes first, and each step finds the
/// artefacts of the one before it (clippy's metadata serves `features` and `doc`, the test build
/// serves `doctest` and `host-features`).
const CI: &[Step] = &[
    format::FMT,
    msrv::MSRV,
    lint::CLIPPY,
    features::FEATURES,
    docs::DOC,
    testing::TEST,
    testing::DOCTEST,
    testing::HOST_FEATURES,
    testing::WITHOUT_TLS,
    deny::DENY,
    fuzz::FUZZ,
];

/// What is run by name alone.
const BY_NAME: &[Step] = &[bench::BENCH, simulate::SIMULATE, laws::LAWS];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help" | "help")) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let outcome = match arguments.split_first() {
        // The one command with options of its own.
        Some((name, options)) if name == fuzz::FUZZ.name && !options.is_empty() => {
            fuzz::Options::parse(options).map(|options| fuzz::command(&options))
        }
        _ => steps(&arguments).map(|steps| runner::run(&steps)),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}; `cargo xtask --help` lists the commands");
            ExitCode::from(2)
        }
    }
}

/// The steps that the command line asks for.
fn steps(arguments: &[String]) -> Result<Vec<Step>, String> {
    if arguments.is_empty() {
        return Err("no command is given".to_owned());
    }
    let mut steps = Vec::new();
    for argument in arguments {
        if argument == "ci" {
            steps.extend_from_slice(CI);
        } else if let Some(step) = CI.iter().chain(BY_NAME).find(|step| step.name == argument) {
            steps.push(*step);
        } else {
            return Err(format!("there is no command `{argument}`"));
        }
    }
    Ok(steps)
}

fn help() -> String {
    let list = |steps: &[Step]| {
        let lines = steps.iter().map(|step| format!("  {:<14} {}", step.name, step.about));
        lines.collect::<Vec<_>>().join("\n")
    };
    format!(
        "Run the project's own tasks.\n\n\
         Usage: cargo xtask COMMAND...\n\n\
         Commands:\n  {:<14} every step below, in this order: what CI runs\n{}\n\n\
         Not a part of CI:\n{}\n\n\
         Several commands run one after the other; the first that fails ends the run.\n\
         Exit status: 0 all passed, 1 a step failed, 2 the command line is wrong.\n",
        "ci",
        list(CI),
        list(BY_NAME),
    )
}

#[cfg(test)]
mod tests {
    use super::{BY_NAME, CI, help, steps};

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(steps(&arguments)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn ci_is_every_step() {
        let all: Vec<_> = CI.iter().map(|step| step.name).collect();
        assert_eq!(names(&["ci"]).unwrap(), all);
    }

    #[test]
    fn steps_run_in_the_order_given() {
        assert_eq!(names(&["test", "fmt"]).unwrap(), ["test", "fmt"]);
    }

    #[test]
    fn an_unknown_command_is_named() {
        assert!(names(&["fmt", "frobnicate"]).unwrap_err().contains("`frobnicate`"));
        assert!(names(&[]).is_err());
    }

    #[test]
    fn help_names_every_step() {
        let help = help();
        for step in CI.iter().chain(BY_NAME) {
            assert!(help.contains(step.name), "{} is missing", step.name);
        }
    }
}
