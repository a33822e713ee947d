//! W42: no more than 64 calls of a client go on at once.

use std::sync::mpsc;
use std::thread;

use testkit::outcome::saved;
use testkit::samples::{CREATED, SHORT};
use testkit::scripted::{PATIENCE, ScriptedServer};

use crate::{client_within, save};

const AT_ONCE: usize = 64;

/// A server that answers a request when it is told to; every request is told.
fn held() -> (ScriptedServer, mpsc::Receiver<mpsc::Sender<()>>) {
    let (arrived, arrivals) = mpsc::channel();
    let server = ScriptedServer::run(move |mut connection| {
        while connection.request().is_some() {
            let (release, released) = mpsc::channel();
            if arrived.send(release).is_err() || released.recv().is_err() {
                return;
            }
            connection.send(CREATED);
        }
    });
    (server, arrivals)
}

#[test]
fn w42_the_65th_call_waits_for_one_to_end_within_its_deadline() {
    let (server, arrivals) = held();
    let patient = client_within(&server.url(), PATIENCE);
    // Clones share what there is.
    let held: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let client = patient.clone();
            thread::spawn(move || save(&client))
        })
        .collect();
    let releases: Vec<_> = (0..AT_ONCE).map(|_| arrivals.recv_timeout(PATIENCE).unwrap()).collect();

    let client = patient.clone();
    let waiting = thread::spawn(move || save(&client));
    // It is not among those that have arrived, and nothing tells when it has begun to wait.
    assert!(arrivals.recv_timeout(SHORT).is_err());
    releases[0].send(()).unwrap();
    arrivals.recv_timeout(PATIENCE).unwrap().send(()).unwrap();
    assert_eq!(waiting.join().unwrap(), saved(201, "{}"));
    for release in &releases[1..] {
        release.send(()).unwrap();
    }
    for call in held {
        assert_eq!(call.join().unwrap(), saved(201, "{}"));
    }
    assert_eq!(server.connections(), AT_ONCE);
}
