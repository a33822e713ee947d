//! Every rule of `docs/protocol.md` is shown by some test, and tests cite no rule that is not there.
//!
//! A test cites a rule by `w12` in its name, or by `W12` in a comment inside it or right above it;
//! `w31_to_w34` and `W31 to W34` stand for all between. The cases of the suite over the adapters are
//! no functions: what a file of them says anywhere is said by its cases.

mod promises;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{TestFunction, test_functions};

#[test]
fn every_rule_is_cited_by_a_test() {
    let cited = citations();
    let missing: Vec<_> = rules().into_iter().filter(|rule| !cited.contains_key(rule)).collect();
    assert!(missing.is_empty(), "no test cites these rules (W…): {missing:?}");
}

#[test]
fn tests_cite_rules_that_exist() {
    let rules = rules();
    let unknown: BTreeMap<_, _> =
        citations().into_iter().filter(|(rule, _)| !rules.contains(rule)).collect();
    assert!(unknown.is_empty(), "docs/protocol.md has no such rules (W…): {unknown:?}");
}

/// The rows `| W1 | …` of the protocol's tables.
fn rules() -> BTreeSet<u32> {
    let path = root().join("docs/protocol.md");
    let text = fs::read_to_string(&path).unwrap();
    let rules: BTreeSet<_> = text.lines().filter_map(row).collect();
    assert!(
        rules.len() > 30,
        "{} has {} rules: are its tables still read?",
        path.display(),
        rules.len()
    );
    rules
}

fn row(line: &str) -> Option<u32> {
    let (number, _) = line.strip_prefix("| W")?.split_once(" |")?;
    number.parse().ok()
}

/// The rules that tests cite, each with the tests that do.
fn citations() -> BTreeMap<u32, BTreeSet<String>> {
    let mut sources = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&root().join(folder), &mut sources);
    }
    let mut citations: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        let mut tests = test_functions(&text);
        if path.starts_with(root().join("tests/adapters/cases")) {
            let name = path.display().to_string();
            tests.push(TestFunction { name, comments: text.lines().map(str::to_owned).collect() });
        }
        for test in tests {
            for rule in cited_by(&test) {
                citations.entry(rule).or_default().insert(test.name.clone());
            }
        }
    }
    citations
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn cited_by(test: &TestFunction) -> BTreeSet<u32> {
    let name: Vec<_> = test.name.split('_').collect();
    let mut rules = numbers(&name, 'w');
    for comment in &test.comments {
        let words: Vec<_> = comment.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        rules.extend(numbers(&words, 'W'));
    }
    rules
}

/// The numbers behind `letter`, and those between two with a `to` between.
fn numbers(words: &[&str], letter: char) -> BTreeSet<u32> {
    let number = |word: &&str| word.strip_prefix(letter)?.parse::<u32>().ok();
    let single = words.iter().filter_map(number);
    let ranges = words.windows(3).filter(|three| three[1] == "to");
    let ranges = ranges.filter_map(|three| Some(number(&three[0])?..=number(&three[2])?));
    single.chain(ranges.flatten()).collect()
}
