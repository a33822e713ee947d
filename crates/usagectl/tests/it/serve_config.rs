//! `serve --config`: what is in the file, and what is read again.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use rustix::process::{Signal, kill_process};
use tempfile::TempDir;

use crate::serving::Serving;
use crate::usagectl::{PATIENCE, run, wait_until};

struct Configured {
    serving: Serving,
    file: PathBuf,
    log: PathBuf,
    _directory: TempDir,
}

impl Configured {
    fn start(text: &str, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (file, log) = (directory.path().join("serve.toml"), directory.path().join("log"));
        fs::write(&file, text).unwrap();
        let named = ["--config", file.to_str().unwrap(), "--log-file", log.to_str().unwrap()];
        let serving = Serving::start(&[&named[..], options].concat());
        Self { serving, file, log, _directory: directory }
    }

    /// Writes the file, has it read, and waits until the log says so.
    fn change(&self, text: &str, told: &str) {
        fs::write(&self.file, text).unwrap();
        let count = |told| fs::read_to_string(&self.log).unwrap().matches(told).count();
        let before = count(told);
        kill_process(self.serving.pid(), Signal::HUP).unwrap();
        wait_until(told, || count(told) > before);
    }

    /// The status of the page for registration.
    fn page(&self, more: &str) -> String {
        let address = self.serving.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let target = format!("/start?cluster_id=c&product=p{more}");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }
}

const READ: &str = "the configuration was read again";
const KEPT: &str = "the configuration stays as it was";
const AWAY: &str = "&redirect_url=https://console.example.com/";

#[test]
fn what_is_in_the_file_counts_and_is_read_again() {
    let configured = Configured::start("# nothing is said\n", &[]);
    assert_eq!(configured.page(""), "404");
    configured.change("registration = \"open\"\n", READ);
    assert_eq!(configured.page(""), "200");
    assert_eq!(configured.page(AWAY), "400");
    configured.change(
        "registration = \"open\"\nallow-redirect = [\"https://console.example.com\"]\n",
        READ,
    );
    assert_eq!(configured.page(AWAY), "200");

    // Whatever is wrong: the words say where, and everything stays as it was.
    for (wrong, words) in [
        ("registration = \"opem\"\n", "line 1"),
        ("registration = \"open\"\nno-such-key = 1\n", "no-such-key"),
        ("registration", "line 1"),
        ("allow-redirect = [\"nowhere\"]", "nowhere"),
        ("products = []", "leave it out"),
        ("products = [\"influxdb\", \" \"]", "leave it out"),
        ("registration = \"invite\"", "--invite-file"),
        ("registration = \"invite\"\ninvite-file = \"/no/such/file\"", "/no/such/file"),
    ] {
        configured.change(wrong, KEPT);
        let log = fs::read_to_string(&configured.log).unwrap();
        assert!(log.lines().last().unwrap().contains(words), "{wrong}: {log}");
        assert_eq!(configured.page(AWAY), "200");
    }
    configured.change("", READ);
    assert_eq!(configured.page(""), "404");
    assert_eq!(configured.serving.stop().code, Some(0));
}

/// What an option does not take the file does not take either.
#[test]
fn a_number_in_the_file_has_the_bounds_of_the_option() {
    let configured = Configured::start("registration = \"open\"\n", &[]);
    for key in [
        "requests-per-address",
        "bytes-per-address",
        "requests-per-token",
        "bytes-per-token",
        "keys-per-day",
        "values-per-day",
    ] {
        for wrong in ["0", "-1", "1.5", "99999999999999999999"] {
            let ran =
                run(&["serve", &format!("--{key}={wrong}"), "--listen", "127.0.0.1:0"]).done();
            assert_eq!(ran.code, Some(2), "{key} {wrong}: {ran:?}");
            let text = format!("{key} = {wrong}\n");
            configured.change(&text, KEPT);
            assert_eq!(configured.page(""), "200", "{text}");
        }
        configured.change(&format!("registration = \"open\"\n{key} = 1000\n"), READ);
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("serve.toml"), "\nrequests-per-address = 0\n").unwrap();
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--config", "serve.toml"])
        .directory(directory.path())
        .done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("line 2") && ran.stderr.contains("nonzero"), "{ran:?}");
    assert_eq!(configured.serving.stop().code, Some(0));
}

#[test]
fn an_option_comes_before_the_file() {
    let configured = Configured::start("log-format = \"json\"\n", &["--registration", "open"]);
    assert_eq!(configured.page(""), "200");
    configured.change("registration = \"closed\"\nlog-format = \"text\"", READ);
    assert_eq!(configured.page(""), "200");
    assert_eq!(configured.serving.stop().code, Some(0));
    let log = fs::read_to_string(&configured.log).unwrap();
    assert!(log.starts_with("{\"time\":") && log.ends_with("Z stopped\n"), "{log}");
}

#[test]
fn limits_are_in_the_file_and_in_options() {
    let configured = Configured::start(
        "requests-per-address = 3\nbytes-per-address = 1000000\nrequests-per-token = 1000\n\
         bytes-per-token = 1000000\nkeys-per-day = 100\nvalues-per-day = 100\n",
        &["--products", "influxdb,chronograf"],
    );
    let save = |product: &str| {
        let url = &configured.serving.url;
        run(&["save", "usage", "--product", product, "-", "--url", url, "--json"])
            .stdin("[]")
            .done()
            .json()
    };
    for (product, status) in [("influxdb", 201), ("chronograf", 201), ("another", 422)] {
        assert_eq!(save(product)["status"], status, "{product}");
    }
    let refused = save("influxdb");
    assert_eq!((&refused["status"], &refused["retryable"]), (&429.into(), &true.into()));
    assert!(refused["retry_after_s"].as_f64().unwrap() >= 1.0, "{refused}");
    configured.change("", READ);
    assert_eq!(save("influxdb")["status"], 201);

    let ran = run(&["serve", "--requests-per-token", "0"]).done();
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

/// Codes are taken out of use without a restart.
#[test]
fn invite_codes_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let codes = directory.path().join("codes");
    fs::write(&codes, "first\n").unwrap();
    let text = format!("registration = \"invite\"\ninvite-file = {codes:?}\n");
    let configured = Configured::start(&text, &[]);
    let enters = |code: &str| {
        let body = format!("organisation=Example&email=a%40example.com&invite={code}");
        let address = configured.serving.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST /start?cluster_id=c&product=p HTTP/1.1\r\nHost: {address}\r\n\
             Origin: http://{address}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!((enters("first"), enters("second")), ("200".to_owned(), "422".to_owned()));
    fs::write(&codes, "second\n").unwrap();
    configured.change(&text, READ);
    assert_eq!((enters("first"), enters("second")), ("422".to_owned(), "200".to_owned()));
}

#[test]
fn a_configuration_that_is_wrong_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("serve.toml"), "\n\nregistration = 3\n").unwrap();
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--config", "serve.toml", "--json"])
        .directory(directory.path())
        .done();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    let message = ran.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("serve.toml, line 3"), "{message}");
}

/// A terminal that is closed sends SIGHUP, and a server that was started there by hand goes with it.
/// Nothing but a terminal does that.
#[test]
fn a_server_without_a_terminal_outlives_a_hangup() {
    let mut serving = Serving::start(&[]);
    kill_process(serving.pid(), Signal::HUP).unwrap();
    serving.wait_for_log(READ);
    let ran = run(&["save", "usage", "--product", "p", "-", "--url", &serving.url]).stdin("[]");
    assert_eq!(ran.done().code, Some(0));
}
