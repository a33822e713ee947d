//! How long reports wait that come at half of the rate that the server can do, on a schedule that does
//! not wait for the server.

use std::net::SocketAddr;

use testkit::bench::{Key, ReportClients, Row, Unit, open_loop};

/// More than are on their way at any moment but a slow one.
const CONNECTIONS: usize = 256;

/// For how long, in seconds.
const SECONDS: f64 = 6.0;

/// `full` are the rows of the full rate.
pub(crate) fn rows(address: SocketAddr, token: &str, full: &[Row; 3]) -> Vec<Row> {
    let [anonymous, _, with_key] = full;
    let mut rows = Vec::new();
    for (what, full, token, key) in [
        ("anonymous", anonymous, None, Key::None),
        ("with a token and a fresh key", with_key, Some(token), Key::Fresh),
    ] {
        let rate = full.ours.expect("a rate") / 2.0;
        let clients = ReportClients::new(CONNECTIONS, address, token, key);
        let waits = open_loop(clients, rate, SECONDS);
        for (part, name) in [(0.50, "half"), (0.99, "99 of 100")] {
            let what = format!("usage-server, half of the full rate, {what}: {name} wait at most");
            rows.push(Row::alone(what, Unit::Microseconds, waits.quantile(part), None));
        }
    }
    rows
}
