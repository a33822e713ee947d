//! What is counted, and what is found by its time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use usage_server::{Config, Database, Erasure, Kind, Selection, Server, Store};

use crate::cases::TARGET;
use crate::client::{Client, Request, SERVER, STATS, USAGE, post, start_with, wait_until};
use crate::going_cases::{days_ago, pruned};
use crate::target::Target;

/// The value of a series that a server tells.
fn metric<T: FromStr<Err: Debug>>(server: &Server, series: &str) -> Option<T> {
    let text = server.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

/// A server that begins now counts what is there.
fn counted(server: &Server) -> [u64; 3] {
    let reports = |kind: Kind| metric(server, &format!("usage_reports{{kind=\"{kind}\"}}"));
    wait_until("it has counted", || reports(Kind::Usage).is_some());
    Kind::ALL.map(|kind| reports(kind).unwrap())
}

fn oldest(server: &Server, kind: Kind) -> Option<f64> {
    metric(server, &format!("usage_oldest_report_timestamp_seconds{{kind=\"{kind}\"}}"))
}

fn near(seconds: Option<f64>, time: SystemTime) {
    let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(seconds.is_some_and(|seconds| (seconds - time).abs() < 120.0), "{seconds:?} {time}");
}

pub(crate) fn reports_are_counted_by_kind(target: &Target) {
    let server = target.start();
    // Whatever comes after the first count is counted by the next, and nothing twice.
    assert_eq!(counted(&server), [0; 3]);
    post(&server, "/api/v1/servers", SERVER);
    let second = target.second(&server, |config| config);
    assert_eq!(counted(&second), [1, 0, 0]);
    assert_eq!(oldest(&second, Kind::Usage), None);
    for _ in 0..3 {
        post(&server, TARGET, USAGE);
    }
    post(&server, "/api/v1/usage/other", USAGE);
    post(&server, "/api/v1/stats/influxdb", STATS);
    target.date(&server, &days_ago(3), "product = 'other'");
    let third = target.second(&server, |config| config);
    assert_eq!(counted(&third), [1, 1, 4]);
    near(oldest(&third, Kind::Server), SystemTime::now());
    near(oldest(&third, Kind::Usage), SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60));
    assert!(metric::<u64>(&third, "usage_database_bytes").unwrap() > 4096);
}

/// Counted or not, by pruning, by an erasure, and by the end of an organisation.
pub(crate) fn what_goes_is_counted_off(target: &Target) {
    let server = target.start();
    let mut client = Client::connect(&server);
    let store = |client: &mut Client, count: usize, product: &str, id: &str| {
        for _ in 0..count {
            let body = format!(r#"[{{"tags":{{}},"values":{{"server_id":"{id}"}}}}]"#);
            let request = Request::post(&format!("/api/v1/usage/{product}"), body);
            assert_eq!(client.send(&request).status, 201);
        }
    };
    let token = server.create_token("Example Inc.").unwrap();
    store(&mut client, 120, "old", "a");
    store(&mut client, 20, "influxdb", "b");
    for _ in 0..10 {
        let request = Request::post(TARGET, USAGE).token(token.expose());
        assert_eq!(client.send(&request).status, 201);
    }
    post(&server, "/api/v1/servers", SERVER);
    assert_eq!(counted(&target.second(&server, |config| config)), [1, 0, 150]);
    // Of what goes now, 3 were not counted.
    store(&mut client, 3, "influxdb", "b");
    let erased = server.store().erase(&Erasure::Instance("b".to_owned())).unwrap();
    assert_eq!(erased.reports, 23);
    target.date(&server, &days_ago(3), "product = 'old'");
    let pruning = pruned(target, &server, "usage=2d");
    assert_eq!(metric(&pruning, r#"usage_pruned_total{kind="usage"}"#), Some(120));
    assert_eq!(metric(&pruning, r#"usage_pruned_total{kind="stats"}"#), Some(0));
    assert_eq!(metric(&pruning, "usage_pruning_behind"), Some(0));
    pruning.shutdown().unwrap();
    server.store().erase(&Erasure::Organisation("Example Inc.".to_owned())).unwrap();
    store(&mut client, 2, "influxdb", "c");
    let last = target.second(&server, |config| config);
    assert_eq!(counted(&last), [1, 0, 2]);
    // Whichever server it was.
    near(metric(&last, "usage_last_prune_timestamp_seconds"), SystemTime::now());

    // What is moved in is counted there, although all that was there has gone.
    let directory = tempfile::tempdir().unwrap();
    let database = Database::file(directory.path().join("usage.db"));
    let there = Store::open(&database).unwrap();
    target.beside(&server).move_to(&there).unwrap();
    assert_eq!(counted(&start_with(Config::new(database.clone()))), [1, 0, 2]);
    there.erase(&Erasure::Instance("c".to_owned())).unwrap();
    target.beside(&server).move_to(&there).unwrap();
    assert_eq!(counted(&start_with(Config::new(database))), [1, 0, 2]);
}

pub(crate) fn refusals_are_kept_by_day(target: &Target) {
    let server = target.start();
    let other = target.second(&server, |config| config);
    let refuse = |server: &Server| {
        let unknown = Request::post(TARGET, USAGE).token("a-token-of-nobody");
        assert_eq!(unknown.send(server).status, 401);
        assert_eq!(post(server, TARGET, "[").status, 422);
        assert_eq!(post(server, TARGET, "[").status, 422);
    };
    let [today, tomorrow] =
        [0, 1].map(|days| SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60));
    let expected = |count: u64| {
        BTreeMap::from([("body".to_owned(), 2 * count), ("unknown_token".to_owned(), count)])
    };
    refuse(&server);
    assert_eq!(server.store().refusals(today).unwrap(), expected(1));
    refuse(&other);
    refuse(&server);
    // A server that stops leaves nothing behind.
    other.shutdown().unwrap();
    assert_eq!(server.store().refusals(today).unwrap(), expected(3));
    assert_eq!(server.store().refusals(tomorrow).unwrap(), BTreeMap::new());
    target.sql(&server, "UPDATE refusal SET day = '2020-02-29' WHERE reason = 'body'");
    let since = |text: &str| {
        server
            .store()
            .refusals(humantime::parse_rfc3339(text).unwrap())
            .unwrap()
            .contains_key("body")
    };
    assert!(since("2020-02-29T23:00:00Z"));
    assert!(!since("2020-03-01T00:00:00Z"));
}

/// A clock was set back, or another database was moved in: a report that stands first came last.
pub(crate) fn a_time_loses_nothing_however_positions_stand(target: &Target) {
    for many in [0, 50_001_i64] {
        let server = target.start();
        if many > 0 {
            target.fill(&server, many);
        }
        is_found_by_its_time(target, &server, many);
        target.sql(&server, "DELETE FROM report");
    }
}

/// `many` are old and stand in front.
fn is_found_by_its_time(target: &Target, server: &Server, many: i64) {
    for number in 0..12 {
        let product = if number % 2 == 0 { "influxdb" } else { "other" };
        post(server, &format!("/api/v1/usage/{product}"), "[]");
    }
    post(server, "/api/v1/servers", SERVER);
    let last = Selection::new().after(many);
    let all = server.store().reports(last).read_all().unwrap();
    let positions: Vec<_> = all.iter().map(|row| row.position).collect();
    // The days ago, by position: in no order.
    let days = [9, 9, 2, 9, 9, 9, 1, 9, 3, 9, 2, 1, 9];
    for (position, days) in positions.iter().zip(days) {
        target.date(server, &days_ago(days), &format!("id = {position}"));
    }
    let since = |days: u64| {
        let ago = Duration::from_secs(days * 24 * 60 * 60 + 3600);
        Selection::new().since(SystemTime::now() - ago)
    };
    let places = |selection: Selection| -> Vec<usize> {
        let rows = server.store().reports(selection).read_all().unwrap();
        let place = |position| positions.iter().position(|one| *one == position).unwrap();
        rows.into_iter().map(|row| place(row.position)).collect()
    };
    // The oldest of these stands behind two that came later.
    assert_eq!(places(since(3)), [2, 6, 8, 10, 11]);
    assert_eq!(places(since(2)), [2, 6, 10, 11]);
    assert_eq!(places(since(1)), [6, 11]);
    assert_eq!(places(since(0)), [0; 0]);
    assert_eq!(places(since(9)).len(), 13);
    assert_eq!(places(since(2).product("other")), [11]);
    assert_eq!(places(since(2).product("influxdb").kind(Kind::Usage)), [2, 6, 10]);
    assert_eq!(places(since(9).kind(Kind::Server)), [12]);
    assert_eq!(places(since(2).after(positions[6])), [10, 11]);
    assert_eq!(places(since(2).product("nobody's")), [0; 0]);
}
