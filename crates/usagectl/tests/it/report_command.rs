//! COMMAND of `report`: found at the start, ended with all that it has started.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::reporting::{NUMBERS, Reporting, command, directory};
use crate::serving::Serving;
use crate::usagectl::{run, wait_until};

/// Found out now, and not at the first report half a day later.
#[test]
fn a_command_that_cannot_be_run_is_told_at_the_start() {
    let directory = directory();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::write(path("data"), "no program").unwrap();
    fs::create_dir(path("bin")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling")).unwrap();
    for (command, reason) in [
        ("no-such-program", "there is no such program in the directories of PATH"),
        ("", "there is no such program in the directories of PATH"),
        ("./no-such-program", "there is no such file"),
        (&*path("missing"), "there is no such file"),
        (&path("dangling"), "there is no such file"),
        (&path("data"), "it is not executable: `chmod +x` makes it so"),
        (&path("bin"), "it is a directory"),
        (&path("data/under"), "Not a directory"),
    ] {
        let state = path("state.json");
        let arguments = ["report", "--product", "p", "--state", &state, "--json", "--", command];
        let ran = run(&arguments).directory(directory.path()).done();
        assert_eq!(ran.code, Some(5), "{command}: {ran:?}");
        let object = ran.json();
        assert_eq!((&object["outcome"], &object["field"]), (&"build".into(), &"command".into()));
        let message = object["message"].as_str().unwrap();
        let start = format!("`{command}` cannot be run: {reason}");
        assert!(message.starts_with(&start), "{message}");
        assert!(!Path::new(&state).exists());
    }
}

/// As the system finds it: by a path from here, by a link, and where nobody has said where.
#[test]
fn a_command_is_found_as_the_system_finds_it() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let program = directory.path().join("numbers");
    fs::write(&program, format!("#!/bin/sh\n{NUMBERS}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("numbers", directory.path().join("link")).unwrap();
    for (name, path) in [
        ("./numbers", Some("/nowhere")),
        ("./link", Some("/nowhere")),
        ("numbers", directory.path().to_str()),
        ("echo", None),
    ] {
        let mut command = crate::usagectl::command();
        command.args(["report", "--product", "p", "--every", "1s", "--verbose"]);
        command.args(["--url", &serving.url, "--state", "state.json", "--", name, "[]"]);
        command.current_dir(directory.path()).env_remove("PATH");
        command.envs(path.map(|path| ("PATH", path)));
        let mut reporting = Reporting::spawn(&mut command);
        reporting.wait_for("delivered");
        assert_eq!(reporting.stop().code, Some(0), "{name}");
    }
}

/// A script that leaves something behind ends all the same, and what it printed counts.
#[test]
fn what_was_printed_counts_though_something_else_holds_the_output() {
    let number = "echo $! > number.new; mv number.new number";
    for script in [
        format!("{NUMBERS}; sleep 1000 & {number}"),
        // Behind the body, and from a process that nobody has as a child.
        format!("(sleep 1000 & {number}); {NUMBERS}"),
        // It says something more than a second later: nobody hears that.
        format!("{NUMBERS}; (sleep 5; echo garbage) & {number}"),
    ] {
        let (serving, directory) = (Serving::start(&[]), directory());
        let state = directory.path().join("usage.json");
        let mut command = command(&serving.url, &state, &["--verbose"], &script);
        let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
        reporting.wait_for("delivered");
        // It has gone with the program, though that has succeeded.
        wait_until_gone(&directory.path().join("number"));
        let ran = reporting.stop();
        assert_eq!(ran.code, Some(0));
        assert!(!ran.stderr.contains(" WARN "), "{}", ran.stderr);
        let usage = &serving.store().usage().read_all().unwrap()[0].report.data[0];
        assert_eq!(serde_json::to_value(usage.values.get("num_databases")).unwrap(), 3);
    }
}

/// What is in a session of its own is not the command's any more: it lives on, and holds up
/// nothing.
#[test]
fn what_has_left_the_group_on_purpose_is_left_alone() {
    let (serving, directory) = (Serving::start(&[]), directory());
    let state = directory.path().join("usage.json");
    let script = format!(
        "test -e number || setsid sh -c 'echo $$ > number.new; mv number.new number; exec sleep \
         1000' 2>/dev/null & until test -e number; do :; done; {NUMBERS}"
    );
    let mut command = command(&serving.url, &state, &["--verbose"], &script);
    let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
    reporting.wait_for("delivered");
    assert_eq!(reporting.stop().code, Some(0));
    let daemon = read_number(&directory.path().join("number"));
    assert!(test_kill_process(daemon).is_ok());
    kill_process(daemon, Signal::KILL).unwrap();
}

/// Nothing of it holds the output, and yet it goes.
#[test]
fn what_a_command_has_started_goes_when_it_has_succeeded() {
    let (serving, directory) = (Serving::start(&[]), directory());
    let state = directory.path().join("usage.json");
    let script = format!("{NUMBERS}; sleep 1000 >/dev/null 2>&1 & echo $! > number");
    let mut command = command(&serving.url, &state, &["--verbose"], &script);
    let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
    reporting.wait_for("delivered");
    wait_until_gone(&directory.path().join("number"));
    assert_eq!(reporting.stop().code, Some(0));
}

/// Nothing is left of it when this process is gone, by whatever way: a signal that cannot be
/// caught, and a second one that stops at once.
#[test]
fn a_command_goes_with_the_process_that_runs_it() {
    for signals in [&[Signal::KILL][..], &[Signal::TERM, Signal::INT], &[Signal::ABORT]] {
        let (serving, directory) = (Serving::start(&[]), directory());
        let (state, number) = (directory.path().join("usage.json"), directory.path().join("n"));
        // The program ignores whatever asks it to go, and so does what it has started.
        let script = "trap '' TERM INT HUP; sleep 1000 & echo $$ $! > new; mv new n; wait";
        let mut command = command(&serving.url, &state, &["--flush-timeout", "1000s"], script);
        let reporting = Reporting::spawn(command.current_dir(directory.path()));
        wait_until_there(&number);
        for signal in signals {
            reporting.signal(*signal);
        }
        reporting.end();
        let numbers = fs::read_to_string(&number).unwrap();
        for number in numbers.split_whitespace() {
            wait_for_end(Pid::from_raw(number.parse().unwrap()).unwrap());
        }
    }
}

/// It leads a group and ends it: whoever calls it in the group of somebody else ends nothing.
#[test]
fn the_leader_of_a_group_ends_no_other_one() {
    let binary = env!("CARGO_BIN_EXE_usagectl");
    let script = format!("{binary} __lead-process-group </dev/null; echo alive");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "alive\n");
    assert!(!run(&["--help"]).done().stdout.contains("__lead"));
}

/// Set where this process becomes the command: its arguments.
#[cfg(target_os = "linux")]
const ADOPTS: &str = "USAGECTL_TESTS_ADOPTS";

/// In a container the command is process 1, and whoever loses its parent becomes its child. Linux
/// lets any process ask for that, and keeps it for the program that takes its place.
#[test]
#[cfg(target_os = "linux")]
fn orphans_are_reaped() {
    use rustix::process::{getpid, set_child_subreaper};

    const SEPARATOR: char = '\u{1f}';
    if let Ok(arguments) = std::env::var(ADOPTS) {
        set_child_subreaper(Some(getpid())).unwrap();
        let mut command = crate::usagectl::command();
        let error = command.args(arguments.split(SEPARATOR)).stderr(Stdio::inherit()).exec();
        unreachable!("{error}");
    }
    let (serving, directory) = (Serving::start(&[]), directory());
    let state = directory.path().join("usage.json");
    // One ends with the group, and one later, when it likes.
    let script = format!(
        "(sleep 1000 >/dev/null 2>&1 & echo $! > new; mv new first)
         (setsid sh -c 'echo $$ > new; mv new second; sleep 0.2' >/dev/null 2>&1 &)
         until test -e second; do :; done
         {NUMBERS}"
    );
    let report = command(&serving.url, &state, &["--verbose"], &script);
    let arguments: Vec<_> = report.get_args().map(|word| word.to_str().unwrap()).collect();
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args(["report_command::orphans_are_reaped", "--exact", "--nocapture"])
        .env(ADOPTS, arguments.join(&SEPARATOR.to_string()))
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut reporting = Reporting::spawn(&mut this);
    for _ in 0..3 {
        reporting.wait_for("delivered");
    }
    for orphan in ["first", "second"] {
        let orphan = read_number(&directory.path().join(orphan));
        wait_until("an orphan is reaped", || test_kill_process(orphan).is_err());
    }
    assert_eq!(reporting.stop().code, Some(0));
}

/// The token is for the API alone, and a proxy's address may hold a password.
#[test]
fn a_command_gets_no_secret() {
    const SECRETS: [&str; 10] = [
        "USAGE_TOKEN",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "Ftp_Proxy",
        "MY_OWN_PROXY",
    ];
    let (serving, directory) = (Serving::start(&[]), directory());
    let token = serving.store().create_token("Example Inc.").unwrap();
    let state = directory.path().join("usage.json");
    let script = r#"env > seen.new; mv seen.new seen; echo "[]""#;
    let mut command = command(&serving.url, &state, &["--verbose"], script);
    command.envs(SECRETS.map(|name| (name, "http://user:password@127.0.0.1:1")));
    command.env("USAGE_TOKEN", token.expose()).env("PROXY_OF", "kept");
    let mut reporting = Reporting::spawn(command.current_dir(directory.path()));
    reporting.wait_for("delivered");
    let ran = reporting.stop();
    assert!(!ran.stderr.contains("password") && !ran.stderr.contains(token.expose()), "{ran:?}");
    let seen = fs::read_to_string(directory.path().join("seen")).unwrap();
    assert!(!seen.contains("password") && !seen.contains(token.expose()), "{seen}");
    for name in SECRETS {
        assert!(!seen.lines().any(|line| line.starts_with(&format!("{name}="))), "{name}");
    }
    for kept in ["PROXY_OF=", "PATH=", "USAGE_SERVER_ID=", "USAGE_CLUSTER_ID="] {
        assert!(seen.lines().any(|line| line.starts_with(kept)), "{kept}");
    }
    let usage = serving.store().usage().read_all().unwrap();
    assert_eq!(usage[0].organisation.as_deref(), Some("Example Inc."));
}

fn read_number(path: &Path) -> Pid {
    wait_until_there(path);
    Pid::from_raw(fs::read_to_string(path).unwrap().trim().parse().unwrap()).unwrap()
}

fn wait_until_there(path: &Path) {
    wait_until("the program starts", || path.exists());
}

/// Waits until the process whose number stands in a file is no more.
pub(crate) fn wait_until_gone(path: &Path) {
    wait_for_end(read_number(path));
}

/// Whoever runs the tests may be slow to reap what has lost its parent: a zombie has ended.
fn wait_for_end(process: Pid) {
    let is_zombie = || {
        let stat = format!("/proc/{}/stat", process.as_raw_nonzero());
        fs::read_to_string(stat).unwrap_or_default().contains(") Z ")
    };
    wait_until("a process ends", || test_kill_process(process).is_err() || is_zombie());
}
