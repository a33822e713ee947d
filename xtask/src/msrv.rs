//! No dependency of a published crate asks for a newer Rust than the workspace promises.
//!
//! The other half of the promise, that our own code uses nothing newer, is clippy's
//! `incompatible_msrv`, which is on by default and reads the same `rust-version`.

use crate::cargo::root;
use crate::failure::Failure;
use crate::metadata::{Metadata, Package};
use crate::runner::{Done, Step};

pub(crate) const MSRV: Step = Step {
    name: "msrv",
    about: "no dependency asks for a newer Rust than `rust-version`",
    run: msrv,
};

/// A Rust release: major, minor, patch. The fields' order is the order of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Release(u64, u64, u64);

fn msrv() -> Result<Done, Failure> {
    let metadata = Metadata::of_graph()?;
    let promised = promised(&metadata)?;
    let packages = metadata.behind_published_members();
    let silent = packages.iter().filter(|(package, _)| package.rust_version.is_none()).count();
    let newer: Vec<_> = packages
        .iter()
        .filter_map(|(package, parent)| complaint(package, *parent, promised))
        .collect();
    println!(
        "{} packages, for all platforms and features; {silent} of them name no rust-version",
        packages.len()
    );
    if newer.is_empty() {
        Ok(Done::Checked)
    } else {
        Err(Failure::new(format!("newer than promised:\n  {}", newer.join("\n  "))))
    }
}

/// The one `rust-version` of all members.
fn promised(metadata: &Metadata) -> Result<Release, Failure> {
    let mut promised = None;
    for member in metadata.members() {
        let release = member.rust_version.as_deref().and_then(parse);
        let release = release.ok_or_else(|| {
            Failure::new(format!("{} has no `rust-version.workspace = true`", member.name))
        })?;
        if *promised.get_or_insert(release) != release {
            return Err(Failure::new(format!(
                "{} has another rust-version than the other members",
                member.name
            )));
        }
    }
    promised.ok_or_else(|| Failure::new(format!("no member found below {}", root().display())))
}

fn complaint(package: &Package, parent: Option<&Package>, promised: Release) -> Option<String> {
    let text = package.rust_version.as_deref()?;
    let through = parent.map_or_else(String::new, |parent| format!(" (through {})", parent.name));
    match parse(text) {
        Some(release) if release <= promised => None,
        _ => Some(format!("{} {} asks for Rust {text}{through}", package.name, package.version)),
    }
}

/// `1.89` or `1.89.1`.
fn parse(text: &str) -> Option<Release> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    let release = Release(
        numbers.next()??,
        numbers.next().unwrap_or(Some(0))?,
        numbers.next().unwrap_or(Some(0))?,
    );
    numbers.next().is_none().then_some(release)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Release, complaint, parse};
    use crate::metadata::Package;

    #[test]
    fn releases_are_ordered_by_number() {
        assert_eq!(parse("1.89"), Some(Release(1, 89, 0)));
        assert!(parse("1.100") > parse("1.89.2"));
        for text in ["", "1.x", "1.2.3.4", "stable"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_newer_dependency_is_named_with_its_parent() {
        let needed = Package::for_test("young", Some("1.90"), &json!({}));
        let parent = Package::for_test("parent", Some("1.60"), &json!({}));
        let said = complaint(&needed, Some(&parent), Release(1, 89, 0)).unwrap();
        assert_eq!(said, "young 1.0.0 asks for Rust 1.90 (through parent)");
    }

    #[test]
    fn an_older_or_silent_dependency_passes() {
        for version in [Some("1.89"), Some("1.31.0"), None] {
            let package = Package::for_test("p", version, &json!({}));
            assert_eq!(complaint(&package, None, Release(1, 89, 0)), None);
        }
    }
}
