//! W6: the token is in no log and in no `Debug`.

use std::sync::Mutex;

use usage_proto::Deadlines;
use usage_reqwest::Client;
use usage_reqwest::reqwest::ClientBuilder;

use crate::server::Server;
use crate::{CREATED, TOKEN, api, child, client, usage};

static LOG: Mutex<String> = Mutex::new(String::new());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut log = LOG.lock().unwrap();
        log.push_str(record.target());
        log.push(' ');
        log.push_str(&record.args().to_string());
        log.push('\n');
    }

    fn flush(&self) {}
}

/// Everything that was logged, in a form in which a text that was cut into rows shows too.
fn assert_unlogged(secret: &str) {
    let log = LOG.lock().unwrap();
    assert!(log.contains("reqwest"), "nothing was logged: {log}");
    for part in secret.as_bytes().windows(8) {
        let text = str::from_utf8(part).unwrap();
        assert!(!log.contains(text), "{text} is in the log: {log}");
        let nibbles = part.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = nibbles.filter_map(|n| char::from_digit(n.into(), 16)).collect();
        assert!(!log.replace(' ', "").contains(&hex), "{text} is in the log as hex: {log}");
    }
}

fn log_everything() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
}

/// Asks for everything to be written into the log.
fn talkative_client(url: &str) -> Client {
    let talkative = |builder: ClientBuilder| builder.connection_verbose(true);
    Client::configured(api(url), Deadlines::new(), talkative).unwrap()
}

#[tokio::test]
async fn w6_the_token_is_not_in_the_log_at_level_trace() {
    if !child::is_here() {
        let test = "secrets::w6_the_token_is_not_in_the_log_at_level_trace";
        return child::run(test, &[]);
    }
    log_everything();
    let server = Server::answering(CREATED);
    let client = talkative_client(&server.url());
    for _ in 0..2 {
        client.save(&usage()).await.unwrap();
    }
    for request in server.requests() {
        assert!(request.head.contains(TOKEN));
    }
    assert_unlogged(TOKEN);
}

#[tokio::test]
async fn w6_neither_token_nor_proxy_password_is_in_the_log_by_way_of_a_proxy() {
    // The user is `somebody`; what a proxy is told is this and the password in base64.
    const PASSWORD: &str = "proxy-password-0123456789";
    const BASE64: &str = "c29tZWJvZHk6cHJveHktcGFzc3dvcmQtMDEyMzQ1Njc4OQ==";
    if child::is_here() {
        log_everything();
        let forwarded = talkative_client("http://usage.example");
        forwarded.save(&usage()).await.unwrap();
        talkative_client("https://usage.example").save(&usage()).await.unwrap_err();
        assert!(!format!("{forwarded:?}").contains(PASSWORD));
        return [TOKEN, PASSWORD, BASE64].into_iter().for_each(assert_unlogged);
    }
    let forward = Server::answering(CREATED);
    let tunnel = Server::answering("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n");
    let url = |proxy: &Server| format!("http://somebody:{PASSWORD}@127.0.0.1:{}", proxy.port());
    child::run(
        "secrets::w6_neither_token_nor_proxy_password_is_in_the_log_by_way_of_a_proxy",
        &[("http_proxy", &url(&forward)), ("https_proxy", &url(&tunnel))],
    );
    let mut heads = forward.requests();
    heads.extend(tunnel.requests());
    assert_eq!(heads.len(), if cfg!(feature = "tls") { 2 } else { 1 });
    assert!(heads.iter().all(|request| request.head.contains(BASE64)));
}

#[tokio::test]
async fn w6_the_token_is_not_in_debug() {
    let client = client("http://127.0.0.1:1");
    let debug = format!("{client:?}");
    assert!(!debug.contains(TOKEN), "{debug}");
    assert!(debug.contains("127.0.0.1"), "{debug}");
}
