//! A customer who wants to be forgotten (W57), over every backend.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use usage_server::{Selection, Server, Store};

use crate::cases::{TARGET, count};
use crate::client::{Client, FORGET, Request, post};
use crate::target::Target;

const ADDRESS: &str = "/api/v1/forget/influxdb";
const ID: &str = "0123456789abcdef0123456789abcdef";

fn usage(cluster_id: &str, server_id: &str) -> String {
    format!(
        r#"[{{"tags":{{"cluster_id":"{cluster_id}"}},"values":{{"server_id":"{server_id}"}}}}]"#
    )
}

fn forget(server: &Server, token: Option<&usage_proto::Token>) -> String {
    let request = Request::post(ADDRESS, FORGET);
    let request = match token {
        Some(token) => request.token(token.expose()),
        None => request,
    };
    let answer = request.send(server);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn organisations(store: &Store) -> Vec<Option<String>> {
    let rows = store.reports(Selection::new()).read_all().unwrap();
    rows.into_iter().map(|row| row.organisation).collect()
}

pub(crate) fn a_server_is_forgotten_by_its_own_organisation(target: &Target) {
    let server = target.start();
    let store = target.beside(&server);
    let own = server.create_token("Example Inc.").unwrap();
    let other = server.create_token("Other").unwrap();
    let gone = server.create_token("Gone").unwrap();
    for token in [Some(&own), Some(&other), Some(&gone), None] {
        for (cluster, id) in [("clus1", ID), ("clus2", ID), ("clus1", "serv2")] {
            let report = Request::post(TARGET, usage(cluster, id));
            let report = match token {
                Some(token) => report.token(token.expose()),
                None => report,
            };
            assert_eq!(report.send(&server).status, 201);
        }
    }
    store.remove_organisation("Gone").unwrap();
    // The cluster's name among other ids; the server in a second item.
    let stats = format!(r#"{{"cluster_id":"clus1","server_id":"{ID}","stats":[{{"name":"n"}}]}}"#);
    post(&server, "/api/v1/stats/influxdb", stats);
    let registered = format!(
        r#"{{"cluster_id":"clus1","server_id":"{ID}","host":"h","product":"influxdb","version":"1"}}"#
    );
    post(&server, "/api/v1/servers", registered);
    let second = usage("clus1", ID).replace('[', r#"[{"tags":{"server_id":"x"}},"#);
    post(&server, TARGET, second);
    post(&server, "/api/v1/usage/other", usage("clus1", ID));
    assert_eq!(count(&store), 16);

    assert_eq!(forget(&server, None), r#"{"reports":4}"#);
    assert_eq!(forget(&server, None), r#"{"reports":0}"#);
    assert_eq!(forget(&server, Some(&own)), r#"{"reports":1}"#);
    assert_eq!(forget(&server, Some(&own)), r#"{"reports":0}"#);
    let left = organisations(&store);
    let of = |name: Option<&str>| left.iter().filter(|it| it.as_deref() == name).count();
    assert_eq!((of(Some("Example Inc.")), of(Some("Other"))), (2, 3));
    // Three of the organisation that was removed, two without a token, one of another product.
    assert_eq!((of(None), left.len()), (6, 11));
}

/// Reports that come all the while are answered, and those of others are all there in the end.
pub(crate) fn others_report_while_a_server_is_forgotten(target: &Target) {
    let server = target.start();
    let mut client = Client::connect(&server);
    for number in 0..250 {
        let report = Request::post(TARGET, usage("clus1", ID)).key(&format!("key{number}"));
        assert_eq!(client.send(&report).status, 201);
    }
    let done = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let reporting = scope.spawn(|| {
            let mut client = Client::connect(&server);
            let mut sent = 0;
            while !done.load(Ordering::SeqCst) {
                let report = Request::post(TARGET, usage("clus1", "serv2"));
                assert_eq!(client.send(&report).status, 201);
                sent += 1;
            }
            sent
        });
        // Two at once are as good as one after the other.
        let asking = [(); 2].map(|()| scope.spawn(|| forget(&server, None)));
        let mut answers = asking.map(|asking| asking.join().unwrap());
        answers.sort();
        assert_eq!(answers, [r#"{"reports":0}"#, r#"{"reports":250}"#]);
        done.store(true, Ordering::SeqCst);
        reporting.join().unwrap()
    });
    assert_eq!(count(server.store()), sent);
    // Its key is not known any more.
    let again = Request::post("/api/v1/usage/other", "[]").key("key7").send(&server);
    assert_eq!(again.status, 201);
}

/// Whatever JSON can say is an id.
pub(crate) fn a_server_of_any_name_is_forgotten(target: &Target) {
    let server = target.start();
    let id = r"s\u0000'\u202e\\ and more than a few";
    let token = server.create_token("Example Inc.").unwrap();
    let send = |target: &str, body: String| {
        Request::post(target, body).token(token.expose()).send(&server)
    };
    send(TARGET, usage("c\\u0000", id));
    let ask = format!(r#"{{"cluster_id":"c\u0000","server_id":"{id}"}}"#);
    assert_eq!(send(ADDRESS, ask).body, r#"{"reports":1}"#);
    assert_eq!(count(server.store()), 0);
}
