//! The page on performance, where the table stands.

use std::process::Command;
use std::time::SystemTime;
use std::{fs, thread};

const BEGIN: &str = "<!-- Written by `cargo xtask bench --write`. -->";
const END: &str = "<!-- Up to here. -->";

/// `page` with `table` in the place of the one before.
pub(super) fn with_table(page: &str, table: &str, machine: &str) -> Result<String, String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| format!("the page has no lines `{BEGIN}` and `{END}`"))?;
    Ok(format!("{before}{BEGIN}\n\n{machine}\n\n{table}\n{END}{after}"))
}

/// Where and when, and by which command.
pub(super) fn machine(command: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cpu = cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let rustc = rustc.filter(|text| !text.is_empty()).unwrap_or_else(|| "rustc".to_owned());
    let date = httpdate::fmt_http_date(SystemTime::now());
    format!(
        "{cpu}, {cores} cores, {}; {rustc}, fat LTO, one codegen unit; {date}; `{command}`.",
        std::env::consts::OS
    )
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, with_table};

    #[test]
    fn what_stands_around_the_table_stays() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let written = with_table(&page, "new\n", "here").unwrap();
        assert_eq!(written, format!("a\n{BEGIN}\n\nhere\n\nnew\n\n{END}\nb\n"));
        assert_eq!(with_table(&written, "new\n", "here").unwrap(), written);
        assert!(with_table("a", "new", "here").is_err());
    }

    #[test]
    fn the_page_has_a_place_for_it() {
        let page = crate::command::root().join("docs/performance.md");
        let page = std::fs::read_to_string(page).unwrap();
        with_table(&page, "", "").unwrap();
    }
}
