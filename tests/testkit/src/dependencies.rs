//! What a host gets when it depends on one of our crates.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// The names of all packages that come into a host with a package in `crates/` and the given
/// features of it, its own included: on any platform, to be linked or to run in the compiler.
///
/// Cargo resolves a package that has this dependency alone, from the versions in our `Cargo.lock`.
/// So no other member turns on a feature, and nothing is needed but cargo's index: `cargo tree` and
/// `cargo metadata` want the source of every package, which a build brings for its own platform
/// alone. A lock file is never too small, and sometimes too large: a feature `name?/of_it` brings
/// the optional `name` into it.
///
/// # Panics
///
/// If cargo can't resolve it.
#[must_use]
pub fn behind(package: &str, features: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A text of JSON is one of TOML too.
    let folder = Value::from(root.join("crates").join(package).to_str().unwrap());
    let host = tempfile::tempdir().unwrap();
    let manifest = host.path().join("Cargo.toml");
    let lock = host.path().join("Cargo.lock");
    fs::copy(root.join("Cargo.lock"), &lock).unwrap();
    fs::write(host.path().join("lib.rs"), "").unwrap();
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"host\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [lib]\npath = \"lib.rs\"\n\
             [workspace]\n\
             [dependencies]\n{package} = {{ path = {folder}, default-features = false, \
             features = {features:?} }}\n"
        ),
    )
    .unwrap();
    // Takes out of the lock file what the host does not need, and changes nothing else in it. In our
    // own folder, since settings of cargo may lie there or above it.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["update", "--workspace", "--offline", "--manifest-path"])
        .arg(&manifest)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{package}: {}", String::from_utf8_lossy(&output.stderr));
    let mut found = names(&fs::read_to_string(lock).unwrap());
    assert!(found.remove("host") && found.contains(package), "{package}: {found:?}");
    found
}

/// The packages in a lock file. Each stands in a table of its own, which begins with its name.
fn names(lock: &str) -> BTreeSet<String> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.map(str::to_owned).collect()
}
