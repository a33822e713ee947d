//! Fuzzing, from the committed corpora.

use std::fs;
use std::path::Path;

use crate::command::{line, root, run, target_directory};
use crate::runner::Note;

/// What is fuzzed, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Every target if there is none.
    target: Option<String>,
    /// For each target.
    seconds: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, seconds: 20 }
    }
}

impl Options {
    /// Reads what follows `fuzz` on the command line.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--seconds" {
                let number = rest.next().and_then(|number| number.parse().ok());
                // libFuzzer takes 0 for no limit.
                options.seconds = number
                    .filter(|&seconds| seconds > 0)
                    .ok_or("`--seconds` wants a number above 0")?;
            } else if argument.starts_with('-') || options.target.is_some() {
                return Err(format!("`fuzz` does not take `{argument}`"));
            } else {
                options.target = Some(argument.clone());
            }
        }
        Ok(options)
    }
}

/// Runs the targets one after the other; the first input that breaks one ends the run.
///
/// Everything is safe Rust, so no sanitizer is used: without one, the stable toolchain will do.
pub(crate) fn fuzz(options: &Options) -> Result<Note, String> {
    let known = targets()?;
    let chosen = match &options.target {
        Some(target) if known.contains(target) => vec![target.clone()],
        Some(target) => {
            return Err(format!("there is no target `{target}`, only {}", known.join(", ")));
        }
        None => known,
    };
    // `cargo fuzz` would mend a lock file that does not fit.
    run(line("cargo fetch --locked --manifest-path fuzz/Cargo.toml")?)?;
    let found = target_directory()?.join("fuzz-corpus");
    for target in chosen {
        fuzz_one(&target, options.seconds, &found.join(&target))?;
    }
    Ok("")
}

fn fuzz_one(target: &str, seconds: u32, found: &Path) -> Result<(), String> {
    let crashes = format!("tests/fixtures/crashes/{target}/");
    make(found)?;
    make(&root().join(&crashes))?;
    let mut command = line("cargo fuzz run --fuzz-dir fuzz --sanitizer none")?;
    // libFuzzer adds to the first folder and only reads the others.
    command.arg(target).arg(found).arg(format!("fuzz/corpus/{target}"));
    command.arg("--").arg(format!("-dict=fuzz/dictionaries/{target}.dict"));
    command.arg(format!("-artifact_prefix={crashes}")).arg(format!("-max_total_time={seconds}"));
    command.args(["-max_len=4096", "-timeout=10", "-print_final_stats=1", "-verbosity=0"]);
    run(command).map_err(|failure| {
        format!(
            "{failure}; an input that breaks the target is in {crashes}: repeat it with \
             `cargo test -p usage-tests replay`, and leave it there as a regression"
        )
    })
}

/// The names of the files in `fuzz/fuzz_targets`.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

pub(crate) fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::{Options, targets};

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn target_and_seconds_come_in_any_order() {
        let expected = || Ok(Options { target: Some("url".to_owned()), seconds: 5 });
        assert_eq!(parse(&["url", "--seconds", "5"]), expected());
        assert_eq!(parse(&["--seconds", "5", "url"]), expected());
        assert_eq!(parse(&[]), Ok(Options { target: None, seconds: 20 }));
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(parse(&["url", "payload"]).unwrap_err().contains("`payload`"));
        assert!(parse(&["--minutes", "5"]).unwrap_err().contains("`--minutes`"));
        for wrong in [&["--seconds"][..], &["--seconds", "x"], &["--seconds", "0"]] {
            assert!(parse(wrong).unwrap_err().contains("`--seconds`"));
        }
    }

    #[test]
    fn the_targets_are_found() {
        assert!(targets().unwrap().contains(&"payload".to_owned()));
    }
}
