//! What is asked of `PostgreSQL` alone: many servers, and a database that goes and comes.

use std::sync::mpsc::channel;
use std::thread;

use tokio_postgres::NoTls;
use usage_server::{Database, Selection, ServerEvent, Store, StoreError};

use crate::Case;
use crate::client::{PATIENCE, Request, USAGE, get, post, start_with, wait_until};
use crate::moving_cases::{fill_to_move, goes_on, is_moved};
use crate::naming_cases::letters;
use crate::target::{Backend, Target};

pub(crate) const ALL: &[Case] = &[
    ("positions_are_given_in_the_order_of_commits", positions_are_given_in_the_order_of_commits),
    ("many_servers_make_the_tables_at_once", many_servers_make_the_tables_at_once),
    ("a_newer_schema_is_refused", a_newer_schema_is_refused),
    ("a_database_goes_and_comes_back", a_database_goes_and_comes_back),
    ("a_password_is_not_told", a_password_is_not_told),
    ("what_is_not_durable_is_refused", what_is_not_durable_is_refused),
    ("a_file_moves_into_it", a_file_moves_into_it),
    (
        "a_file_with_names_of_any_length_moves_into_it",
        a_file_with_names_of_any_length_moves_into_it,
    ),
];

const TARGET: &str = "/api/v1/usage/influxdb";

/// Somebody has taken a position and does not commit: who comes later gets no position before that, so
/// that an export never sees the later one without the earlier one.
fn positions_are_given_in_the_order_of_commits(target: &Target) {
    let (cluster, name) = target.postgres();
    let server = target.start();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = runtime.block_on(async {
        let address = cluster.address(name, false);
        let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
            .batch_execute(
                "BEGIN;
                 UPDATE last_position SET position = position + 1;
                 INSERT INTO report (id, received_at, kind, product, data)
                 SELECT position, now(), 'usage', 'first', '[]' FROM last_position;",
            )
            .await
            .unwrap();
        client
    });
    let store = target.beside(&server);
    thread::scope(|scope| {
        let second = scope.spawn(|| post(&server, "/api/v1/usage/second", USAGE).status);
        wait_until("the second waits for the first", || {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND datname = current_database()";
            cluster.sql(name, waiting) == "1"
        });
        assert_eq!(store.reports(Selection::new()).count(), 0);
        runtime.block_on(first.batch_execute("COMMIT")).unwrap();
        assert_eq!(second.join().unwrap(), 201);
    });
    let rows = store.usage().read_all().unwrap();
    let products: Vec<_> = rows.iter().map(|row| row.report.product.as_str()).collect();
    assert_eq!(products, ["first", "second"]);
}

fn many_servers_make_the_tables_at_once(target: &Target) {
    let (cluster, name) = target.postgres();
    let database = Database::postgres(&cluster.address(name, false)).unwrap();
    thread::scope(|scope| {
        let stores: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&database))).collect();
        for store in stores {
            store.join().unwrap().unwrap();
        }
    });
    assert_eq!(cluster.sql(name, "SELECT version FROM usage_schema"), "2");
}

fn a_newer_schema_is_refused(target: &Target) {
    let (cluster, name) = target.postgres();
    drop(target.start());
    cluster.sql(name, "UPDATE usage_schema SET version = 99");
    let database = Database::postgres(&cluster.address(name, false)).unwrap();
    let error = Store::open(&database).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
}

/// Reports are refused so that they come again, nothing that was acknowledged is lost, and no restart
/// is needed.
fn a_database_goes_and_comes_back(target: &Target) {
    let (cluster, _) = target.postgres();
    let (events, told) = channel();
    let config = target.config().on_event(move |event| drop(events.send(event.clone())));
    let server = start_with(config);
    let token = server.create_token("Example Inc.").unwrap();
    let send = || Request::post(TARGET, USAGE).token(token.expose()).send(&server);
    assert_eq!(send().status, 201);
    cluster.stop();
    for _ in 0..3 {
        let answer = send();
        assert_eq!((answer.status, answer.header("retry-after")), (500, Some("5")), "{answer:?}");
    }
    // An orchestrator that starts servers again would not bring it back.
    assert_eq!(["/healthz", "/readyz"].map(|path| get(&server, path).status), [200, 503]);
    let event = told.recv_timeout(PATIENCE).unwrap();
    let gone = matches!(event, ServerEvent::DatabaseGone(StoreError::Unreachable { .. }));
    assert!(gone, "{event:?}");
    cluster.resume();
    wait_until("reports are taken again", || send().status == 201);
    let event = told.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(event, ServerEvent::DatabaseBack { .. }), "{event:?}");
    assert_eq!(server.store().usage().read_all().unwrap().len(), 2);
}

fn a_password_is_not_told(target: &Target) {
    let (cluster, name) = target.postgres();
    let address = cluster.address(name, false).replace("&user=usage", "&user=nobody");
    let database = Database::postgres(&format!("{address}&password=hidden-word")).unwrap();
    let error = Store::open(&database).unwrap_err();
    let mut text = format!("{database:?} {error:?} {error}");
    if let Some(source) = std::error::Error::source(&error) {
        text = format!("{text} {source}");
    }
    assert!(matches!(error, StoreError::Connect { .. }), "{error:?}");
    assert!(text.contains("check that it runs") && !text.contains("directory"), "{text}");
    assert!(text.contains("nobody") && !text.contains("hidden-word"), "{text}");
}

fn what_is_not_durable_is_refused(target: &Target) {
    let (cluster, name) = target.postgres();
    cluster.sql(name, &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    let database = Database::postgres(&cluster.address(name, false)).unwrap();
    let error = Store::open(&database).unwrap_err();
    let words = std::error::Error::source(&error).unwrap().to_string();
    assert!(words.contains("synchronous_commit"), "{words}");
}

fn a_file_moves_into_it(target: &Target) {
    let file = Backend::File.new_target().unwrap();
    let from = file.start();
    let token = fill_to_move(&file, &from);
    let to = target.start();
    // Another database's are not mixed with what is there.
    let foreign = Store::open(&Database::temporary()).unwrap();
    foreign.create_token("Mallory").unwrap();
    from.store().move_to(to.store()).unwrap();
    is_moved(from.store(), to.store());
    let error = foreign.move_to(to.store()).unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty { .. }), "{error:?}");
    let moved = from.store().move_to(to.store()).unwrap();
    assert_eq!((moved.reports, moved.before), (0, 1103));
    goes_on(&to, &token);
    // What was stored there is not in the file.
    let error = from.store().move_to(to.store()).unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty { .. }), "{error:?}");
}

/// A file may have names from when nobody said how long they may be.
fn a_file_with_names_of_any_length_moves_into_it(target: &Target) {
    let file = Backend::File.new_target().unwrap();
    let from = file.start();
    let token = from.create_token("Example Inc.").unwrap();
    for key in ["first", "second"] {
        let path = format!("/api/v1/usage/{key}");
        let report = Request::post(&path, USAGE).key(key).token(token.expose());
        assert_eq!(report.send(&from).status, 201);
    }
    let long = letters(4000);
    file.sql(&from, &format!("UPDATE product SET name = '{long}' || id"));
    file.sql(&from, &format!("UPDATE token SET organisation = '{long}'"));
    let to = target.start();
    for moved in [2, 0] {
        assert_eq!(from.store().move_to(to.store()).unwrap().reports, moved);
    }
    let there = to.store().usage().read_all().unwrap();
    let products: Vec<_> = there.iter().map(|row| row.report.product.as_str()).collect();
    assert!(products.iter().all(|name| name.starts_with(&letters(180))), "{products:?}");
    assert_ne!(products[0], products[1]);
    let organisation = to.store().tokens().unwrap().remove(0).organisation;
    assert_eq!(organisation.chars().count(), 254);
    assert_eq!(to.store().remove_organisation(&organisation).unwrap(), 1);
}
