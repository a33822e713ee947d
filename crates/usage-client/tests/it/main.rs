//! What a product sees of its reporting, against a real API.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

mod consent;
mod examples;
mod forget_me;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod forget_on_tokio;
mod if_due;
mod moments;
mod product;
mod start;
#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod task;
#[cfg(feature = "testing")]
mod testing;
mod token;
mod traits;
mod web_interface;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use usage_client::{BaseUrl, Reporting, Schedule};
use usage_server::{Config, Database, Server};

/// Nothing takes as long.
const PATIENCE: Duration = Duration::from_secs(20);

fn api() -> Server {
    Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap()
}

/// A product that reports every second instead of every twelve hours.
fn product(there: &Server, folder: &Path) -> Reporting {
    Reporting::new("tinykv", "1.2.3")
        .setting(Some(true))
        .url(BaseUrl::new(&there.url()).unwrap())
        .state_file(folder.join("tinykv/usage.json"))
        .host_name("host.example")
        .schedule(Schedule::every(Duration::from_secs(1)).start_spread(Duration::ZERO))
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
