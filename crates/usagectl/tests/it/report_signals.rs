//! How `report` and `serve` take the signals that ask them to stop.

use std::fs::File;
use std::net::TcpListener;
use std::process::Command;

use rustix::process::{Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::reporting::{NUMBERS, Reporting, command, command_of, directory};
use crate::serving::Serving;
use crate::usagectl::{wait_until, write_own};

/// A terminal or a session that goes away asks for the same as whoever stops a service.
#[test]
fn each_signal_stops_a_report_in_good_order() {
    for signal in [Signal::HUP, Signal::TERM, Signal::INT] {
        let (serving, directory) = (Serving::start(&[]), directory());
        let state = directory.path().join("usage.json");
        let mut reporting = Reporting::start(&serving.url, &state, &["--verbose"], NUMBERS);
        reporting.wait_for("delivered");
        reporting.signal(signal);
        let ran = reporting.end();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("usagectl: stopped; "), "{}", ran.stderr);
    }
}

/// `timeout` and many others tell the process, and then its group: whoever is told twice at once was
/// asked once.
#[test]
fn signals_that_come_together_are_one() {
    let (serving, directory) = (Serving::start(&[]), directory());
    let state = directory.path().join("usage.json");
    let mut reporting = Reporting::start(&serving.url, &state, &["--verbose"], NUMBERS);
    reporting.wait_for("delivered");
    // It finds both when it goes on.
    for signal in [Signal::STOP, Signal::TERM, Signal::INT, Signal::CONT] {
        reporting.signal(signal);
    }
    let ran = reporting.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("usagectl: stopped; "), "{}", ran.stderr);
}

/// That is what a terminal sends when it is closed. Elsewhere, and where there is something to read
/// again, it means that: see the tests of `--config`.
#[test]
fn a_hangup_stops_a_server_that_was_started_in_a_terminal() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let other_end = ptsname(&terminal, Vec::new()).unwrap();
    let open = || File::options().write(true).open(other_end.to_str().unwrap()).unwrap();
    let ran = Serving::start_with_log(&[], open()).stop_by(Signal::HUP);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let serving = Serving::start_with_log(&["--log-file", log.to_str().unwrap()], open());
    kill_process(serving.pid(), Signal::HUP).unwrap();
    wait_until("it is told", || {
        std::fs::read_to_string(&log).unwrap().contains("the log was opened anew")
    });
    assert_eq!(serving.stop().code, Some(0));
}

/// As `nohup` does it: whoever asks for that wants the reports to go on.
#[test]
#[cfg(target_os = "linux")]
fn a_hangup_that_is_ignored_stays_ignored() {
    let (serving, directory) = (Serving::start(&[]), directory());
    let state = directory.path().join("usage.json");
    let report = command(&serving.url, &state, &["--verbose"], NUMBERS);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(report.get_program())
        .args(report.get_args())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut reporting = Reporting::spawn(&mut shell);
    reporting.wait_for("delivered");
    reporting.signal(Signal::HUP);
    for _ in 0..2 {
        reporting.wait_for("delivered");
    }
    assert_eq!(reporting.stop().code, Some(0));
}

/// A machine that is on for minutes at a time would never report otherwise: the slot that has passed
/// is spread over an hour at each start.
#[test]
fn what_is_due_is_collected_and_sent_while_it_stops() {
    let serving = Serving::start(&[]);
    let directory = directory();
    let state = directory.path().join("usage.json");
    write_own(&state, r#"{"version":1,"next_due_unix_ns":1000000000}"#);
    let mut command = command_of("influxdb", "12h", &serving.url, &state, &[], NUMBERS);
    let mut reporting = Reporting::spawn(&mut command);
    reporting.wait_for("started");
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.ends_with("usagectl: stopped; 1 delivered, 0 lost\n"), "{}", ran.stderr);
    assert_eq!(serving.store().usage().read_all().unwrap().len(), 1);
}

#[test]
fn a_second_signal_does_not_wait_for_the_api() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let directory = directory();
    let state = directory.path().join("usage.json");
    let options = ["--flush-timeout", "1000s"];
    let mut reporting = Reporting::start(&url, &state, &options, NUMBERS);
    // It is sending, and nobody will ever answer.
    let _connection = listener.accept().unwrap();
    reporting.signal(Signal::TERM);
    reporting.wait_for("stopping");
    assert_eq!(reporting.insist(Signal::TERM).code, Some(130));
}

#[test]
fn a_flush_ends_in_time_while_the_api_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let directory = directory();
    let state = directory.path().join("usage.json");
    let reporting = Reporting::start(&url, &state, &["--flush-timeout", "0"], NUMBERS);
    let _connection = listener.accept().unwrap();
    let ran = reporting.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.ends_with("stopped; 0 delivered, 0 lost, 1 given up\n"), "{}", ran.stderr);
}
