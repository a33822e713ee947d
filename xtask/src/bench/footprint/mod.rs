//! What our crates add to a program: bytes, crates, and the seconds of a build from nothing.

mod by_crate;
mod program;

use std::collections::BTreeSet;

use self::program::{Build, Built, PROGRAMS};
use super::row::Row;
use crate::command::{cargo, show, target_directory};

pub(super) use self::by_crate::by_crate;

/// The most that `usage-client` is to add to a program that has bare ureq with TLS, in kB.
const MOST_ADDED: f64 = 600.0;

/// Builds each program for speed and for size, and compares them.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    let place = target_directory()?.join("footprint");
    let mut rows = Vec::new();
    for (build, how) in [(Build::Release, ""), (Build::Small, ", opt-level s")] {
        let mut measured = Vec::new();
        for program in &PROGRAMS {
            let built = program.build(&place, build)?;
            measured.push((program.name, Measured::new(&built)?));
            built.remove()?;
        }
        let [(_, hello), (_, bare), ours @ ..] = &measured[..] else { return Ok(rows) };
        let size = |what: &str, ours: &Measured, bare: &Measured| {
            let what = format!("{what}: size of the program{how}");
            Row::new(&what, "kB", ours.kilobytes, bare.kilobytes)
        };
        rows.push(size("bare ureq with TLS, against hello world", bare, hello));
        for (name, ours) in ours {
            rows.push(size(name, ours, bare));
            if build == Build::Release {
                rows.push(Row::new(&format!("{name}: crates"), "crates", ours.crates, bare.crates));
                let cold = format!("{name}: build from nothing");
                rows.push(Row::new(&cold, "s", ours.seconds, bare.seconds));
            }
            let added = format!("{name}: added to bare ureq with TLS{how}");
            rows.push(Row::bounded(&added, "kB", ours.kilobytes - bare.kilobytes, MOST_ADDED));
        }
    }
    Ok(rows)
}

struct Measured {
    kilobytes: f64,
    crates: f64,
    seconds: f64,
}

impl Measured {
    fn new(built: &Built) -> Result<Self, String> {
        let mut tree = cargo(["tree", "--edges", "normal", "--prefix", "none", "--manifest-path"]);
        let listed = tree.arg(&built.manifest).output();
        let listed = listed.map_err(|error| format!("cannot start {}: {error}", show(&tree)))?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let names: BTreeSet<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        // Without the program itself.
        let crates = names.iter().filter(|name| !name.is_empty()).count().saturating_sub(1);
        Ok(Self {
            kilobytes: kilobytes(built.bytes()?),
            crates: f64::from(u32::try_from(crates).unwrap_or(u32::MAX)),
            seconds: built.seconds,
        })
    }
}

fn kilobytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(1000)).unwrap_or(u32::MAX))
}
