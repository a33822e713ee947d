//! What our crates add to a program: bytes, crates, and the seconds of a build from nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use super::row::Row;
use crate::command::{cargo, root, show, target_directory};
use crate::fuzz::make;

/// A program, and what it depends on. Each has more than the one before.
struct Program {
    name: &'static str,
    /// Lines of its manifest; `{crates}` stands for the folder of our crates.
    dependencies: &'static str,
    main: &'static str,
}

const PROGRAMS: [Program; 4] = [
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

/// The most that `usage-client` is to add to a program that has bare ureq with TLS, in kB.
const MOST_ADDED: f64 = 600.0;

/// Builds each as a product would that cares for its size.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    let place = target_directory()?.join("footprint");
    let mut measured = Vec::new();
    for program in &PROGRAMS {
        measured.push((program.name, measure(program, &place)?));
    }
    let [(_, hello), (_, bare), ours @ ..] = &measured[..] else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    let size = |what: &str, ours: &Measured, bare: &Measured| {
        Row::new(&format!("{what}: size of the program"), "kB", ours.kilobytes, bare.kilobytes)
    };
    rows.push(size("bare ureq with TLS, against hello world", bare, hello));
    for (name, ours) in ours {
        rows.push(size(name, ours, bare));
        rows.push(Row::new(&format!("{name}: crates"), "crates", ours.crates, bare.crates));
        let cold = format!("{name}: build from nothing");
        rows.push(Row::new(&cold, "s", ours.seconds, bare.seconds));
        let added = format!("{name}: added to bare ureq with TLS");
        rows.push(Row::bounded(&added, "kB", ours.kilobytes - bare.kilobytes, MOST_ADDED));
    }
    Ok(rows)
}

struct Measured {
    kilobytes: f64,
    crates: f64,
    seconds: f64,
}

fn measure(program: &Program, place: &Path) -> Result<Measured, String> {
    let name = program.name.replace(' ', "-");
    let folder = place.join(&name);
    let failed = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
    if folder.is_dir() {
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    make(&folder.join("src"))?;
    let crates = root().join("crates");
    let dependencies = program.dependencies.replace("{crates}", &crates.display().to_string());
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependencies}\n[profile.release]\nlto = \"fat\"\ncodegen-units = 1\n\
         strip = true\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
    fs::write(folder.join("src/main.rs"), program.main).map_err(failed)?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;
    let manifest = folder.join("Cargo.toml").display().to_string();

    let mut build = cargo(["build", "--release", "--quiet", "--manifest-path", &manifest]);
    let target = folder.join("target");
    build.arg("--target-dir").arg(&target);
    let begun = Instant::now();
    eprintln!("$ {}", show(&build));
    let status = build.stdout(Stdio::null()).status().map_err(failed)?;
    if !status.success() {
        return Err(format!("{} ({status})", show(&build)));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let binary = target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let bytes = fs::metadata(&binary).map_err(failed)?.len();
    let kilobytes = f64::from(u32::try_from(bytes.div_ceil(1000)).unwrap_or(u32::MAX));

    let mut tree = cargo(["tree", "--edges", "normal", "--prefix", "none", "--manifest-path"]);
    let listed = tree.arg(&manifest).output().map_err(failed)?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names: BTreeSet<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    // Without the program itself.
    let crates = names.iter().filter(|name| !name.is_empty()).count().saturating_sub(1);
    let crates = f64::from(u32::try_from(crates).unwrap_or(u32::MAX));
    fs::remove_dir_all(&target).map_err(failed)?;
    Ok(Measured { kilobytes, crates, seconds })
}
