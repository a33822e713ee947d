//! Which crates the bytes of a program come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::program::{Build, PROGRAMS};
use crate::command::{program, show, target_directory};

/// One instruction of so many bytes is looked at for all of them.
const STEP: u64 = 16;

/// What less is added by stands together, in bytes.
const WORTH_A_LINE: i64 = 1500;

/// A table of the crates whose instructions bare ureq with TLS and `usage-client` have, and of the
/// parts of the two programs that hold no instructions. For Linux, by the tools of binutils.
///
/// What a crate has the compiler make of the standard library, such as its maps, counts for the
/// crate: an instruction belongs to the innermost function that is not of the standard library.
pub(in crate::bench) fn by_crate() -> Result<String, String> {
    let place = target_directory()?.join("footprint");
    let [_, bare, .., ours] = &PROGRAMS;
    let mut sizes = Vec::new();
    for program in [bare, ours] {
        let built = program.build(&place, Build::WithLines)?;
        sizes.push((sections(&built.binary)?, crates(&built.binary, &place)?));
        built.remove()?;
    }
    let [(bare_sections, bare), (sections, ours)] = &sizes[..] else { return Ok(String::new()) };
    let instructions = table("instructions of", bare, ours);
    Ok(format!("{instructions}\n{}", table("section", bare_sections, sections)))
}

type Sizes = BTreeMap<String, i64>;

/// The sections of a program that are on the disk of who uses it.
fn sections(binary: &Path) -> Result<Sizes, String> {
    let text = output(program("size").arg("-A").arg(binary))?;
    let mut sizes = Sizes::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(Ok(size))) = (words.next(), words.next().map(str::parse::<i64>))
            && name.starts_with('.')
            && !name.starts_with(".debug")
            && !name.ends_with("bss")
        {
            sizes.insert(name.to_owned(), size);
        }
    }
    Ok(sizes)
}

/// The crates of the instructions in `.text`.
fn crates(binary: &Path, place: &Path) -> Result<Sizes, String> {
    let text = output(program("size").arg("-A").arg("-d").arg(binary))?;
    let numbers = text.lines().find_map(|line| line.strip_prefix(".text "));
    let numbers: Vec<u64> =
        numbers.unwrap_or("").split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [size, start] = numbers[..] else {
        return Err(format!("`size -A` shows no .text of {}", binary.display()));
    };
    let end = start.saturating_add(size);
    let addresses = (start..end).step_by(usize::try_from(STEP).unwrap_or(16));
    let mut text = String::new();
    for address in addresses {
        let _ = writeln!(text, "{address:#x}");
    }
    let asked = place.join("addresses");
    let lost = |error: std::io::Error| format!("{}: {error}", asked.display());
    fs::write(&asked, text).map_err(lost)?;
    let mut lookup = program("addr2line");
    lookup.args(["-i", "-a", "-e"]).arg(binary).stdin(File::open(&asked).map_err(lost)?);
    Ok(counted(&output(&mut lookup)?))
}

/// Reads what `addr2line -i -a` prints: an address, and the places that it comes from, the innermost
/// first.
fn counted(lines: &str) -> Sizes {
    let mut sizes = Sizes::new();
    for instruction in lines.split("0x").skip(1) {
        let names = instruction.lines().skip(1).map(crate_of);
        let name = names.reduce(|inner, outer| if inner == STD { outer } else { inner });
        let size = sizes.entry(name.unwrap_or(UNKNOWN).to_owned()).or_insert(0);
        *size = size.saturating_add_unsigned(STEP);
    }
    sizes
}

const STD: &str = "the standard library";
const UNKNOWN: &str = "without a line";

/// The crate of a file: below cargo's registry, below our crates, or with the compiler.
fn crate_of(place: &str) -> &str {
    let folder = |marker: &str| {
        let (_, rest) = place.split_once(marker)?;
        rest.split_once('/')
    };
    if let Some((name, _)) = folder("/registry/src/").and_then(|(_, rest)| rest.split_once('/')) {
        // `url-2.5.8`.
        let version =
            name.rfind('-').filter(|at| name[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        return version.map_or(name, |at| &name[..at]);
    }
    if let Some((name, _)) = folder("/crates/") {
        return name;
    }
    let is_std = ["/rustc/", "/rust/deps/", "/library/"].iter().any(|with| place.contains(with));
    if is_std {
        STD
    } else if place.contains("/src/main.rs") {
        "the program itself"
    } else {
        UNKNOWN
    }
}

/// What was added to each, the most first.
fn table(head: &str, bare: &Sizes, ours: &Sizes) -> String {
    let names: BTreeSet<&str> = bare.keys().chain(ours.keys()).map(String::as_str).collect();
    let size = |sizes: &Sizes, name: &str| sizes.get(name).copied().unwrap_or(0);
    let rows =
        names.into_iter().map(|name| Line { name, bare: size(bare, name), ours: size(ours, name) });
    let (mut lines, small): (Vec<Line<'_>>, Vec<_>) =
        rows.partition(|line| line.added() >= WORTH_A_LINE);
    lines.sort_by_key(|line| std::cmp::Reverse(line.added()));
    lines.push(Line::sum("everything else", &small));
    lines.push(Line::sum("together", &lines));
    let head =
        format!("| {head} | bare, kB | usage-client, kB | added, kB |\n|---|---:|---:|---:|\n");
    lines.iter().fold(head, |text, Line { name, bare, ours }| {
        let [bare, ours] = [bare, ours].map(|bytes| (bytes + 500) / 1000);
        format!("{text}| {name} | {bare} | {ours} | {} |\n", ours - bare)
    })
}

struct Line<'a> {
    name: &'a str,
    bare: i64,
    ours: i64,
}

impl<'a> Line<'a> {
    fn added(&self) -> i64 {
        self.ours - self.bare
    }

    fn sum(name: &'a str, lines: &[Line<'_>]) -> Self {
        let sum = |of: fn(&Line<'_>) -> i64| lines.iter().map(of).sum();
        Self { name, bare: sum(|line| line.bare), ours: sum(|line| line.ours) }
    }
}

/// What a tool of binutils prints.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output =
        output.map_err(|error| format!("cannot start {}, of binutils: {error}", show(command)))?;
    if !output.status.success() {
        return Err(format!("{} ({})", show(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{Sizes, counted, table};

    #[test]
    fn an_instruction_belongs_to_the_innermost_crate() {
        let lines = "0x0000000000001000\n\
            /rustc/59807616e1fa/library/alloc/src/vec/mod.rs:872\n\
            /home/x/.cargo/registry/src/index-1949cf8c6b5b557f/url-2.5.8/src/host.rs:10\n\
            /home/x/src/crates/usage-proto/src/base_url.rs:20\n\
            0x0000000000001010\n/home/x/src/crates/usage-proto/src/base_url.rs:21\n\
            0x0000000000001020\n/rustc/59807616e1fa/library/core/src/fmt/mod.rs:1 (discriminator 2)\n\
            0x0000000000001030\n??:?\n";
        let sizes: Vec<_> = counted(lines).into_iter().collect();
        let named = ["the standard library", "url", "usage-proto", "without a line"];
        assert_eq!(sizes, named.map(|name| (name.to_owned(), 16)));
    }

    #[test]
    fn what_was_added_comes_first_and_small_things_together() {
        let sizes = |all: &[(&str, i64)]| -> Sizes {
            all.iter().map(|&(name, size)| (name.to_owned(), size)).collect()
        };
        let bare = sizes(&[("rustls", 300_000), ("std", 100_000)]);
        let ours = sizes(&[("rustls", 301_000), ("std", 150_000), ("url", 90_000)]);
        let shown = table("crate", &bare, &ours);
        let rows: Vec<_> = shown.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| url | 0 | 90 | 90 |",
                "| std | 100 | 150 | 50 |",
                "| everything else | 300 | 301 | 1 |",
                "| together | 400 | 541 | 141 |",
            ]
        );
    }
}
