//! The recorded facts: what the original Go client was seen to send. What it made of answers is in
//! the suite over the adapters.
//!
//! Each case has the same outcome here, or a rule says why not; then the outcome must be the one
//! that the rule promises. A case that is neither fails.

mod null;
mod payload;
mod registration;
mod requests;
mod situation;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

/// What became of a case: the same outcome as the Go client's, but for what these rules say; none, if
/// it is the same.
#[derive(Debug, PartialEq, Eq)]
struct Verdict(BTreeSet<u8>);

impl Verdict {
    const SAME: Self = Self(BTreeSet::new());

    fn rule(number: u8) -> Self {
        Self(BTreeSet::from([number]))
    }
}

/// How many cases there are of each kind.
#[derive(Debug, Default)]
struct Tally {
    same: usize,
    by_rule: usize,
    rules: BTreeMap<u8, usize>,
    unknown: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, verdict: Result<Verdict, String>) {
        match verdict {
            Ok(Verdict(rules)) if rules.is_empty() => self.same += 1,
            Ok(Verdict(rules)) => {
                self.by_rule += 1;
                for rule in rules {
                    *self.rules.entry(rule).or_default() += 1;
                }
            }
            Err(why) => self.unknown.push(format!("{name}: {why}")),
        }
    }

    /// Prints the counts, for who runs the tests and not only for who debugs them; fails if a case
    /// is neither the same nor by a rule, or if the counts are others than they were.
    fn close(&self, what: &str, same: usize, rules: &[(u8, usize)]) {
        let cases = self.same + self.by_rule;
        let shown: Vec<_> =
            self.rules.iter().map(|(rule, count)| format!("W{rule} {count}")).collect();
        let text = format!(
            "{what}: {cases} cases: {} the same as the Go client, {} by rule ({})\n",
            self.same,
            self.by_rule,
            shown.join(", "),
        );
        // Not `print!`, which the test runner keeps to itself.
        io::stderr().write_all(text.as_bytes()).unwrap();
        assert!(
            self.unknown.is_empty(),
            "neither the same nor by rule:\n{}",
            self.unknown.join("\n")
        );
        assert_eq!(self.same, same, "the same as the Go client");
        assert!(self.rules.iter().eq(rules.iter().map(|(rule, count)| (rule, count))), "by rule");
    }
}

/// The cases of a fixture, one JSON text a line.
fn cases<T: serde::de::DeserializeOwned>(fixture: &str) -> Vec<T> {
    fixture.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
