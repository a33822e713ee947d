//! `demo`: each part that it promises.

use crate::usagectl::run;

#[test]
fn the_demo_shows_each_part() {
    let ran = run(&["demo"]).done();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    has_each_part(&ran.stdout);
}

fn has_each_part(text: &str) {
    // In this order.
    let mut rest = text;
    for part in [
        "listens at  http://127.0.0.1:",
        "reached by  usage-ureq\n",
        "1  A customer registers",
        "https://usage.influxdata.com/start?cluster_id=clus1&product=influxdb&redirect_url=http%3A%2F%2F\
         example.com\n",
        "the demo's server makes the token itself",
        "\"Example Inc.\"",
        "2  A server registers",
        "> POST /api/v1/servers HTTP/1.1",
        "> x-authorization: [redacted]",
        "< HTTP/1.1 201 Created",
        "= saved, status 201",
        "> POST /api/v1/stats/influxdb HTTP/1.1",
        "\"engine\"",
        "= saved, status 200",
        "> POST /api/v1/usage/influxdb HTTP/1.1",
        "= saved, status 201",
        "< HTTP/1.1 422 Unprocessable Entity",
        "= typed error: Validation, status 422",
        "ServerID can not be blank.",
        "< HTTP/1.1 401 Unauthorized",
        "= typed error: Simple, status 401",
        "What the server has stored",
        "servers",
        "clus1       serv1      example.com  influxdb  1.0",
        "stats",
        "blks_write=39",
        "usage",
        "num_series=87232",
        "The server has stopped",
        "What to try next",
        "serve --create-token",
        "save usage --product influxdb --url http://127.0.0.1:7086 -",
    ] {
        let found = rest.split_once(part);
        assert!(found.is_some(), "{part:?} is not in:\n{rest}");
        (_, rest) = found.unwrap();
    }
    // No colours where nobody sees them, and no line that a terminal would break, but for the
    // address and the commands, which are there to be copied.
    assert!(!text.contains('\u{1b}'), "{text:?}");
    for line in text.lines().filter(|line| !line.contains("://") && !line.contains("usagectl")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// It is told while it happens, to people: an object would have to wait for the end.
#[test]
fn the_demo_has_no_object() {
    for arguments in [["demo", "--json"], ["--json", "demo"]] {
        let ran = run(&arguments).done();
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.json()["outcome"], "usage");
        assert!(ran.stdout.contains("the demo is for people"), "{ran:?}");
    }
    assert!(!run(&["demo", "--help"]).done().stdout.contains("--json"));
}

/// Whatever the environment says, the demo talks to its own server.
#[test]
fn the_demo_keeps_to_itself() {
    let ran = run(&["demo"])
        .env("USAGE_URL", "http://127.0.0.1:1")
        .env("USAGE_TOKEN", "token-of-somebody")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .done();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stdout.contains("token-of-somebody"));
}

/// Colours on demand: a terminal cannot be had in a test, the variable that stands for one can.
#[test]
fn colours_can_be_forced_and_forbidden() {
    let forced = run(&["demo"]).env("CLICOLOR_FORCE", "1").done();
    assert!(forced.stdout.contains("\u{1b}["));
    let forbidden = run(&["demo"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").done();
    assert!(!forbidden.stdout.contains('\u{1b}'));
}

/// What is printed is true when it is read: the server that it names is there. The pipe has
/// room for a part of the demo, so that it is held up until the test reads on.
#[test]
#[cfg(target_os = "linux")]
fn the_demo_is_told_while_it_happens() {
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

    let (reader, writer) = std::io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
    run(&["demo"]).stdout(writer).done_after(|child| {
        let mut lines = BufReader::with_capacity(256, &reader).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("listens at")).unwrap();
        let address = line.split(['/', ',']).nth(2).unwrap();
        TcpStream::connect(address).unwrap();
        assert!(child.try_wait().unwrap().is_none());
        // The last line of all.
        lines.find(|line| line.contains("serve --fail")).unwrap();
    });
}
