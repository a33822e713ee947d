//! Every combination of a published crate's features builds without a warning.
//!
//! Each crate is built alone, as its users build it: in the workspace another member may turn on a
//! feature of a shared dependency that this one forgot to ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::cargo::{cargo, run};
use crate::failure::Failure;
use crate::metadata::{Metadata, Package};
use crate::runner::{Done, Step};

pub(crate) const FEATURES: Step = Step {
    name: "features",
    about: "each published crate builds alone, with every combination of its features",
    run: features,
};

/// Two hundred and fifty-six builds of one crate are as many as CI has time for.
const MOST_FEATURES: usize = 8;

type Features = BTreeMap<String, Vec<String>>;

fn features() -> Result<Done, Failure> {
    let metadata = Metadata::of_members()?;
    for package in metadata.members().filter(|member| member.is_published) {
        for combination in combinations(package)? {
            check(&package.name, &combination)?;
        }
    }
    Ok(Done::Checked)
}

/// Clippy rather than `cargo check`: it alone can deny warnings in one crate without building the
/// dependencies again, and they are shared with the step `clippy`.
fn check(package: &str, combination: &BTreeSet<String>) -> Result<(), Failure> {
    let mut command = cargo(["clippy", "--package", package, "--locked", "--no-default-features"]);
    if !combination.is_empty() {
        let list: Vec<_> = combination.iter().map(String::as_str).collect();
        command.args(["--features", &list.join(",")]);
    }
    command.args(["--", "-D", "warnings"]);
    run(command)
}

/// The sets of features that differ in what they turn on, the empty one first.
fn combinations(package: &Package) -> Result<Vec<BTreeSet<String>>, Failure> {
    // `default` only stands for others.
    let names: Vec<_> = package.features.keys().filter(|name| *name != "default").collect();
    if names.len() > MOST_FEATURES {
        return Err(Failure::new(format!(
            "{} has {} features, more than {MOST_FEATURES}: building every combination takes too \
             long; join some, or choose here which combinations count",
            package.name,
            names.len(),
        )));
    }
    let mut found = Vec::new();
    for choice in 0..1_usize << names.len() {
        let chosen = names.iter().enumerate().filter(|(bit, _)| choice >> bit & 1 == 1);
        let turned_on = closure(&package.features, chosen.map(|(_, name)| name.as_str()));
        if !found.contains(&turned_on) {
            found.push(turned_on);
        }
    }
    Ok(found)
}

/// The chosen features with the crate's own features that they turn on.
fn closure<'a>(features: &'a Features, chosen: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut queue: Vec<&str> = chosen.collect();
    while let Some(name) = queue.pop() {
        // What is not a feature here (`dep:x`, `x/y`) belongs to a dependency.
        if let Some(turns_on) = features.get(name)
            && all.insert(name.to_owned())
        {
            queue.extend(turns_on.iter().map(String::as_str));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::combinations;
    use crate::metadata::Package;

    fn found(features: &Value) -> Vec<String> {
        let package = Package::for_test("p", None, features);
        let sets = combinations(&package).unwrap();
        sets.iter()
            .map(|set| set.iter().map(String::as_str).collect::<Vec<_>>().join("+"))
            .collect()
    }

    #[test]
    fn a_crate_without_features_is_built_once() {
        assert_eq!(found(&json!({})), [""]);
        assert_eq!(found(&json!({ "default": [] })), [""]);
    }

    #[test]
    fn every_combination_is_found() {
        let features = json!({ "default": ["a"], "a": ["dep:x"], "b": ["x?/y"] });
        assert_eq!(found(&features), ["", "a", "b", "a+b"]);
    }

    #[test]
    fn what_a_feature_implies_is_not_built_twice() {
        let features = json!({ "a": [], "b": ["a"], "c": ["b"] });
        assert_eq!(found(&features), ["", "a", "a+b", "a+b+c"]);
    }

    #[test]
    fn too_many_features_are_a_failure() {
        let features = (0..9).map(|n| (n.to_string(), json!([]))).collect::<Value>();
        let package = Package::for_test("many", None, &features);
        assert!(combinations(&package).unwrap_err().to_string().contains("many has 9 features"));
    }
}
