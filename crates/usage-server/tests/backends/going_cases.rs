//! What goes: erased, or pruned.

use std::time::{Duration, SystemTime};

use usage_server::{Erasure, Server, StoreError};

use crate::cases::{TARGET, count, status};
use crate::client::{Client, Request, SERVER, STATS, post, wait_until};
use crate::target::Target;

pub(crate) fn an_instance_is_erased(target: &Target) {
    let server = target.start();
    let bodies = [
        r#"[{"tags":{"server_id":"serv1"},"values":{}}]"#,
        r#"[{"tags":{},"values":{"server_id":"serv1","cluster_id":"c"}}]"#,
        r#"[{"tags":{},"values":{"server_id":"x"}},{"tags":{},"values":{"server_id":"serv1"}}]"#,
        r#"[{"tags":{},"values":{"server_id":"serv2"}}]"#,
    ];
    for (number, body) in bodies.iter().enumerate() {
        let request = Request::post(TARGET, body).key(&format!("key{number}"));
        assert_eq!(request.send(&server).status, 201);
    }
    post(&server, "/api/v1/servers", SERVER);
    post(&server, "/api/v1/stats/influxdb", STATS);
    let store = target.beside(&server);
    let serv1 = Erasure::Instance("serv1".to_owned());
    assert_eq!(store.count_erasure(&serv1).unwrap().reports, 5);
    assert_eq!(store.erase(&serv1).unwrap().reports, 5);
    assert_eq!(store.erase(&serv1).unwrap().reports, 0);
    assert_eq!(count(&store), 1);
    post(&server, "/api/v1/servers", SERVER);
    assert_eq!(store.erase(&Erasure::Instance("clus1".to_owned())).unwrap().reports, 1);
    let later = SystemTime::now() + Duration::from_secs(60);
    assert_eq!(store.erase(&Erasure::Before(later)).unwrap().reports, 1);
    assert_eq!(count(&store), 0);
}

pub(crate) fn an_organisation_is_erased(target: &Target) {
    let server = target.start();
    let store = target.beside(&server);
    let token = server.create_token("Example Inc.").unwrap();
    let other = server.create_token("Other").unwrap();
    for number in 0..130 {
        let request = Request::post(TARGET, "[]").key(&format!("key{number}"));
        assert_eq!(request.clone().token(token.expose()).send(&server).status, 201);
    }
    assert_eq!(status(&server, &other), 201);
    let organisation = Erasure::Organisation("Example Inc.".to_owned());
    let counted = store.count_erasure(&organisation).unwrap();
    assert_eq!((counted.reports, counted.tokens), (130, 1));
    assert_eq!(store.erase(&organisation).unwrap(), counted);
    wait_until("the token is refused", || status(&server, &token) != 201);
    assert_eq!(count(&store), 1);
    assert_eq!(store.tokens().unwrap().len(), 1);
    assert!(matches!(store.erase(&organisation), Err(StoreError::NoOrganisation { .. })));
}

/// Stores reports with keys, and makes all reports look old.
pub(crate) fn aged(target: &Target, time: &str) -> Server {
    let server = target.start();
    let mut client = Client::connect(&server);
    for number in 0..150 {
        let request = Request::post(TARGET, "[]").key(&format!("key{number}"));
        assert_eq!(client.send(&request).status, 201);
    }
    post(&server, "/api/v1/servers", SERVER);
    target.date(&server, time, "true");
    server
}

pub(crate) fn days_ago(days: u64) -> String {
    let time = SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60 + 60);
    humantime::format_rfc3339_millis(time).to_string()
}

pub(crate) fn pruned(target: &Target, server: &Server, retention: &str) -> Server {
    let pruning = target.second(server, |config| config.retention(retention.parse().unwrap()));
    wait_until("all is pruned", || pruning.store().metrics().pruned_at > 0);
    pruning
}

pub(crate) fn what_is_old_is_pruned_and_its_key_is_not(target: &Target) {
    let server = aged(target, &days_ago(13));
    pruned(target, &server, "usage=14d,servers=14d").shutdown().unwrap();
    assert_eq!(count(server.store()), 151);
    let pruning = pruned(target, &server, "usage=7d");
    assert_eq!(pruning.store().metrics().pruned, 150);
    assert_eq!(server.store().servers().count(), 1);
    assert_eq!(count(server.store()), 1);
    for (address, status) in [(TARGET, 201), ("/api/v1/usage/other", 422)] {
        assert_eq!(Request::post(address, "[]").key("key7").send(&server).status, status);
    }
    assert_eq!(count(server.store()), 1);
}

pub(crate) fn keys_are_forgotten_in_time(target: &Target) {
    let server = aged(target, &days_ago(20));
    let again = |key: &str| Request::post(TARGET, "[]").key(key).send(&server).status;
    // The key goes, and its report stays.
    pruned(target, &server, "keys=19d").shutdown().unwrap();
    assert_eq!((again("key149"), count(server.store())), (201, 152));
    // The report goes, and its key stays as long as it is said.
    target.date(&server, &days_ago(20), "true");
    pruned(target, &server, "usage=1d,keys=30d").shutdown().unwrap();
    assert_eq!((again("key149"), count(server.store())), (201, 1));
}

pub(crate) fn one_server_has_the_upkeep(target: &Target) {
    let server = aged(target, &days_ago(20));
    let one = pruned(target, &server, "usage=30d");
    let other = target.second(&server, |config| config.retention("usage=1d".parse().unwrap()));
    assert_eq!(post(&other, TARGET, "[]").status, 201);
    assert_eq!(other.store().metrics().pruned_at, 0);
    assert_eq!(count(other.store()), 152);
    one.shutdown().unwrap();
    drop(other);
    // Who has it leaves it to the next.
    pruned(target, &server, "usage=1d");
    assert_eq!(server.store().usage().count(), 1);
}
