//! A product that is made from nothing: the README's lines, a dependency, and no more. It registers,
//! reports, is stopped, is switched off by each rule, and is the same one after a restart.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use usage_server::{Config, Database, Server};

/// What a newcomer has after reading.
struct Product {
    program: PathBuf,
    folder: tempfile::TempDir,
    api: Server,
}

/// One after the other: each builds the same program.
#[test]
fn the_lines_of_the_readme_make_a_product_that_reports_and_each_rule_switches_it_off() {
    let mut product = Product::from_readme();
    reports_under_one_identity(&product);
    let before = product.reports();
    for variables in [
        &[("TINYKV_USAGE_REPORTING", "off")][..],
        &[("DO_NOT_TRACK", "1")],
        &[("TINYKV_USAGE_REPORTING", "nonsense")],
    ] {
        product.run("off", variables);
        assert_eq!(product.files("off"), BTreeSet::new(), "{variables:?}");
    }
    // The program's own setting is stronger than any variable.
    product.rebuild(|source| source.replace("let setting = None;", "let setting = Some(false);"));
    product.run("off", &[("TINYKV_USAGE_REPORTING", "on")]);
    assert_eq!(product.files("off"), BTreeSet::new());
    assert_eq!(product.reports(), before);
}

fn reports_under_one_identity(product: &Product) {
    // A start registers; the first slot is drawn within half a day.
    product.run("on", &[]);
    assert_eq!(product.reports(), (1, 0));
    // The slot comes, and the next start reports when it is stopped.
    for start in 2..=3 {
        product.slot_comes("on");
        product.run("on", &[("DO_NOT_TRACK", "0")]);
        assert_eq!(product.reports(), (start, start - 1));
    }
    let servers = product.api.store().servers().read_all().unwrap();
    assert!(servers.iter().all(|row| row.report == servers[0].report), "one identity: {servers:?}");
    let usage = &product.api.store().usage().read_all().unwrap()[0].report;
    assert_eq!(usage.product, "tinykv");
    assert_eq!(usage.data[0].values.get("num_keys"), Some(&3.into()));
    let tag = |name| usage.data[0].tags.get(name);
    assert_eq!((tag("version"), tag("os")), (Some("0.1.0"), Some(env::consts::OS)));
}

impl Product {
    fn from_readme() -> Self {
        let api = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut product = Self { program: PathBuf::new(), folder, api };
        product.cargo(&["new", "--quiet", "--vcs", "none", "--name", "tinykv", "product"], ".");
        let client = root().join("crates/usage-client");
        let client = client.to_str().unwrap();
        product.cargo(&["add", "--quiet", "--offline", "--path", client], "product");
        // The versions that this project is built with: nothing is asked for elsewhere.
        fs::copy(root().join("Cargo.lock"), product.folder.path().join("product/Cargo.lock"))
            .unwrap();
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let (_, code) = readme.split_once("```rust,no_run\n").unwrap();
        let (code, _) = code.split_once("```\n").unwrap();
        fs::write(product.folder.path().join("product/src/main.rs"), code).unwrap();
        product.rebuild(str::to_owned);
        product
    }

    /// Changes the program, and builds it. What it depends on is built once.
    fn rebuild(&mut self, change: impl Fn(&str) -> String) {
        let main = self.folder.path().join("product/src/main.rs");
        let source = fs::read_to_string(&main).unwrap();
        fs::write(&main, change(&source)).unwrap();
        let target = target().join("fresh-product");
        let target = target.to_str().unwrap();
        self.cargo(&["build", "--quiet", "--offline", "--target-dir", target], "product");
        self.program = self.folder.path().join(format!("tinykv{}", env::consts::EXE_SUFFIX));
        let built = Path::new(target).join("debug").join(self.program.file_name().unwrap());
        fs::copy(built, &self.program).unwrap();
    }

    fn cargo(&self, arguments: &[&str], folder: &str) {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(self.folder.path().join(folder));
        check(&command.output().unwrap(), &format!("cargo {arguments:?}"));
    }

    fn run(&self, home: &str, variables: &[(&str, &str)]) {
        let home = self.folder.path().join(home);
        fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(&self.program);
        command.current_dir(home).env("TINYKV_USAGE_URL", self.api.url());
        command.env_remove("TINYKV_USAGE_REPORTING").env_remove("DO_NOT_TRACK");
        command.envs(variables.iter().copied());
        check(&command.output().unwrap(), "the product");
    }

    fn reports(&self) -> (usize, usize) {
        let store = self.api.store();
        (store.servers().read_all().unwrap().len(), store.usage().read_all().unwrap().len())
    }

    fn files(&self, home: &str) -> BTreeSet<PathBuf> {
        let files = fs::read_dir(self.folder.path().join(home)).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    /// Half a day and a bit passes, as far as the state is concerned.
    fn slot_comes(&self, home: &str) {
        let path = self.folder.path().join(home).join("tinykv-data/usage.json");
        let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let state_of = state.as_object_mut().unwrap();
        state_of.insert("next_due_unix_ns".to_owned(), 1_700_000_000_000_000_000_u64.into());
        state_of.remove("acknowledged_unix_ns");
        fs::write(&path, state.to_string()).unwrap();
    }
}

fn check(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Where this test was built: `target/debug/deps/it-…`.
fn target() -> PathBuf {
    env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}
