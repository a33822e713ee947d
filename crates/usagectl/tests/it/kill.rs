//! `report` is killed at any moment, a hundred times, while the API misbehaves: nothing is counted
//! twice, the server stays who it is, and the state can always be read.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;
use usage_reporter::StateFile;
use usage_server::{Config, Database, Faults, Server};

use crate::reporting::{Reporting, command_of, directory};
use crate::usagectl::{PATIENCE, run, write_own};

/// Side by side, since each spends its time waiting for the next second.
const PRODUCTS: usize = 5;
const KILLS: usize = 20;

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

    let rows = there.store().usage().read_all().unwrap();
    for product in 0..PRODUCTS {
        let product = format!("p{product}");
        let of_product: Vec<_> = rows.iter().filter(|row| row.report.product == product).collect();
        let value = |name: &str| -> Vec<String> {
            let values = of_product.iter().map(|row| row.report.data[0].values.get(name).unwrap());
            values.map(|value| serde_json::to_string(value).unwrap()).collect()
        };
        let (ids, runs) = (value("id"), value("run"));
        assert!(ids.iter().all(|id| *id == ids[0]), "{product} has become another server: {ids:?}");
        let distinct: BTreeSet<_> = runs.iter().collect();
        assert_eq!(distinct.len(), runs.len(), "{product}: the same report twice");
        assert!(runs.len() >= 2, "{product} has reported {} times", runs.len());
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
    // The last report was nearly a period ago: the next one is due in a moment, and the one after
    // it a long time later, whatever the machine is busy with.
    let last = SystemTime::now() - Duration::from_secs(23);
    let last = last.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    write_own(&state, format!(r#"{{"version":1,"acknowledged_unix_ns":{last}}}"#));
    let start = || {
        let mut command = command_of("p", "24s", &there.url(), &state, &["--verbose"], SCRIPT);
        Reporting::spawn(&mut command)
    };
    there.faults().delay(2 * PATIENCE);
    let reporting = start();
    let begun = Instant::now();
    while there.store().usage().read_all().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nothing is reported");
        thread::sleep(Duration::from_millis(5));
    }
    reporting.signal(Signal::KILL);
    drop(reporting);
    let status = run(&["status", "--json", "--state", state.to_str().unwrap()]).done().json();
    assert_eq!(status["state"]["unacknowledged"], true);

    there.faults().clear();
    let mut reporting = start();
    reporting.wait_for("delivered");
    reporting.signal(Signal::KILL);
    drop(reporting);
    assert_eq!(there.store().usage().read_all().unwrap().len(), 1);
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
        let mut reporting =
            Reporting::spawn(&mut command_of(&product, "1s", url, &state, &[], SCRIPT));
        if kill % 2 == 0 {
            reporting.wait_for("started");
        }
        thread::sleep(random_below(Duration::from_millis(1800)));
        reporting.signal(Signal::KILL);
        drop(reporting);
        check(&state, &mut identity);
    }
    faults.clear();
    let mut reporting =
        Reporting::spawn(&mut command_of(&product, "1s", url, &state, &["--verbose"], SCRIPT));
    for _ in 0..2 {
        reporting.wait_for("report=usage attempts=");
    }
    assert_eq!(reporting.stop().code, Some(0));
    check(&state, &mut identity);
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

fn random_below(limit: Duration) -> Duration {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    limit * (u32::from_le_bytes(bytes) >> 16) / (1 << 16)
}
