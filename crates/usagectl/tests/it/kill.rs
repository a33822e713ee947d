//! `report` is killed at any moment, a hundred times, while the API misbehaves: nothing is counted
//! twice, the server stays who it is, and the state can always be read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;
use usage_reporter::StateFile;
use usage_server::{Config, Database, Faults, Server};

use crate::reporting::{Reporting, command_of, directory};
use crate::usagectl::PATIENCE;

/// Side by side, since each spends its time waiting for the next second.
const PRODUCTS: usize = 5;
const KILLS: usize = 20;
const PERIOD: Duration = Duration::from_secs(1);

/// No two of these are the same.
const SCRIPT: &str =
    r#"echo "[{\"values\":{\"id\":\"$USAGE_SERVER_ID\",\"run\":\"$$ $(date +%s%N)\"}}]""#;

#[test]
fn a_hundred_kills_lose_no_identity_and_report_nothing_twice_w43() {
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    let config = Config::new(Database::temporary()).on_request(move |request| {
        // Without a status the client went before there was an answer.
        let is_heard = request.status.is_none_or(|status| status.is_success());
        counted.fetch_add(usize::from(is_heard), Ordering::Relaxed);
    });
    let there = Server::bind("127.0.0.1:0", config).unwrap();
    let (url, faults) = (there.url(), there.faults());
    thread::scope(|scope| {
        for product in 0..PRODUCTS {
            let (url, faults) = (&url, &faults);
            scope.spawn(move || live_and_die(url, faults, product));
        }
    });

    let rows = there.store().usage().unwrap();
    for product in 0..PRODUCTS {
        let product = format!("p{product}");
        let of_product: Vec<_> = rows.iter().filter(|row| row.report.product == product).collect();
        assert!(of_product.len() > 3, "{product} has {} rows", of_product.len());
        let value = |row: usize, name: &str| {
            let value = of_product[row].report.data[0].values.get(name).unwrap();
            serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
        };
        for row in 1..of_product.len() {
            assert_eq!(value(row, "id"), value(0, "id"), "{product} has become another server");
            assert_ne!(value(row, "run"), value(row - 1, "run"), "{product}: the same report");
            // A report that was stored, and whose answer was not seen, is sent again with its key:
            // the two are one row, a period away from the next.
            let apart = time(&of_product[row].received_at)
                .duration_since(time(&of_product[row - 1].received_at));
            let apart = apart.unwrap() + Duration::from_millis(1);
            assert!(apart >= PERIOD, "{product}: two reports of one period, {apart:?} apart");
        }
    }
    let (kills, stored) = (PRODUCTS * KILLS, rows.len());
    // Not asserted: how often a kill comes in between is chance. The next test makes it sure.
    let again = heard.load(Ordering::Relaxed).saturating_sub(stored);
    println!("{kills} kills, {stored} reports stored, {again} came again and were not counted");
    there.shutdown().unwrap();
}

/// Killed between the moment that the API has stored a report and its answer.
#[test]
fn a_report_whose_answer_was_never_seen_is_counted_once_w43() {
    let there = Server::bind("127.0.0.1:0", Config::new(Database::temporary())).unwrap();
    let directory = directory();
    let state = directory.path().join("usage.json");
    let start = || {
        let options = ["--verbose"];
        Reporting::spawn(&mut command_of("p", &there.url(), &state, &options, SCRIPT))
    };
    there.faults().delay(2 * PATIENCE);
    let reporting = start();
    let begun = Instant::now();
    while there.store().usage().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nothing is reported");
        thread::sleep(Duration::from_millis(5));
    }
    reporting.signal(Signal::KILL);
    drop(reporting);
    let waiting = StateFile::peek(&state).unwrap().unwrap();
    assert!(waiting.unacknowledged_key().is_some() && waiting.acknowledged().is_none());

    there.faults().clear();
    let mut reporting = start();
    reporting.wait_for("delivered");
    reporting.signal(Signal::KILL);
    drop(reporting);
    assert_eq!(there.store().usage().unwrap().len(), 1);
}

fn live_and_die(url: &str, faults: &Faults, product: usize) {
    let directory = directory();
    let state = directory.path().join("usage.json");
    let product = format!("p{product}");
    let mut identity = None;
    for kill in 0..KILLS {
        match kill % 4 {
            0 => faults.clear(),
            1 => faults.fail(Some("503:2".parse().unwrap())),
            // Stored, and answered late: a kill in between is the hard case.
            _ => faults.delay(Duration::from_millis(200)),
        }
        let reporting = Reporting::spawn(&mut command_of(&product, url, &state, &[], SCRIPT));
        thread::sleep(random_below(Duration::from_millis(1800)));
        reporting.signal(Signal::KILL);
        drop(reporting);
        check(&state, &mut identity);
    }
    faults.clear();
    assert!(identity.is_some(), "no state was ever stored");
}

/// The state can be read, and names the server that it has always named.
fn check(state: &Path, identity: &mut Option<String>) {
    let state = StateFile::peek(state).unwrap();
    let found = state.as_ref().and_then(|state| state.server_id()).map(ToOwned::to_owned);
    if identity.is_some() {
        assert_eq!(found, *identity);
    }
    *identity = found;
}

fn time(text: &str) -> SystemTime {
    humantime::parse_rfc3339(text).unwrap()
}

fn random_below(limit: Duration) -> Duration {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    limit * (u32::from_le_bytes(bytes) >> 16) / (1 << 16)
}
