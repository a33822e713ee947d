//! `demo`: each part that it promises.

use serde_json::{Value, json};

use crate::usagectl::{TRANSPORTS, over_each, run};

#[test]
fn the_demo_shows_each_part() {
    for transport in TRANSPORTS {
        let ran = run(&["demo", "--transport", transport]).done();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        has_each_part(&ran.stdout, transport);
    }
    // Unless told otherwise.
    assert!(run(&["demo"]).done().stdout.contains("reached by  usage-ureq\n"));
}

fn has_each_part(text: &str, transport: &str) {
    // In this order.
    let mut rest = text;
    for part in [
        "listens at  http://127.0.0.1:",
        &format!("reached by  usage-{transport}\n"),
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

#[test]
fn the_demo_is_one_object_for_scripts() {
    let object = over_each(|transport| {
        let ran = run(&["demo", "--json", "--transport", transport]).done();
        assert_eq!(ran.code, Some(0));
        let mut object = ran.json();
        assert_eq!(object["transport"].take(), transport);
        drop_what_differs(&mut object);
        object
    });
    assert_eq!(object["registration"]["organisation"], "Example Inc.");
    let url = object["registration"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://usage.influxdata.com/start?"), "{url}");

    let exchanges = object["exchanges"].as_array().unwrap();
    let of = |part: fn(&Value) -> &Value| exchanges.iter().map(part).collect::<Vec<_>>();
    assert_eq!(
        of(|exchange| &exchange["result"]["outcome"]),
        ["saved", "saved", "saved", "validation", "simple"],
    );
    assert_eq!(of(|exchange| &exchange["answer"]["status"]), [201, 200, 201, 422, 401]);
    let token = json!(["x-authorization", "[redacted]"]);
    let headers = of(|exchange| &exchange["request"]["headers"]);
    assert!(headers.iter().all(|headers| headers.as_array().unwrap().contains(&token)));

    let stored = &object["stored"];
    for table in ["servers", "stats", "usage"] {
        assert_eq!(stored[table].as_array().unwrap().len(), 1, "{table}");
        assert_eq!(stored[table][0]["organisation"], "Example Inc.");
        assert_eq!(stored[table][0]["product"], "influxdb");
    }
    assert_eq!(stored["servers"][0]["host"], "example.com");
    assert_eq!(stored["stats"][0]["stats"][0]["values"]["points_write"], 39);
    assert_eq!(
        stored["usage"][0]["data"],
        json!([{
            "tags": {"arch": "amd64", "os": "linux", "version": "0.9.5"},
            "values": {
                "cluster_id": "23423",
                "server_id": "1",
                "num_databases": 3,
                "num_measurements": 2342,
                "num_series": 87232,
            },
        }]),
    );
}

/// Takes from the object what is different each time, and what a library is free to choose: the
/// order of the headers that it sends, and a header that says what its absence would.
fn drop_what_differs(object: &mut Value) {
    let address = object["url"].take().as_str().unwrap().to_owned();
    let host = address.strip_prefix("http://").unwrap();
    for exchange in object["exchanges"].as_array_mut().unwrap() {
        let url = exchange["request"]["url"].as_str().unwrap().replace(&address, "");
        exchange["request"]["url"] = url.into();
        let sent = exchange["request"]["headers"].as_array_mut().unwrap();
        sent.retain(|header| *header != json!(["accept", "*/*"]));
        sent.sort_by_key(Value::to_string);
        let at = sent.iter().position(|header| header[0] == "host").unwrap();
        assert_eq!(sent.remove(at)[1], host);
        let came = exchange["answer"]["headers"].as_array_mut().unwrap();
        came.retain(|header| header[0] != "date");
    }
    for rows in object["stored"].as_object_mut().unwrap().values_mut() {
        for row in rows.as_array_mut().unwrap() {
            assert!(row["received_at"].take().is_string());
        }
    }
}

/// Whatever the environment says, the demo talks to its own server.
#[test]
fn the_demo_keeps_to_itself() {
    for transport in TRANSPORTS {
        let ran = run(&["demo", "--json", "--transport", transport])
            .env("USAGE_URL", "http://127.0.0.1:1")
            .env("USAGE_TOKEN", "token-of-somebody")
            .env("ALL_PROXY", "http://127.0.0.1:1")
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .done();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.stdout.contains("token-of-somebody"));
    }
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
        lines.find(|line| line.ends_with("demo --json")).unwrap();
    });
}
