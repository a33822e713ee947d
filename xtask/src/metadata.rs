//! The part of `cargo metadata` that the steps ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo::{capture, cargo};
use crate::failure::Failure;

/// The packages of the graph, and which needs which.
#[derive(Debug)]
pub(crate) struct Metadata {
    members: BTreeSet<String>,
    packages: BTreeMap<String, Package>,
    /// From a package to what it needs to build and run; what only its tests need is left out.
    needs: BTreeMap<String, Vec<String>>,
    target_directory: PathBuf,
}

/// One package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `rust-version` of the manifest, as written.
    pub(crate) rust_version: Option<String>,
    /// Whether the manifest allows it to be published.
    pub(crate) is_published: bool,
    /// Each feature with what it turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    has_library: bool,
    runs_doctests: bool,
}

impl Metadata {
    /// The members of the workspace alone: no package is resolved or downloaded.
    pub(crate) fn of_members() -> Result<Self, Failure> {
        Self::load(&["--no-deps"])
    }

    /// The whole graph, for all platforms and with all features.
    pub(crate) fn of_graph() -> Result<Self, Failure> {
        Self::load(&["--all-features"])
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter_map(|id| self.packages.get(id))
    }

    /// Every package that the published members need, themselves included, each with the package
    /// through which it was found first (none for a member).
    pub(crate) fn behind_published_members(&self) -> Vec<(&Package, Option<&Package>)> {
        let is_published = |id: &&String| self.packages.get(*id).is_some_and(|p| p.is_published);
        let mut queue: Vec<(&String, Option<&String>)> =
            self.members.iter().filter(is_published).map(|id| (id, None)).collect();
        let mut seen: BTreeSet<&String> = queue.iter().map(|(id, _)| *id).collect();
        let mut found = Vec::new();
        while let Some((id, parent)) = queue.pop() {
            if let Some(package) = self.packages.get(id) {
                found.push((package, parent.and_then(|parent| self.packages.get(parent))));
            }
            for needed in self.needs.get(id).into_iter().flatten() {
                if seen.insert(needed) {
                    queue.push((needed, Some(id)));
                }
            }
        }
        found
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_directory(&self) -> &Path {
        &self.target_directory
    }

    fn load(arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = cargo(["metadata", "--format-version", "1", "--locked"]);
        command.args(arguments);
        let output = capture(command)?;
        let value = serde_json::from_slice(&output).map_err(|error| {
            Failure::new(format!(
                "`cargo metadata` answered with something else than JSON: {error}"
            ))
        })?;
        Self::from_json(&value).ok_or_else(|| {
            Failure::new("`cargo metadata` answered in a shape that is not known here")
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut packages = BTreeMap::new();
        for package in value["packages"].as_array()? {
            packages.insert(text(&package["id"])?, Package::from_json(package)?);
        }
        let mut needs = BTreeMap::new();
        // `resolve` is null when only the members were asked for.
        for node in value["resolve"]["nodes"].as_array().into_iter().flatten() {
            needs.insert(text(&node["id"])?, needs_of(node)?);
        }
        Some(Self {
            members: value["workspace_members"].as_array()?.iter().filter_map(text).collect(),
            packages,
            needs,
            target_directory: text(&value["target_directory"])?.into(),
        })
    }
}

impl Package {
    /// The name of the package, if it has a library whose documentation tests are turned off.
    pub(crate) fn library_without_doctests(&self) -> Option<&str> {
        (self.has_library && !self.runs_doctests).then_some(self.name.as_str())
    }

    /// A library with these features, for the tests of other modules.
    #[cfg(test)]
    pub(crate) fn for_test(name: &str, rust_version: Option<&str>, features: &Value) -> Self {
        Self::from_json(&serde_json::json!({
            "name": name, "version": "1.0.0", "rust_version": rust_version, "publish": null,
            "features": features, "targets": [],
        }))
        .unwrap()
    }

    fn from_json(value: &Value) -> Option<Self> {
        let mut features = BTreeMap::new();
        for (name, turns_on) in value["features"].as_object()? {
            features.insert(name.clone(), turns_on.as_array()?.iter().filter_map(text).collect());
        }
        let library = value["targets"].as_array()?.iter().find(|target| is_library(target));
        Some(Self {
            name: text(&value["name"])?,
            version: text(&value["version"])?,
            rust_version: text(&value["rust_version"]),
            // `publish = false` is an empty list of registries.
            is_published: value["publish"].as_array().is_none_or(|list| !list.is_empty()),
            features,
            has_library: library.is_some(),
            runs_doctests: library.is_some_and(|target| target["doctest"] == true),
        })
    }
}

fn is_library(target: &Value) -> bool {
    let kinds = target["kind"].as_array();
    kinds.into_iter().flatten().any(|kind| kind == "lib" || kind == "rlib")
}

/// The ids of what a node of the resolved graph needs for more than its tests.
fn needs_of(node: &Value) -> Option<Vec<String>> {
    let mut needs = Vec::new();
    for dependency in node["deps"].as_array()? {
        let kinds = dependency["dep_kinds"].as_array()?;
        if kinds.iter().any(|kind| kind["kind"] != "dev") {
            needs.push(text(&dependency["pkg"])?);
        }
    }
    Some(needs)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Metadata;

    fn package(id: &str, publish: &Value, doctest: bool) -> Value {
        json!({
            "id": id, "name": id, "version": "1.0.0", "rust_version": "1.60",
            "publish": publish, "features": { "default": ["a"], "a": [] },
            "targets": [{ "kind": ["lib"], "doctest": doctest }],
        })
    }

    fn graph() -> Metadata {
        let needs = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let value = json!({
            "workspace_members": ["ours", "suite"],
            "target_directory": "/t",
            "packages": [
                package("ours", &Value::Null, true),
                package("suite", &json!([]), false),
                package("normal", &Value::Null, true),
                package("build", &Value::Null, true),
                package("dev", &Value::Null, true),
            ],
            "resolve": { "nodes": [
                { "id": "ours", "deps": [needs("normal", Value::Null), needs("dev", json!("dev"))] },
                { "id": "normal", "deps": [needs("build", json!("build")), needs("ours", Value::Null)] },
                { "id": "suite", "deps": [needs("dev", Value::Null)] },
                { "id": "build", "deps": [] },
                { "id": "dev", "deps": [] },
            ] },
        });
        Metadata::from_json(&value).unwrap()
    }

    #[test]
    fn only_what_published_members_need_is_behind_them() {
        let graph = graph();
        let mut found: Vec<_> = graph
            .behind_published_members()
            .into_iter()
            .map(|(package, parent)| (package.name.as_str(), parent.map(|p| p.name.as_str())))
            .collect();
        found.sort_unstable();
        assert_eq!(found, [("build", Some("normal")), ("normal", Some("ours")), ("ours", None)]);
    }

    #[test]
    fn a_library_without_doctests_is_found() {
        let graph = graph();
        let found: Vec<_> =
            graph.members().filter_map(|member| member.library_without_doctests()).collect();
        assert_eq!(found, ["suite"]);
    }

    #[test]
    fn another_shape_is_refused() {
        assert!(Metadata::from_json(&json!({ "packages": 1 })).is_none());
    }
}
