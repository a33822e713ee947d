//! All of one database, in another.

use std::collections::BTreeSet;
use std::time::SystemTime;

use usage_proto::Token;
use usage_server::{Config, Database, Erasure, Selection, Server, Store, TokenChoice};

use crate::cases::{TARGET, status};
use crate::client::{Client, Request, SERVER, STATS, post, start_with};
use crate::going_cases::{days_ago, pruned};
use crate::target::Target;

/// To a file, where each report has its place, each token is what it was, and each key is known.
pub(crate) fn all_of_it_moves_to_another_database(target: &Target) {
    let server = target.start();
    let token = fill_to_move(target, &server);
    let from = target.beside(&server);
    let directory = tempfile::tempdir().unwrap();
    let database = Database::file(directory.path().join("usage.db"));
    let to = Store::open(&database).unwrap();
    let moved = from.move_to(&to).unwrap();
    assert_eq!((moved.reports, moved.before, moved.tokens), (1103, 0, 3));
    is_moved(&from, &to);
    // What comes later is moved later.
    assert_eq!(status(&server, &token), 201);
    let moved = from.move_to(&to).unwrap();
    assert_eq!((moved.reports, moved.before), (1, 1103));
    is_moved(&from, &to);
    let there = start_with(Config::new(database));
    goes_on(&there, &token);
}

pub(crate) fn a_move_gives_no_position_again(target: &Target) {
    let server = target.start();
    post(&server, TARGET, "[]");
    post(&server, TARGET, r#"[{"tags":{},"values":{"server_id":"forgotten"}}]"#);
    let erased = server.store().usage().last().unwrap().unwrap().position;
    server.store().erase(&Erasure::Instance("forgotten".to_owned())).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let database = Database::file(directory.path().join("usage.db"));
    target.beside(&server).move_to(&Store::open(&database).unwrap()).unwrap();
    let there = start_with(Config::new(database));
    assert_eq!(post(&there, TARGET, "[]").status, 201);
    assert!(there.store().usage().last().unwrap().unwrap().position > erased);
}

/// Some of everything; returns a token that counts.
pub(crate) fn fill_to_move(target: &Target, server: &Server) -> Token {
    let [token, ended, gone] =
        ["Example Inc.", "Ended", "Gone"].map(|name| server.create_token(name).unwrap());
    assert_eq!(status(server, &gone), 201);
    server.store().remove_organisation("Gone").unwrap();
    assert_eq!(status(server, &gone), 401);
    server.store().refusals(SystemTime::now()).unwrap();
    let id = server.store().token_id(&ended).unwrap().unwrap();
    server.store().revoke_tokens(TokenChoice::Id(id)).unwrap();
    let mut client = Client::connect(server);
    for number in 0..1100 {
        let body = format!(r#"[{{"tags":{{"server_id":"i{number}"}},"values":{{}}}}]"#);
        let request = Request::post(TARGET, body).key(&format!("key{number}"));
        client.write(request.token(token.expose()).to_bytes());
        if number % 50 == 49 {
            for _ in 0..50 {
                assert_eq!(client.answer().status, 201);
            }
        }
    }
    // One whose key outlives it, and one that was erased, from the end.
    let old = Request::post("/api/v1/usage/old", "[]").key("left");
    assert_eq!(old.send(server).status, 201);
    target.date(server, &days_ago(3), "product = 'old'");
    pruned(target, server, "usage=2d").shutdown().unwrap();
    post(server, "/api/v1/servers", SERVER);
    post(server, "/api/v1/stats/influxdb", STATS);
    post(server, TARGET, r#"[{"tags":{},"values":{"server_id":"forgotten"}}]"#);
    server.store().erase(&Erasure::Instance("forgotten".to_owned())).unwrap();
    token
}

pub(crate) fn is_moved(from: &Store, to: &Store) {
    let all = |store: &Store| store.reports(Selection::new()).read_all().unwrap();
    assert_eq!(all(from), all(to));
    assert_eq!(from.tokens().unwrap(), to.tokens().unwrap());
    let refused = from.refusals(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(refused.get("unknown_token"), Some(&1));
    assert_eq!(to.refusals(SystemTime::UNIX_EPOCH).unwrap(), refused);
}

pub(crate) fn goes_on(there: &Server, token: &Token) {
    let last = there.store().reports(Selection::new()).last().unwrap().unwrap().position;
    let count = || there.store().reports(Selection::new()).read_all().unwrap().len();
    let before = count();
    // Keys of what is there, and of what is not.
    let known = Request::post(TARGET, "[]").key("key7").token(token.expose());
    assert_eq!(known.send(there).status, 201);
    let left = Request::post("/api/v1/usage/old", "[]").key("left");
    assert_eq!(left.send(there).status, 201);
    assert_eq!(count(), before);
    assert_eq!(status(there, token), 201);
    let new = there.store().reports(Selection::new()).last().unwrap().unwrap().position;
    // A position that was given to what is erased is not given again.
    assert!(new > last, "{new} {last}");
    let serv1 = Erasure::Instance("clus1".to_owned());
    assert_eq!(there.store().count_erasure(&serv1).unwrap().reports, 2);
    there.create_token("Next").unwrap();
    let ids: BTreeSet<_> = there.store().tokens().unwrap().iter().map(|token| token.id).collect();
    assert_eq!(ids.len(), 3);
}
