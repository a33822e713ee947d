//! Every test that SECURITY.md names is there.

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

/// What stands between backticks and is the path of a function, in a row of a table.
fn named_tests(line: &str) -> impl Iterator<Item = String> {
    let row = line.strip_prefix('|').unwrap_or_default();
    let quoted = row.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains("::") && !text.ends_with("::")).map(str::to_owned)
}

/// Whether a file that the path names has the test. Modules inside a file have names of their own.
fn is_among(path: &str, tests: &BTreeSet<(String, String)>) -> bool {
    let (modules, name) = path.rsplit_once("::").unwrap_or_default();
    modules.split("::").any(|module| tests.contains(&(module.to_owned(), name.to_owned())))
}
