//! A token is nowhere but in its owner's hands.

use std::sync::{Arc, Mutex};

use crate::client::{Request, USAGE, post, start_with, temporary};

const TARGET: &str = "/api/v1/usage/influxdb";

#[test]
fn no_file_holds_a_token() {
    let server = start_with(temporary());
    let tokens: Vec<_> =
        (0..10).map(|number| server.create_token(&format!("Org {number}")).unwrap()).collect();
    for token in &tokens {
        Request::post(TARGET, USAGE).token(token.expose()).send(&server);
        post(&server, &format!("{TARGET}?token={}", token.expose()), USAGE);
    }
    let directory = server.store().path().parent().unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += usize::from(bytes.windows(5).any(|window| window == b"Org 3"));
        for token in &tokens {
            // Not even a part of it.
            for part in token.expose().as_bytes().chunks(16) {
                assert!(!bytes.windows(part.len()).any(|window| window == part));
            }
        }
    }
    assert!(files > 0, "the names would be found where the tokens are");
}

#[test]
fn no_log_line_holds_a_token() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = lines.clone();
    let server = start_with(temporary().on_request(move |request| {
        log.lock().unwrap().push(format!("{request} {request:?}"));
    }));
    let token = server.create_token("Example\nInc.").unwrap();
    let secret = token.expose();
    let query = format!("{TARGET}?token={secret}");
    Request::post(TARGET, USAGE).token(secret).send(&server);
    post(&server, &query, "not JSON");
    post(&server, &format!("/nothing?token={secret}"), USAGE);
    Request::post(TARGET, USAGE).token("another-secret").send(&server);

    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 4);
    for line in lines.iter() {
        assert!(!line.contains(secret) && !line.contains("secret"), "{line}");
        assert!(!line.contains('?') && !line.contains('\n'), "{line}");
    }
    assert!(lines[0].starts_with("POST /api/v1/usage/influxdb 201 in "), "{}", lines[0]);
    assert!(lines[0].contains(&format!(" ms, {} bytes, \"Example\\nInc.\"", USAGE.len())));
    assert!(lines[1].starts_with("POST /api/v1/usage/influxdb 422 in "), "{}", lines[1]);
    assert!(lines[1].contains("Example"), "{}", lines[1]);
    assert!(lines[2].starts_with("POST /nothing 404 in "), "{}", lines[2]);
    assert!(lines[3].starts_with("POST /api/v1/usage/influxdb 401 in "), "{}", lines[3]);
}

#[test]
fn a_client_that_goes_away_is_logged_without_a_status() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let server = start_with(temporary().on_request(move |request| {
        let _ = sender.send(request.clone());
    }));
    server.faults().delay(std::time::Duration::from_secs(3600));
    let mut client = crate::client::Client::connect(&server);
    client.write(Request::post(TARGET, USAGE).to_bytes());
    crate::client::wait_until("the report is stored", || {
        !server.store().usage().read_all().unwrap().is_empty()
    });
    drop(client);
    let request = receiver.recv_timeout(crate::client::PATIENCE).unwrap();
    assert_eq!(request.status, None);
    assert!(request.to_string().contains("client went away"), "{request}");
}

#[test]
fn no_debug_output_holds_a_token() {
    let config = temporary();
    let server = start_with(config.clone());
    let token = server.create_token("Example Inc.").unwrap();
    Request::post(TARGET, USAGE).token(token.expose()).send(&server);
    let rows = server.store().usage().read_all().unwrap();
    let faults = server.faults();
    let text = format!("{token:?} {server:?} {config:?} {:?} {faults:?} {rows:?}", server.store());
    assert!(!text.contains(token.expose()), "{text}");
    assert!(text.contains("Example Inc."), "the rows are there: {text}");
}

/// A log is read in a terminal, which obeys control characters, C1 as well as C0.
#[test]
fn no_log_line_steers_a_terminal() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let server = start_with(temporary().on_request(move |request| {
        let _ = sender.send(request.clone());
    }));
    server.create_token("Example Inc.").unwrap();
    for (target, shown) in [
        ("/\u{9b}31mred", "/%C2%9B31mred"),
        ("/\u{202e}gpj.exe", "/%E2%80%AEgpj.exe"),
        (&format!("/{}", "long".repeat(10_000)), &format!("/{}...", "long".repeat(64))[..]),
    ] {
        let status = post(&server, target, "").status;
        let request = receiver.recv_timeout(crate::client::PATIENCE).unwrap();
        let cut = if shown.len() > 256 { format!("{}...", &shown[..256]) } else { shown.into() };
        assert_eq!((status, &request.path), (404, &cut));
        let line = request.to_string();
        assert!(line.starts_with(&format!("POST {cut} 404 in ")), "{line}");
    }
    Request::new(&"M".repeat(10_000), "/").send(&server);
    let line = receiver.recv_timeout(crate::client::PATIENCE).unwrap().to_string();
    assert!(line.starts_with(&format!("{}... / 404 in ", "M".repeat(32))), "{line}");
}
