//! The programs that are compared, each in a folder of its own, and how they are built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use crate::command::{cargo, root, show};
use crate::fuzz::make;

/// A program, and what it depends on. Each has more than the one before.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// Lines of its manifest; `{crates}` stands for the folder of our crates.
    dependencies: &'static str,
    main: &'static str,
}

pub(super) const PROGRAMS: [Program; 4] = [
    Program {
        name: "hello world",
        dependencies: "",
        main: "fn main() { println!(\"hello world\"); }",
    },
    Program {
        name: "ureq with TLS",
        dependencies: "ureq = { version = \"3\", default-features = false, \
                       features = [\"platform-verifier\", \"rustls\"] }\n\
                       rustls = { version = \"0.23\", default-features = false, \
                       features = [\"ring\", \"std\", \"tls12\"] }\n",
        main: "fn main() { let url = std::env::args().nth(1).unwrap_or_default(); \
               println!(\"{:?}\", ureq::post(&url).send(\"{}\").map(|answer| answer.status())); }",
    },
    Program {
        name: "usage-ureq",
        dependencies: "usage-proto = { path = \"{crates}/usage-proto\" }\n\
                       usage-ureq = { path = \"{crates}/usage-ureq\" }\n",
        main: "fn main() -> Result<(), Box<dyn std::error::Error>> { \
               let url = std::env::args().nth(1).unwrap_or_default(); \
               let client = usage_ureq::Client::new(usage_proto::Api::new(url.parse()?))?; \
               let usage = usage_proto::Usage::new(\"tinykv\"); \
               println!(\"{:?}\", client.save(&usage)); Ok(()) }",
    },
    Program {
        name: "usage-client",
        dependencies: "usage-client = { path = \"{crates}/usage-client\" }\n",
        main: "fn main() -> Result<(), Box<dyn std::error::Error>> { \
               let url = std::env::args().nth(1).unwrap_or_default(); \
               let numbers = || usage_client::UsageData::new().value(\"num_keys\", 3); \
               let reporting = usage_client::Reporting::new(\"tinykv\", \"1.0\") \
               .url(url.parse()?).state_file(\"usage.json\").start(numbers)?; \
               println!(\"{}\", reporting.consent()); \
               reporting.stop(std::time::Duration::from_secs(2)); Ok(()) }",
    },
];

/// How the programs are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    /// As a release, in one piece, so that nothing stays in that is not called.
    Release,
    /// The same, by a program that cares for its size more than for its speed.
    Small,
    /// As a release, with the lines of the source that each instruction comes from.
    WithLines,
}

impl Build {
    fn profile(self) -> &'static str {
        match self {
            Self::Release => "strip = true",
            Self::Small => "strip = true\nopt-level = \"s\"",
            Self::WithLines => "debug = \"line-tables-only\"",
        }
    }
}

/// A program that was built from nothing.
pub(super) struct Built {
    pub(super) manifest: PathBuf,
    pub(super) binary: PathBuf,
    pub(super) seconds: f64,
    target: PathBuf,
}

impl Built {
    pub(super) fn bytes(&self) -> Result<u64, String> {
        let metadata = fs::metadata(&self.binary);
        metadata.map(|metadata| metadata.len()).map_err(|error| lost(&self.binary, &error))
    }

    /// A build takes much of a disk.
    pub(super) fn remove(self) -> Result<(), String> {
        fs::remove_dir_all(&self.target).map_err(|error| lost(&self.target, &error))
    }
}

impl Program {
    /// Builds it below `place`, from nothing.
    pub(super) fn build(&self, place: &Path, build: Build) -> Result<Built, String> {
        let name = self.name.replace(' ', "-");
        let folder = place.join(&name);
        let failed = |error: std::io::Error| lost(&folder, &error);
        if folder.is_dir() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        make(&folder.join("src"))?;
        let crates = root().join("crates");
        let dependencies = self.dependencies.replace("{crates}", &crates.display().to_string());
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}\n[profile.release]\nlto = \"fat\"\n\
             codegen-units = 1\n{}\n\n[workspace]\n",
            build.profile()
        );
        let manifest = folder.join("Cargo.toml");
        fs::write(&manifest, text).map_err(failed)?;
        fs::write(folder.join("src/main.rs"), self.main).map_err(failed)?;
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;

        let mut command = cargo(["build", "--release", "--quiet", "--manifest-path"]);
        let target = folder.join("target");
        command.arg(&manifest).arg("--target-dir").arg(&target);
        let begun = Instant::now();
        eprintln!("$ {}", show(&command));
        let status = command.stdout(Stdio::null()).status().map_err(failed)?;
        if !status.success() {
            return Err(format!("{} ({status})", show(&command)));
        }
        let seconds = begun.elapsed().as_secs_f64();
        let binary = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(Built { manifest, binary: target.join("release").join(binary), seconds, target })
    }
}

fn lost(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
