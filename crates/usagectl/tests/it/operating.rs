//! `docs/operating.md`, followed: its files are written, and its commands run, in the order of the page.
//!
//! What is not installed is skipped, and it says so; with `USAGE_TEST_OPERATING=required` in the
//! environment that is a failure.

mod machine;
mod page;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use machine::Machine;
use page::{Part, What, parts};

use crate::usagectl;

fn is_there(program: &str) -> bool {
    if program == "postgres" {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let version = |name: &std::ffi::OsStr| name.to_str()?.parse::<u32>().ok();
        return versions.into_iter().any(|entry| version(&entry.file_name()) >= Some(15));
    }
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    path.split(':').any(|directory| Path::new(directory).join(program).is_file())
}

/// Which of these programs is missing, after it was said.
fn missing<'a>(needs: impl IntoIterator<Item = &'a str>, what: &str) -> Option<&'a str> {
    let missing = needs.into_iter().find(|program| !is_there(program))?;
    // Not by a macro, whose output is shown for a test that fails alone.
    let told =
        std::io::stderr().write_all(format!("skipped: no {missing} for\n{what}\n").as_bytes());
    told.unwrap();
    let required = std::env::var_os("USAGE_TEST_OPERATING");
    assert!(required.is_none_or(|value| value != "required"), "no {missing} for\n{what}");
    Some(missing)
}

#[test]
#[cfg(target_os = "linux")]
fn the_page_can_be_followed() {
    if missing(["curl", "bash", "setpriv"], "the page").is_some() {
        return;
    }
    let machine = Machine::new();
    if is_there("openssl") {
        fs::create_dir_all(machine.path("/etc/ssl/usage")).unwrap();
        let made = machine.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
             -subj /CN=usage.example.com -addext subjectAltName=DNS:usage.example.com \
             -keyout /etc/ssl/usage/privkey.pem -out /etc/ssl/usage/fullchain.pem",
            false,
        );
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    let (mut ran, mut skipped) = (0, 0);
    for Part { on_second, text, what } in parts() {
        match what {
            What::File(path) => machine.put(&path, &text, on_second),
            What::Run(needs) => {
                if missing(needs.iter().map(String::as_str), &text).is_some() {
                    skipped += 1;
                    continue;
                }
                let done = machine.run(&text, on_second);
                let out = if on_second { "/second/out" } else { "/out" };
                let log = fs::read_to_string(machine.path(out)).unwrap_or_default();
                assert_eq!(done.code, Some(0), "{text}\n{done:?}\n{log}");
                ran += 1;
            }
        }
    }
    assert!(ran >= 10, "{ran}");
    // The products of the page are those that are taken now.
    let report = |product: &str| {
        let text = format!(
            "curl --silent --output /dev/null --write-out '%{{http_code}}' \
             --unix-socket /run/usage/api.sock http://localhost/api/v1/usage/{product} \
             --header 'Content-Type: application/json' --data '[]'"
        );
        machine.run(&text, false).stdout
    };
    assert_eq!((report("kapacitor"), report("another")), ("201".to_owned(), "422".to_owned()));
    if skipped == 0 {
        both_take_reports(&machine);
    }
}

/// nginx sends to either machine, and both store in one database.
fn both_take_reports(machine: &Machine) {
    let stored = |second: bool| {
        let text =
            "curl --fail --silent http://127.0.0.1:9187/metrics | grep '^usage_stored_total'";
        let line = machine.run(text, second).stdout;
        line.trim().rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let before = [false, true].map(stored);
    let send = "curl --fail --silent https://usage.example.com/api/v1/usage/influxdb \
                --header 'Content-Type: application/json' --data '[]'";
    let mut count = 0;
    // nginx has not tried the second machine again before some seconds are over.
    while stored(true) == before[1] {
        assert!(count < 2000, "the second machine gets nothing");
        assert_eq!(machine.run(send, false).code, Some(0));
        count += 1;
    }
    let after = [false, true].map(stored);
    assert_eq!(after[0] + after[1] - before[0] - before[1], count);
}

/// A unit that systemd would not take is found, whether systemd runs or not.
#[test]
#[cfg(target_os = "linux")]
fn systemd_takes_the_units() {
    if missing(["systemd-analyze"], "the units").is_some() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for Part { on_second, text, what } in parts() {
        let What::File(path) = what else { continue };
        let Some(name) = path.strip_prefix("/etc/systemd/system/") else { continue };
        let text = text.replace("/usr/local/bin/usagectl", env!("CARGO_BIN_EXE_usagectl"));
        // An older systemd than the page speaks of knows the other type.
        let text = text.replace("Type=notify-reload", "Type=notify");
        let machine = directory.path().join(if on_second { "second" } else { "first" });
        fs::create_dir_all(&machine).unwrap();
        let unit = machine.join(name);
        fs::write(&unit, text).unwrap();
        units.push(unit);
    }
    assert_eq!(units.len(), 3);
    for unit in units {
        let child = Command::new("systemd-analyze")
            .arg("verify")
            .arg(&unit)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ran = usagectl::finish(child);
        let about_ours: Vec<_> =
            ran.stderr.lines().filter(|line| line.contains("usage.")).collect();
        assert!(about_ours.is_empty(), "{about_ours:?}");
    }
}
