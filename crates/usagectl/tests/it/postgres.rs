//! The commands over a `PostgreSQL` database, and what they say of its password.

use std::io::{BufRead, BufReader, Write};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use testkit::cluster::Cluster;

use crate::usagectl::{File, command, example, finish, run};

/// A cluster, or `None` after it was said that there is none.
pub(crate) fn cluster() -> Option<Cluster> {
    let started = Cluster::start();
    if let Err(reason) = &started {
        // Not by a macro, whose output is shown for a test that fails alone.
        std::io::stderr().write_all(format!("skipped: {reason}\n").as_bytes()).unwrap();
        let required = std::env::var_os("USAGE_TEST_POSTGRES");
        assert!(required.is_none_or(|value| value != "required"), "{reason}");
    }
    started.ok()
}

#[test]
fn every_command_takes_an_address() {
    let Some(cluster) = cluster() else { return };
    let name = cluster.new_database();
    let address = cluster.address(&name, false);
    let on_it = |arguments: &[&str]| {
        let ran = run(arguments).env("USAGE_DATABASE", &address).done();
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.stdout
    };
    let mut serving = command()
        .args(["serve", "--listen", "127.0.0.1:0", "--keep", "usage=1d", "--database", &address])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("listening on ").unwrap();
    let token = on_it(&["tokens", "create", "Example Inc."]);
    let token = token.trim_end().rsplit_once(' ').unwrap().1;
    let save = |body: &str| {
        run(&["save", "usage", "--product", "influxdb", "-", "--url", url])
            .env("USAGE_TOKEN", token)
            .stdin(body)
            .done()
            .code
    };
    assert_eq!(save(example::USAGE), Some(0));
    assert_eq!(save(example::DEPLOYED), Some(0));
    assert!(on_it(&["tokens", "list"]).contains("Example Inc."));
    let lines = on_it(&["export", "--format", "ndjson"]);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    let rest = on_it(&["export", "--format", "ndjson", "--after", "1"]);
    assert_eq!(rest.lines().nth(1), lines.lines().nth(2));
    assert!(on_it(&["summary"]).contains("2 instances, 2 new"));
    assert_eq!(on_it(&["erase", "--instance", "1"]), "erased: 1 report\n");
    assert_eq!(on_it(&["tokens", "revoke", "1"]), "revoked: 1 token\n");
    let copy = run(&["database", "backup", "copy.db", "--database", &address]).done();
    assert_eq!(copy.code, Some(1), "{copy:?}");
    assert!(copy.stderr.contains("pg_dump"), "{copy:?}");

    let directory = tempfile::tempdir().unwrap();
    let moved = run(&["database", "move", "--from", &address, "--to", "moved.db", "--json"])
        .directory(directory.path())
        .done();
    assert_eq!(moved.json(), json!({"outcome": "moved", "reports": 1, "before": 0, "tokens": 1}));
    let back = cluster.address(&cluster.new_database(), false);
    let moved = run(&["database", "move", "--from", "moved.db", "--to", &back])
        .directory(directory.path())
        .done();
    assert_eq!(moved.stdout, "moved: 1 report, 0 were there before; 1 token there\n");
    let there =
        |address: &str| run(&["export", "--format", "csv", "--database", address]).done().stdout;
    assert_eq!(there(&address), there(&back));

    kill_process(Pid::from_child(&serving), Signal::TERM).unwrap();
    let ran = finish(serving);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("storing in postgres://usage@"), "{ran:?}");
}

/// Others can read arguments, and messages end in logs.
#[test]
fn a_password_is_in_no_argument_and_in_no_message() {
    let address = "postgres://user:hidden-word@127.0.0.1:1/usage?connect_timeout=1";
    let ran = run(&["tokens", "list", "--database", address]).done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("--password-file") && !ran.stderr.contains("hidden"), "{ran:?}");
    // Nobody listens at port 1.
    let ran = run(&["tokens", "list"]).env("USAGE_DATABASE", address).done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("127.0.0.1:1") && !ran.stderr.contains("hidden"), "{ran:?}");
    let password = File::new("password", "hidden-word\n");
    let ran = run(&["tokens", "list", "--database", "postgres://user@127.0.0.1:1/usage"])
        .arguments(&["--password-file", &password.path()])
        .done();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.stderr.contains("hidden"), "{ran:?}");
    let ran = run(&["tokens", "list", "--database", "postgres://"]).done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
}

/// However an address is written: what is understood is told without its password, and nothing else
/// is repeated.
#[test]
fn no_spelling_of_an_address_tells_its_password() {
    let directory = tempfile::tempdir().unwrap();
    for address in [
        "postgres://u:hun@hunter2@127.0.0.1:1/x?connect_timeout=1",
        " postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1",
        "Postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1",
        "postgres://u:se?hunter2@127.0.0.1:1/x",
        "postgres://u@127.0.0.1:1/x?connect_timeout=1&pass%77ord=hunter2",
        "postgres:u:hunter2@127.0.0.1:1/x",
        "mysql://u:hunter2@127.0.0.1/x",
        "host=127.0.0.1 password=hunter2",
        "host=127.0.0.1 password = hunter2",
    ] {
        for command in [
            &["tokens", "list"][..],
            &["serve", "--listen", "127.0.0.1:0"],
            &["summary", "--json"],
            &["erase", "--instance", "x"],
        ] {
            let by_variable =
                run(command).directory(directory.path()).env("USAGE_DATABASE", address).done();
            let by_option =
                run(command).arguments(&["--database", address]).directory(directory.path()).done();
            // It is not to be an argument anyway.
            assert_eq!(by_option.code, Some(5), "{address}: {by_option:?}");
            for ran in [by_variable, by_option] {
                assert!(matches!(ran.code, Some(1 | 5)), "{address}: {ran:?}");
                assert!(!format!("{ran:?}").contains("hunter2"), "{address}: {ran:?}");
            }
        }
        for arguments in [
            &["database", "move", "--from", "usage.db", "--to", address][..],
            &["database", "move", "--from", address, "--to", "usage.db"],
            &["database", "backup", address],
            // In a place where nothing is.
            &["tokens", "list", address],
            &["tokens", "list", "--json", address],
        ] {
            let ran = run(arguments).directory(directory.path()).done();
            assert!(matches!(ran.code, Some(1 | 2 | 5)), "{arguments:?}: {ran:?}");
            assert!(!format!("{ran:?}").contains("hunter2"), "{arguments:?}: {ran:?}");
        }
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "no file is called so");
}

#[test]
fn what_cannot_be_had_is_told_in_words_for_it() {
    for (address, code, words) in [
        ("postgres://u@127.0.0.1:1/x?connect_timeout=1", 1, "check that it runs"),
        ("postgres://u@127.0.0.1:1/x?sslmode=verify-full", 5, "sslmode is wrong"),
        ("postgres://u@127.0.0.1:99999/x", 5, "port is wrong"),
        ("", 5, "--database is empty"),
    ] {
        let ran = run(&["tokens", "list", "--database", address]).done();
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(words) && !ran.stderr.contains("directory"), "{ran:?}");
    }
}
