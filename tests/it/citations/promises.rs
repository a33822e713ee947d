//! Every test that SECURITY.md names is there: a function by its path, or a case of the suite over the
//! adapters by its name.

use std::collections::BTreeSet;
use std::fs;

use super::source::test_functions;
use super::{root, rust_files};

#[test]
fn every_test_that_the_promises_name_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named: BTreeSet<_> = text.lines().flat_map(named_tests).collect();
    assert!(named.len() > 30, "are the tables still read? {named:?}");
    let mut paths = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&root().join(folder), &mut paths);
    }
    let mut tests = BTreeSet::new();
    for path in paths {
        // A module is a file, or the directory of a `mod.rs`.
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let directory = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let module = if stem == "mod" { directory } else { stem };
        for test in test_functions(&fs::read_to_string(&path).unwrap()) {
            tests.insert((module.to_owned(), test.name));
        }
    }
    let missing: Vec<_> = named.iter().filter(|named| !is_among(named, &tests)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:?}");
}

#[test]
fn every_case_that_the_promises_name_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named: BTreeSet<_> = text.lines().flat_map(named_cases).collect();
    assert!(named.len() > 5, "are the tables still read? {named:?}");
    let mut paths = Vec::new();
    rust_files(&root().join("tests/adapters/cases"), &mut paths);
    let cases: Vec<_> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let is_there = |name: &String| {
        let literal = format!("\"{name}\"");
        cases.iter().any(|source| source.contains(&literal))
    };
    let missing: Vec<_> = named.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "SECURITY.md names cases that are not there: {missing:?}");
}

/// What stands between backticks with a colon and a space in it, in a row of a table.
fn named_cases(line: &str) -> impl Iterator<Item = String> {
    quoted(line).filter(|text| text.contains(": ")).map(str::to_owned)
}

/// What stands between backticks and is the path of a function, in a row of a table.
fn named_tests(line: &str) -> impl Iterator<Item = String> {
    quoted(line).filter(|text| text.contains("::") && !text.ends_with("::")).map(str::to_owned)
}

fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let row = line.strip_prefix('|').unwrap_or_default();
    row.split('`').skip(1).step_by(2)
}

/// Whether a file that the path names has the test. Modules inside a file have names of their own.
fn is_among(path: &str, tests: &BTreeSet<(String, String)>) -> bool {
    let (modules, name) = path.rsplit_once("::").unwrap_or_default();
    modules.split("::").any(|module| tests.contains(&(module.to_owned(), name.to_owned())))
}
