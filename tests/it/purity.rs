//! What each crate may depend on. The core stays without IO, dependencies point one way, and the
//! database library stays out of every crate that a host links.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

use serde_json::Value;

/// What `usage-proto` asks for itself; `httparse` is optional.
const DIRECT: [&str; 13] = [
    "base64",
    "bytes",
    "http",
    "httparse",
    "httpdate",
    "itoa",
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
const BEHIND: [&str; 24] = [
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
    "memchr",
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

/// The database library is linked once into a program: a second copy behind our back would break its build.
const SQLITE: [&str; 2] = ["rusqlite", "libsqlite3-sys"];

#[test]
fn the_core_asks_for_the_agreed_dependencies_alone() {
    let core = members().into_iter().find(|member| member.name == "usage-proto").unwrap();
    assert_eq!(core.needs, DIRECT.map(str::to_owned).into());
}

#[test]
fn nothing_but_pure_code_stands_behind_the_core() {
    // Procedural macros run in the compiler, not in the host.
    let found = tree(
        "usage-proto",
        &["--all-features", "--edges", "normal,no-proc-macro", "--target", "all"],
    );
    let allowed: BTreeSet<_> =
        DIRECT.into_iter().chain(BEHIND).chain(["usage-proto"]).map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:?}; to be taken off the list: {gone:?}");
}

#[test]
fn only_the_server_and_the_command_link_sqlite() {
    for member in members() {
        if matches!(member.name.as_str(), "usage-server" | "usagectl" | "testkit" | "usage-tests") {
            continue;
        }
        let mut linked = tree(&member.name, &["--edges", "normal"]);
        // What an optional dependency would bring is not in the tree as long as it is off.
        linked.extend(member.needs);
        for name in SQLITE {
            assert!(!linked.contains(name), "{} links {name}", member.name);
        }
    }
}

#[test]
fn dependencies_between_our_crates_point_one_way() {
    let members = members();
    let ours: BTreeSet<_> = members.iter().map(|member| member.name.clone()).collect();
    for Member { name, needs } in &members {
        for needed in needs.intersection(&ours) {
            assert!(may_know(name, needed), "{name} must not know {needed}");
        }
    }
}

/// Adapters, reporter and server know the core, and who has files of its own knows how they are
/// opened; the command and this suite know them all.
fn may_know(member: &str, other: &str) -> bool {
    match member {
        "usage-proto" | "usage-files" | "xtask" => false,
        "usage-reporter" | "usage-server" if other == "usage-files" => true,
        "usagectl" | "testkit" | "usage-tests" => true,
        _ => other == "usage-proto",
    }
}

struct Member {
    name: String,
    /// What it needs outside its tests, on any platform, what is optional included.
    needs: BTreeSet<String>,
}

/// The members of the workspace, as their manifests describe them.
fn members() -> Vec<Member> {
    let output = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&output).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| Member { name: name(package), needs: needs(package) }).collect()
}

fn needs(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().unwrap();
    dependencies.iter().filter(|dependency| dependency["kind"] != "dev").map(name).collect()
}

fn name(value: &Value) -> String {
    value["name"].as_str().unwrap().to_owned()
}

/// The names in the dependency tree of a member, its own included.
fn tree(member: &str, options: &[&str]) -> BTreeSet<String> {
    let mut arguments = vec!["tree", "--package", member, "--prefix", "none"];
    arguments.extend(options);
    cargo(&arguments)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Runs the cargo that runs this test; nothing is downloaded and the lock file stays as it is.
fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .arg("--frozen")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
