//! The fuzz targets that a product copies, against the crates as they are published.

use std::fs;
use std::path::Path;

use crate::command::{line, root, run, target_directory};
use crate::fuzz::make;
use crate::package::patches;
use crate::runner::Note;

/// How many inputs each target has: to see that it runs, not to find anything.
const RUNS: &str = "-runs=20000";

/// Copies the template, as a product does, lets it find the packages that the step `package` has made
/// where it would find a registry, and fuzzes from its seeds for a moment.
pub(crate) fn template() -> Result<Note, String> {
    let product = target_directory()?.join("template");
    for part in ["src", "fuzz/fuzz_targets", "fuzz/seeds", "fuzz/dictionaries", ".cargo"] {
        let old = product.join(part);
        if old.is_dir() {
            fs::remove_dir_all(&old).map_err(|error| failed("remove", &old, &error))?;
        }
    }
    copy(&root().join("fuzz/template"), &product)?;
    let cargo = product.join(".cargo");
    make(&cargo)?;
    let config = cargo.join("config.toml");
    fs::write(&config, patches()?).map_err(|error| failed("write", &config, &error))?;
    for target in ["report", "answer"] {
        // libFuzzer adds to the first folder and only reads the others.
        let found = product.join("fuzz/corpus").join(target);
        make(&found)?;
        let mut command = line("cargo fuzz run --dev --fuzz-dir fuzz --sanitizer none")?;
        command.current_dir(&product).arg(target).arg(found);
        command.arg(format!("fuzz/seeds/{target}")).args(["--", RUNS, "-max_len=4096"]);
        command
            .arg(format!("-dict=fuzz/dictionaries/{target}.dict"))
            .args(["-verbosity=0", "-print_funcs=0"]);
        run(command)?;
    }
    Ok("")
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    make(to)?;
    for entry in fs::read_dir(from).map_err(|error| failed("read", from, &error))? {
        let path = entry.map_err(|error| failed("read", from, &error))?.path();
        let Some(name) = path.file_name() else { continue };
        let copied = to.join(name);
        if path.is_dir() {
            // What somebody has built in there is not part of it.
            if !["target", "corpus", "artifacts"].contains(&&*name.to_string_lossy()) {
                copy(&path, &copied)?;
            }
        } else {
            fs::copy(&path, &copied).map_err(|error| failed("copy", &path, &error))?;
        }
    }
    Ok(())
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}
