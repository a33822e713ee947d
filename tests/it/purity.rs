//! What each crate may depend on. The core stays without IO, dependencies point one way, and the
//! database library stays out of every crate that a host links.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;

use serde_json::Value;
use testkit::dependencies::behind;

/// What `usage-proto` asks for itself; `http-body` and `httparse` are optional.
const DIRECT: [&str; 15] = [
    "base64",
    "bytes",
    "http",
    "http-body",
    "httparse",
    "httpdate",
    "itoa",
    "memchr",
    "percent-encoding",
    "serde",
    "serde_json",
    "subtle",
    "thiserror",
    "url",
    "zmij",
];

/// What these pull in and a host links: no runtime, socket, clock, file or source of randomness.
/// Before a name is added here, look into that crate for one of them.
const BEHIND: [&str; 23] = [
    "form_urlencoded",
    "icu_collections",
    "icu_locale_core",
    "icu_normalizer",
    "icu_normalizer_data",
    "icu_properties",
    "icu_properties_data",
    "icu_provider",
    "idna",
    "idna_adapter",
    "litemap",
    "potential_utf",
    "serde_core",
    "smallvec",
    "stable_deref_trait",
    "tinystr",
    "utf8_iter",
    "utf_types",
    "writeable",
    "yoke",
    "zerofrom",
    "zerotrie",
    "zerovec",
];

/// Procedural macros and what they are made of: they run in the compiler, not in the host.
const IN_THE_COMPILER: [&str; 11] = [
    "displaydoc",
    "proc-macro2",
    "quote",
    "serde_derive",
    "syn",
    "synstructure",
    "thiserror-impl",
    "unicode-ident",
    "yoke-derive",
    "zerofrom-derive",
    "zerovec-derive",
];

/// The database library is linked once into a program: a second copy behind our back would break its build.
const SQLITE: [&str; 2] = ["rusqlite", "libsqlite3-sys"];

const ADAPTERS: [&str; 3] = ["usage-hyper", "usage-reqwest", "usage-ureq"];

#[test]
fn the_core_asks_for_the_agreed_dependencies_alone() {
    assert_eq!(core().needs.into_keys().collect::<BTreeSet<_>>(), DIRECT.map(str::to_owned).into());
}

#[test]
fn nothing_but_pure_code_stands_behind_the_core() {
    let found = core().brings();
    let allowed = DIRECT.into_iter().chain(BEHIND).chain(IN_THE_COMPILER).chain(["usage-proto"]);
    let allowed: BTreeSet<_> = allowed.map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:?}; to be taken off the list: {gone:?}");
}

#[test]
fn only_the_server_and_the_command_bring_sqlite() {
    for member in published() {
        let (name, found) = (&member.name, member.brings());
        let knows_sqlite = matches!(name.as_str(), "usage-server" | "usagectl");
        for library in SQLITE {
            assert_eq!(found.contains(library), knows_sqlite, "{name} and {library}");
        }
    }
}

#[test]
fn dependencies_between_our_crates_point_one_way() {
    let members = members();
    let ours: BTreeSet<_> = members.iter().map(|member| &member.name).collect();
    for Member { name, needs, .. } in &members {
        for (needed, optional) in needs.iter().filter(|(needed, _)| ours.contains(needed)) {
            assert!(may_know(name, needed, *optional), "{name} must not know {needed}");
        }
    }
}

/// Whether a member may have another one among its dependencies, optional or not.
fn may_know(member: &str, other: &str, optional: bool) -> bool {
    let core = other == "usage-proto";
    let schedule = other == "usage-reporter";
    let files = other == "usage-files";
    let adapter = ADAPTERS.contains(&other);
    match member {
        "usage-proto" | "usage-files" | "xtask" => false,
        // Who has files of its own knows how they are opened.
        "usage-reporter" | "usage-server" => core || files,
        // Which adapter it is, its features choose.
        "usage-client" => core || schedule || (adapter && optional),
        "usagectl" => core || schedule || files || adapter || other == "usage-server",
        // The oracles are for these two; the rest is for those who turn it on.
        "testkit" => core || schedule || optional,
        _ => core,
    }
}

#[test]
fn a_host_gets_one_adapter_at_most() {
    for member in published() {
        let mut adapters = member.by_default();
        adapters.retain(|name| ADAPTERS.contains(name));
        assert!(adapters.len() <= 1, "{} brings {adapters:?}", member.name);
    }
}

struct Member {
    name: String,
    published: bool,
    /// Each feature with what it turns on.
    features: BTreeMap<String, Vec<String>>,
    /// What it needs outside its tests, on any platform, and whether all of that is optional.
    needs: BTreeMap<String, bool>,
}

impl Member {
    /// What comes into a host with this one and all its features.
    fn brings(&self) -> BTreeSet<String> {
        let features: Vec<_> = self.features.keys().map(String::as_str).collect();
        behind(&self.name, &features)
    }

    /// What it needs itself with the features that are on by default.
    fn by_default(&self) -> BTreeSet<&str> {
        let needs = self.needs.iter().filter(|(_, optional)| !**optional);
        let mut found: BTreeSet<_> = needs.map(|(name, _)| name.as_str()).collect();
        let mut queue = vec!["default"];
        while let Some(feature) = queue.pop() {
            if let Some(turns_on) = self.features.get(feature) {
                queue.extend(turns_on.iter().map(String::as_str));
            } else if let Some(name) = feature.strip_prefix("dep:") {
                found.insert(name);
            } else if let Some((name, _)) = feature.split_once('/')
                && !name.ends_with('?')
            {
                found.insert(name);
            }
        }
        found
    }
}

fn core() -> Member {
    members().into_iter().find(|member| member.name == "usage-proto").unwrap()
}

fn published() -> impl Iterator<Item = Member> {
    members().into_iter().filter(|member| member.published)
}

/// The members of the workspace, as their manifests describe them.
fn members() -> Vec<Member> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--frozen"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let mut needs = BTreeMap::new();
    for dependency in package["dependencies"].as_array().unwrap() {
        if dependency["kind"] != "dev" {
            let optional = dependency["optional"] == true;
            *needs.entry(text(&dependency["name"])).or_insert(true) &= optional;
        }
    }
    Member {
        name: text(&package["name"]),
        // `publish = false` is an empty list of registries.
        published: package["publish"].is_null(),
        features: serde_json::from_value(package["features"].clone()).unwrap(),
        needs,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
