//! The project's own tasks, run as `cargo xtask COMMAND`.
//!
//! `cargo xtask ci` is the whole of the continuous integration, so a contributor runs exactly what
//! CI runs. Each step is a command of its own as well.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to its user")]

mod bench;
mod browser;
mod command;
mod fuzz;
mod lines;
mod msrv;
mod package;
mod platforms;
mod python_tool;
mod runner;
mod schemathesis;
mod steps;
mod template;
mod tool;

use std::process::ExitCode;

use runner::Step;

fn main() -> ExitCode {
    if let Some(made) = platforms::stand_in(std::env::args_os().skip(1)) {
        return if made.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| matches!(argument.as_str(), "-h" | "--help" | "help")) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let outcome = match arguments.split_first() {
        // The commands with options of their own.
        Some((name, options)) if name == "fuzz" && !options.is_empty() => {
            fuzz::Options::parse(options).map(|options| ended(fuzz::fuzz(&options)))
        }
        Some((name, options)) if name == "bench" && !options.is_empty() => {
            bench::Options::parse(options).map(|options| ended(bench::bench(&options)))
        }
        Some((name, options)) if name == "footprint" && !options.is_empty() => {
            Ok(ended(bench::print_footprint(options)))
        }
        _ => chosen(&arguments).map(|steps| runner::run_all(&steps)),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("error: {message}; `cargo xtask --help` lists the commands");
        ExitCode::from(2)
    })
}

fn ended<T>(outcome: Result<T, String>) -> ExitCode {
    match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The steps that the command line asks for.
fn chosen(arguments: &[String]) -> Result<Vec<&'static Step>, String> {
    if arguments.is_empty() {
        return Err("no command is given".to_owned());
    }
    let mut chosen = Vec::new();
    for argument in arguments {
        if argument == "ci" {
            chosen.extend(steps::CI);
        } else {
            let step = steps::find(argument);
            chosen.push(step.ok_or_else(|| format!("there is no command `{argument}`"))?);
        }
    }
    Ok(chosen)
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
        list(steps::CI),
        list(steps::BY_NAME),
    )
}

#[cfg(test)]
mod tests {
    use super::{chosen, steps};

    fn names(arguments: &[&str]) -> Result<Vec<&'static str>, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(chosen(&arguments)?.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_run_in_the_order_given() {
        assert_eq!(names(&["test", "lines", "fmt"]).unwrap(), ["test", "lines", "fmt"]);
        assert_eq!(names(&["ci"]).unwrap().len(), steps::CI.len());
    }

    #[test]
    fn an_unknown_command_is_named() {
        assert!(names(&["fmt", "frobnicate"]).unwrap_err().contains("`frobnicate`"));
        assert!(names(&[]).is_err());
    }
}
