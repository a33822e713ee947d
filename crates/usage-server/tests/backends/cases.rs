//! What every backend has to do.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use usage_proto::{Payload, Token};
use usage_server::{Erasure, Kind, Selection, Server, Store, StoreError, TokenChoice};

use crate::Case;
use crate::client::{Client, Request, SERVER, STATS, USAGE, post, wait_until};
use crate::going_cases::days_ago;
use crate::target::Target;
use crate::{counting_cases, forget_cases, going_cases, moving_cases, naming_cases};

pub(crate) const ALL: &[Case] = &[
    ("what_comes_is_what_is_read", what_comes_is_what_is_read),
    ("a_report_comes_once_by_its_key", a_report_comes_once_by_its_key),
    ("a_key_in_one_batch_is_a_key", a_key_in_one_batch_is_a_key),
    ("a_report_belongs_to_its_token", a_report_belongs_to_its_token),
    ("a_revoked_token_is_refused_by_all", a_revoked_token_is_refused_by_all),
    ("a_token_is_replaced", a_token_is_replaced),
    ("an_organisation_is_removed", an_organisation_is_removed),
    ("pages_have_an_end", pages_have_an_end),
    ("an_export_that_goes_on_loses_nothing", an_export_that_goes_on_loses_nothing),
    ("an_instance_is_erased", going_cases::an_instance_is_erased),
    (
        "a_server_is_forgotten_by_its_own_organisation",
        forget_cases::a_server_is_forgotten_by_its_own_organisation,
    ),
    (
        "others_report_while_a_server_is_forgotten",
        forget_cases::others_report_while_a_server_is_forgotten,
    ),
    ("a_server_of_any_name_is_forgotten", forget_cases::a_server_of_any_name_is_forgotten),
    ("an_organisation_is_erased", going_cases::an_organisation_is_erased),
    (
        "what_is_old_is_pruned_and_its_key_is_not",
        going_cases::what_is_old_is_pruned_and_its_key_is_not,
    ),
    ("keys_are_forgotten_in_time", going_cases::keys_are_forgotten_in_time),
    ("one_server_has_the_upkeep", going_cases::one_server_has_the_upkeep),
    ("installations_are_counted", installations_are_counted),
    ("reports_are_counted_by_kind", counting_cases::reports_are_counted_by_kind),
    ("what_goes_is_counted_off", counting_cases::what_goes_is_counted_off),
    ("refusals_are_kept_by_day", counting_cases::refusals_are_kept_by_day),
    (
        "a_time_loses_nothing_however_positions_stand",
        counting_cases::a_time_loses_nothing_however_positions_stand,
    ),
    ("any_text_is_taken", any_text_is_taken),
    ("the_longest_names_are_taken", naming_cases::the_longest_names_are_taken),
    ("it_is_there_after_a_restart", it_is_there_after_a_restart),
    ("all_of_it_moves_to_another_database", moving_cases::all_of_it_moves_to_another_database),
    ("a_move_gives_no_position_again", moving_cases::a_move_gives_no_position_again),
];

pub(crate) const TARGET: &str = "/api/v1/usage/influxdb";

pub(crate) fn status(server: &Server, token: &Token) -> u16 {
    Request::post(TARGET, USAGE).token(token.expose()).send(server).status
}

pub(crate) fn count(store: &Store) -> usize {
    store.reports(Selection::new()).read_all().unwrap().len()
}

fn what_comes_is_what_is_read(target: &Target) {
    let server = target.start();
    assert_eq!(post(&server, "/api/v1/servers", SERVER).status, 201);
    assert_eq!(post(&server, "/api/v1/stats/influxdb", STATS).status, 200);
    assert_eq!(post(&server, TARGET, USAGE).status, 201);
    assert_eq!(crate::client::get(&server, "/readyz").status, 200);
    let store = server.store();
    let rows = store.reports(Selection::new()).read_all().unwrap();
    assert!(matches!(
        [&rows[0].report, &rows[1].report, &rows[2].report],
        [Payload::Server(_), Payload::Stats(_), Payload::Usage(_)]
    ));
    assert!(rows.windows(2).all(|two| two[0].position < two[1].position));
    let time = rows[0].received_at.as_bytes();
    assert!(time.len() == 24 && time[10] == b'T' && time[23] == b'Z', "{}", rows[0].received_at);
    let instances: Vec<_> = rows.iter().map(|row| row.instance.as_deref()).collect();
    assert_eq!(instances, [Some("serv1"), Some("serv1"), None]);
    assert_eq!(store.servers().read_all().unwrap()[0].report.host, "example.com");
    assert_eq!(store.stats().read_all().unwrap()[0].report.data[0].name, "engine");
    let usage = &store.usage().read_all().unwrap()[0].report;
    assert_eq!(usage.data[0].tags.get("os"), Some("linux"));
    assert_eq!(store.reports(Selection::new().product("other")).count(), 0);
    assert_eq!(store.reports(Selection::new().kind(Kind::Stats)).count(), 1);
    let time = humantime::parse_rfc3339(&rows[2].received_at).unwrap();
    assert_eq!(store.reports(Selection::new().since(time + Duration::from_secs(60))).count(), 0);
    assert_eq!(store.reports(Selection::new().since(time - Duration::from_secs(60))).count(), 3);
    assert_eq!(store.metrics().stored, 3);
}

fn a_report_comes_once_by_its_key(target: &Target) {
    let server = target.start();
    let other = target.second(&server, |config| config);
    let send = |server: &Server, address: &str, key: &str| {
        Request::post(address, USAGE).key(key).send(server).status
    };
    for server in [&server, &other, &server] {
        assert_eq!(send(server, TARGET, "one"), 201);
    }
    assert_eq!(send(&other, "/api/v1/usage/other", "one"), 422);
    assert_eq!(send(&other, TARGET, "two"), 201);
    // One that is wrong is answered by what its key says.
    let wrong = Request::post(TARGET, "{").key("one").send(&other).status;
    assert_eq!(wrong, 201);
    let token = server.create_token("Example Inc.").unwrap();
    let own = Request::post(TARGET, USAGE).key("one").token(token.expose());
    assert_eq!(own.send(&server).status, 201);
    assert_eq!(count(server.store()), 3);
}

/// Many at once: whichever is first, it is one.
fn a_key_in_one_batch_is_a_key(target: &Target) {
    let server = target.start();
    thread::scope(|scope| {
        for number in 0..40 {
            let server = &server;
            scope.spawn(move || {
                let address = if number % 4 == 3 { "/api/v1/usage/other" } else { TARGET };
                let key = format!("key{}", number % 5);
                let status = Request::post(address, USAGE).key(&key).send(server).status;
                assert!(matches!(status, 201 | 422), "{status}");
            });
        }
    });
    assert_eq!(count(server.store()), 5);
}

fn a_report_belongs_to_its_token(target: &Target) {
    let server = target.start();
    let token = server.create_token("Example Inc.").unwrap();
    assert_eq!(status(&server, &token), 201);
    assert_eq!(status(&server, &token), 201);
    assert_eq!(status(&server, &Token::new("a-token-of-nobody").unwrap()), 401);
    let rows = server.store().usage().read_all().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row.organisation.as_deref()).collect();
    assert_eq!(names, [Some("Example Inc."); 2]);
    assert!(server.store().has_token("Example Inc.").unwrap());
    assert!(!server.store().has_token("Other").unwrap());
}

fn a_revoked_token_is_refused_by_all(target: &Target) {
    let server = target.start();
    let other = target.second(&server, |config| config);
    let beside = target.beside(&server);
    let [one, two] = ["A", "B"].map(|name| server.create_token(name).unwrap());
    for server in [&server, &other] {
        assert_eq!([&one, &two].map(|token| status(server, token)), [201; 2]);
    }
    let id = beside.token_id(&one).unwrap().unwrap();
    assert_eq!(beside.revoke_tokens(TokenChoice::Id(id)).unwrap(), 1);
    // They have it in memory, and see at the commit that it has ended.
    for server in [&server, &other] {
        assert_eq!(status(server, &one), 401);
        assert_eq!(status(server, &two), 201);
    }
    let listed = beside.tokens().unwrap();
    assert_eq!((listed[0].has_ended, listed[1].has_ended), (true, false));
    let nobody = TokenChoice::Organisation("Nobody".to_owned());
    assert!(matches!(beside.revoke_tokens(nobody), Err(StoreError::NoOrganisation { .. })));
    assert!(matches!(
        beside.revoke_tokens(TokenChoice::Id(99)),
        Err(StoreError::NoToken { id: 99, .. })
    ));
}

fn a_token_is_replaced(target: &Target) {
    let server = target.start();
    let store = server.store();
    let old = server.create_token("Example Inc.").unwrap();
    let id = store.token_id(&old).unwrap().unwrap();
    let new = store.rotate_token(id, Duration::from_secs(3600)).unwrap();
    assert_eq!([&old, &new].map(|token| status(&server, token)), [201; 2]);
    let listed = store.tokens().unwrap();
    assert_eq!(listed[0].organisation, listed[1].organisation);
    assert!(listed[0].ends_at > Some(listed[1].created_at.clone()) && !listed[0].has_ended);
    // What has ended is not replaced, and an end is not put off.
    let newest = store.rotate_token(listed[1].id, Duration::ZERO).unwrap();
    wait_until("it has ended", || status(&server, &new) == 401);
    assert_eq!([&old, &newest].map(|token| status(&server, token)), [201; 2]);
    let error = store.rotate_token(listed[1].id, Duration::ZERO).unwrap_err();
    assert!(matches!(error, StoreError::Ended { .. }), "{error:?}");
    store.rotate_token(id, Duration::from_secs(1_000_000)).unwrap();
    assert_eq!(store.tokens().unwrap()[0].ends_at, listed[0].ends_at);
    // For ever is longer than any calendar.
    let last = store.tokens().unwrap().pop().unwrap().id;
    store.rotate_token(last, Duration::MAX).unwrap();
    let listed = store.tokens().unwrap();
    let ends_at = listed.iter().find(|token| token.id == last).unwrap().ends_at.clone();
    assert!(ends_at.as_deref() > Some("2999"), "{ends_at:?}");
}

fn an_organisation_is_removed(target: &Target) {
    let server = target.start();
    let store = server.store();
    let token = server.create_token("Example Inc.").unwrap();
    assert_eq!(status(&server, &token), 201);
    assert_eq!(store.remove_organisation("Example Inc.").unwrap(), 1);
    assert_eq!(status(&server, &token), 401);
    let rows = store.usage().read_all().unwrap();
    assert_eq!((rows.len(), rows[0].organisation.as_deref()), (1, None));
    assert_eq!(store.tokens().unwrap(), []);
    assert!(store.remove_organisation("Example Inc.").is_err());
}

/// Pages end by rows and by bytes, and nothing is lost between them.
fn pages_have_an_end(target: &Target) {
    let server = target.start();
    let mut client = Client::connect(&server);
    let large = format!(r#"[{{"tags":{{}},"values":{{"a":"{}"}}}}]"#, "x".repeat(600_000));
    for number in 0..1205 {
        let body = if number % 240 == 0 { &large } else { "[]" };
        client.write(Request::post(TARGET, body).to_bytes());
        if number % 50 == 49 {
            (0..50).for_each(|_| assert_eq!(client.answer().status, 201));
        }
    }
    (0..5).for_each(|_| assert_eq!(client.answer().status, 201));
    let positions: Vec<_> = server.store().usage().map(|row| row.unwrap().position).collect();
    assert_eq!(positions.len(), 1205);
    assert!(positions.windows(2).all(|two| two[0] < two[1]));
}

/// Two servers store, and somebody exports all the while: each report comes once.
fn an_export_that_goes_on_loses_nothing(target: &Target) {
    let server = target.start();
    let other = target.second(&server, |config| config);
    let (done, reader) = (AtomicBool::new(false), target.beside(&server));
    let seen = thread::scope(|scope| {
        let export = scope.spawn(|| {
            let (mut seen, mut last) = (Vec::new(), 0);
            loop {
                // Asked before the last look.
                let was_done = done.load(Ordering::SeqCst);
                for row in reader.reports(Selection::new().after(last)) {
                    last = row.unwrap().position;
                    seen.push(last);
                }
                if was_done {
                    return seen;
                }
            }
        });
        let clients: Vec<_> = (0..8)
            .map(|number| {
                let server = if number % 2 == 0 { &server } else { &other };
                scope.spawn(move || {
                    let mut client = Client::connect(server);
                    for _ in 0..50 {
                        assert_eq!(client.send(&Request::post(TARGET, USAGE)).status, 201);
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        export.join().unwrap()
    });
    assert_eq!(seen.len(), 400);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 400);
    assert!(seen.windows(2).all(|two| two[0] < two[1]));
}

fn installations_are_counted(target: &Target) {
    let server = target.start();
    for (id, version) in [("a", "1"), ("b", "1"), ("a", "2")] {
        let body = format!(
            r#"[{{"tags":{{"version":"{version}"}},"values":{{"server_id":"{id}","os":"linux"}}}}]"#
        );
        post(&server, TARGET, body);
    }
    target.date(&server, &days_ago(3), "instance = 'b'");
    post(&server, TARGET, r#"[{"tags":{},"values":{"server_id":"b"}}]"#);
    post(&server, TARGET, "[]");
    let since = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
    let summary = server.store().summary(since, Some("influxdb")).unwrap().remove(0);
    assert_eq!((summary.active, summary.new, summary.without_id), (2, 1, 1));
    assert_eq!(summary.reports.get(&Kind::Usage), Some(&4));
    assert_eq!(summary.versions.top, [("2".to_owned(), 1)]);
    assert_eq!(summary.versions.unknown, 1);
    assert_eq!(server.store().summary(since, Some("other")).unwrap(), []);
}

/// Whatever JSON can say is no reason to refuse a report.
fn any_text_is_taken(target: &Target) {
    let server = target.start();
    let body = SERVER.replace("serv1", "s\\u0000\\u202e'\\\"é").replace("influxdb", "a\\u0000b");
    assert_eq!(post(&server, "/api/v1/servers", body).status, 201);
    assert_eq!(
        post(&server, "/api/v1/usage/a%00b", r#"[{"tags":{"a\u0000":"\u0000"}}]"#).status,
        201
    );
    let rows = server.store().reports(Selection::new()).read_all().unwrap();
    assert_eq!(rows.len(), 2);
    let Payload::Usage(usage) = &rows[1].report else { panic!("{:?}", rows[1]) };
    assert_eq!(usage.data[0].tags.get("a\0"), Some("\0"));
    assert_eq!(server.store().reports(Selection::new().product("a\0b")).count(), 2);
    let erasure = Erasure::Instance("s\0\u{202e}'\"é".to_owned());
    assert_eq!(server.store().erase(&erasure).unwrap().reports, 1);
}

fn it_is_there_after_a_restart(target: &Target) {
    let server = target.start();
    let token = server.create_token("Example Inc.").unwrap();
    assert_eq!(status(&server, &token), 201);
    let again = target.second(&server, |config| config);
    // A temporary database is there as long as its first store.
    let store = server.store().clone();
    server.shutdown().unwrap();
    drop(store.tokens().unwrap());
    assert_eq!(status(&again, &token), 201);
    let positions: Vec<_> = again.store().usage().map(|row| row.unwrap().position).collect();
    assert!(positions.len() == 2 && positions[0] < positions[1], "{positions:?}");
}
