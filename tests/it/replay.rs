//! What fuzzing has found, and what it starts from, run again on stable.
//!
//! `cargo xtask fuzz` writes an input that breaks an oracle to `tests/fixtures/crashes/TARGET/`,
//! where it stays as a regression.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use testkit::targets::TARGETS;

#[test]
fn past_crashes_stay_mended() {
    replay(&tests().join("fixtures/crashes"));
}

#[test]
fn the_corpora_hold() {
    replay(&fuzz().join("corpus"));
}

#[test]
fn each_target_has_a_binary_a_dictionary_and_a_corpus() {
    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for folder in ["fuzz_targets", "dictionaries", "corpus"] {
        let found: BTreeSet<_> =
            entries(&fuzz().join(folder)).iter().map(|path| stem(path)).collect();
        assert_eq!(found, names, "fuzz/{folder}");
    }
}

/// Runs the inputs of each target, which lie in a folder of its name; a folder need not be there.
fn replay(folder: &Path) {
    let known = TARGETS.map(|target| target.name);
    let mut broken = Vec::new();
    for inputs in entries(folder) {
        let name = stem(&inputs);
        assert!(known.contains(&name.as_str()), "{} belongs to no target", inputs.display());
        let run = TARGETS.into_iter().find(|target| target.name == name).unwrap().run;
        for input in entries(&inputs) {
            let data = fs::read(&input).unwrap();
            if catch_unwind(|| run(&data)).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "these inputs break an oracle: {broken:#?}");
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fuzz() -> PathBuf {
    tests().parent().unwrap().join("fuzz")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
