//! The crates as they are published.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{line, metadata, program, root, run, target_directory};
use crate::fuzz::make;
use crate::runner::Note;

/// What a reader of a package finds in it.
const IN_EACH: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds each published crate from its package, against the packages of the others, and looks whether
/// all is in it.
///
/// `cargo package` can do the building too, but it unpacks what a crate depends on in the cargo home, under
/// the path of this checkout, and never again for the same version: the next run in the same place would
/// build against the sources of the last one.
pub(crate) fn package() -> Result<Note, String> {
    let metadata = metadata("--no-deps")?;
    let private = members(&metadata, false)?;
    // What is not committed yet is packaged too: a developer tries before the commit.
    let mut command = line("cargo package --workspace --no-verify --locked --allow-dirty")?;
    for member in private {
        command.args(["--exclude", member.name]);
    }
    run(command)?;
    let published = members(&metadata, true)?;
    let target = target_directory()?;
    let place = unpacked(&target);
    if place.is_dir() {
        fs::remove_dir_all(&place)
            .map_err(|error| format!("cannot remove {}: {error}", place.display()))?;
    }
    make(&place)?;
    for member in &published {
        // Packages have one time for all files. With it, cargo would take what it has built of the last ones.
        let mut command = program("tar");
        command.arg("-xzmf").arg(member.file(&target)).arg("-C").arg(&place);
        run(command)?;
        let folder = member.folder(&target);
        for file in IN_EACH {
            if !folder.join(file).is_file() {
                return Err(format!("the package {} has no {file}", folder.display()));
            }
        }
    }
    // The versions that the workspace is tested with; cargo drops what only its tests need.
    fs::copy(root().join("Cargo.lock"), place.join("Cargo.lock"))
        .map_err(|error| format!("cannot copy Cargo.lock to {}: {error}", place.display()))?;
    let manifest = place.join("Cargo.toml");
    let text = format!("[workspace]\nresolver = \"3\"\nmembers = [\"usage*\"]\n\n{}", patches()?);
    fs::write(&manifest, text)
        .map_err(|error| format!("cannot write {}: {error}", manifest.display()))?;
    for member in &published {
        // One by one, so that none has the features that another one asks for.
        let mut command = line("cargo build --package")?;
        command.arg(member.name).current_dir(&place);
        command.env("CARGO_TARGET_DIR", &target);
        run(command)?;
    }
    Ok("")
}

/// What makes cargo find the packages where it would find a registry.
pub(crate) fn patches() -> Result<String, String> {
    let (metadata, target) = (metadata("--no-deps")?, target_directory()?);
    let mut text = "[patch.crates-io]\n".to_owned();
    for member in members(&metadata, true)? {
        let folder = member.folder(&target);
        if !folder.is_dir() {
            let missing = folder.display();
            return Err(format!("there is no package {missing}: run `cargo xtask package` first"));
        }
        let _ = writeln!(text, "{} = {{ path = '{}' }}", member.name, folder.display());
    }
    Ok(text)
}

/// Where the packages are unpacked.
fn unpacked(target: &Path) -> PathBuf {
    target.join("packages")
}

/// Refuses where a page in a registry would lead nowhere, and says what is left to do.
pub(crate) fn release() -> Result<Note, String> {
    let metadata = metadata("--no-deps")?;
    for member in members(&metadata, true)? {
        for field in ["repository", "homepage", "documentation"] {
            let url = member.package[field].as_str().unwrap_or_default();
            if !url.starts_with("https://") {
                return Err(format!(
                    "{} has no `{field}`: set it in the workspace's Cargo.toml once the project has \
                     a public home",
                    member.name
                ));
            }
        }
    }
    package()?;
    println!("ready: `cargo publish --workspace --locked` publishes in the right order");
    Ok("")
}

/// A member of the workspace, as `cargo metadata` describes it.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    version: &'a str,
    package: &'a Value,
}

impl Member<'_> {
    /// Where its package was unpacked.
    fn folder(&self, target: &Path) -> PathBuf {
        unpacked(target).join(format!("{}-{}", self.name, self.version))
    }

    /// Its package, where cargo puts it.
    fn file(&self, target: &Path) -> PathBuf {
        target.join("package").join(format!("{}-{}.crate", self.name, self.version))
    }
}

/// The members that are published, or those that are not.
pub(crate) fn members(metadata: &Value, published: bool) -> Result<Vec<Member<'_>>, String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    // `publish = false` is an empty list of registries.
    let chosen = packages.iter().filter(|package| package["publish"].is_null() == published);
    chosen
        .map(|package| {
            let text = |field: &str| package[field].as_str().ok_or("a package has no name");
            Ok(Member { name: text("name")?, version: text("version")?, package })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{members, release};
    use crate::command::metadata;

    #[test]
    fn members_are_published_or_not() {
        let metadata = metadata("--no-deps").unwrap();
        let names = |published| -> Vec<_> {
            let members = members(&metadata, published).unwrap();
            members.iter().map(|member| member.name.to_owned()).collect()
        };
        assert!(names(true).contains(&"usage-client".to_owned()));
        assert!(names(false).contains(&"xtask".to_owned()));
        assert!(!names(true).contains(&"testkit".to_owned()));
    }

    #[test]
    fn a_release_without_a_public_home_is_refused() {
        let metadata = metadata("--no-deps").unwrap();
        let member = &members(&metadata, true).unwrap()[0];
        let has_home = member.package["repository"].as_str().is_some_and(|url| !url.is_empty());
        assert!(has_home || release().unwrap_err().contains("has no `repository`"));
    }
}
