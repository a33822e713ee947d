//! A customer opts out and is forgotten: once, nothing else leaves, and what comes later is another
//! installation.

use std::fs;
use std::path::Path;
use std::time::Duration;

use testkit::scripted::{Nobody, Script, ScriptedServer};
use usage_client::{BaseUrl, ForgetOutcome, Reporting, StartError, StateFileError, UsageData};
use usage_server::Server;

use crate::{PATIENCE, api, product, wait_until};

fn off(there: &Server, folder: &Path) -> Reporting {
    product(there, folder).setting(Some(false))
}

/// Reports for a while, and stops; returns who it was.
fn report(there: &Server, reporting: Reporting) -> String {
    let servers = || there.store().servers().read_all().unwrap();
    let before = servers().len();
    let running = reporting.start(|| UsageData::new().value("num_keys", 3)).unwrap();
    wait_until("it is registered and has reported", || running.status().delivered >= 2);
    running.stop(PATIENCE);
    servers()[before].report.server_id.clone()
}

fn left(there: &Server) -> usize {
    there.store().reports(usage_server::Selection::new()).count()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn w57_a_customer_who_opts_out_is_forgotten_and_is_another_one_later() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let neighbour = tempfile::tempdir().unwrap();
    report(&there, product(&there, neighbour.path()));
    let others = left(&there);
    let first = report(&there, product(&there, folder.path()));
    assert!(left(&there) > others);
    assert!(folder.path().join("tinykv/usage.json.last").exists());

    let outcome = off(&there, folder.path()).forget_me(PATIENCE).unwrap();
    let ForgetOutcome::Forgotten { reports: Some(reports) } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(reports >= 2, "{reports}");
    assert_eq!(left(&there), others);
    let state = fs::read_to_string(folder.path().join("tinykv/usage.json")).unwrap();
    assert!(!state.contains(&first), "{state}");
    // The last report had the ids as well.
    let mut files = names(&folder.path().join("tinykv"));
    files.sort();
    assert_eq!(files, ["usage.json", "usage.json.lock"]);

    // Once: there is nothing to forget now, and nothing is sent.
    let silent = ScriptedServer::start([Script::new().hold()]);
    let elsewhere = BaseUrl::new(&silent.url()).unwrap();
    let again = off(&there, folder.path()).url(elsewhere);
    assert_eq!(again.forget_me(PATIENCE).unwrap(), ForgetOutcome::NothingToForget);
    assert_eq!(again.retry_forget_me(PATIENCE).unwrap(), ForgetOutcome::NothingToForget);
    assert_eq!(silent.connections(), 0);

    let second = report(&there, product(&there, folder.path()));
    assert_ne!(second, first, "who opts in again is another one");
}

#[test]
fn w57_with_a_token_it_is_what_the_organisation_has_reported() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let [own, other] = ["Example Inc.", "Other"].map(|name| there.create_token(name).unwrap());
    for token in [None, Some(own.clone()), Some(other.clone())] {
        report(&there, product(&there, folder.path()).token(token));
    }
    let organisations = || {
        let rows = there.store().servers().read_all().unwrap();
        rows.into_iter().map(|row| row.organisation).collect::<Vec<_>>()
    };
    let unknown = usage_client::Token::new("a-token-of-nobody").unwrap();
    let outcome = off(&there, folder.path()).token(unknown).forget_me(PATIENCE).unwrap();
    let ForgetOutcome::Pending { why, is_refused: true } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(why.contains("401"), "{why}");
    assert_eq!(organisations().len(), 3);

    let outcome = off(&there, folder.path()).token(own).forget_me(PATIENCE).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Forgotten { .. }), "{outcome:?}");
    assert_eq!(organisations(), [Some("Other".to_owned())]);
}

/// The state that a later start finds, with the pause over.
pub(crate) fn an_hour_later(folder: &Path) {
    let path = folder.join("tinykv/usage.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let next = &mut state["to_forget"][0]["next_unix_ns"];
    *next = (next.as_i64().unwrap() - 3_600_000_000_000).into();
    fs::write(&path, state.to_string()).unwrap();
}

#[test]
fn without_a_network_it_is_remembered_and_asked_at_a_later_start() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let first = report(&there, product(&there, folder.path()));
    let nobody = Nobody::new();
    let nowhere = BaseUrl::new(&format!("http://{}", nobody.address())).unwrap();
    let offline = off(&there, folder.path()).url(nowhere);
    let outcome = offline.forget_me(PATIENCE).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome:?}");
    assert!(left(&there) > 0);

    // At once nothing is sent; the customer may even have opted in again, as another one.
    let outcome = off(&there, folder.path()).retry_forget_me(PATIENCE).unwrap();
    assert_eq!(outcome, ForgetOutcome::NothingToForget);
    let second = report(&there, product(&there, folder.path()));
    assert_ne!(second, first);

    an_hour_later(folder.path());
    let outcome = product(&there, folder.path()).retry_forget_me(PATIENCE).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Forgotten { .. }), "{outcome:?}");
    let servers = there.store().servers().read_all().unwrap();
    let ids: Vec<_> = servers.iter().map(|row| row.report.server_id.as_str()).collect();
    assert_eq!(ids, [&*second], "the first is forgotten, the second is not");
}

#[test]
fn w47_an_api_that_cannot_forget_says_so_with_the_ids() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let id = report(&there, product(&there, folder.path()));
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found";
    let original = ScriptedServer::start([Script::new().read_request().send(answer)]);
    let reporting = off(&there, folder.path()).url(BaseUrl::new(&original.url()).unwrap());
    let outcome = reporting.forget_me(PATIENCE).unwrap();
    let ForgetOutcome::Unsupported { identities } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(identities[0].server_id, id);
    assert!(outcome.to_string().contains(&id), "{outcome}");
    assert_eq!(reporting.retry_forget_me(PATIENCE).unwrap(), ForgetOutcome::NothingToForget);
    assert_eq!(original.connections(), 1);
}

#[test]
fn off_means_off_and_nothing_is_made_where_there_is_nothing_to_forget() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let reporting = off(&there, folder.path());
        assert_eq!(reporting.forget_me(PATIENCE).unwrap(), ForgetOutcome::NothingToForget);
        assert_eq!(reporting.retry_forget_me(PATIENCE).unwrap(), ForgetOutcome::NothingToForget);
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn a_preview_is_what_leaves_and_changes_nothing() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let token = there.create_token("Example Inc.").unwrap();
    let product = || product(&there, folder.path()).token(token.clone());
    assert!(product().preview_forget_me().unwrap().is_empty());
    assert!(names(folder.path()).is_empty());
    let id = report(&there, product());
    let state = fs::read(folder.path().join("tinykv/usage.json")).unwrap();
    let previews = product().preview_forget_me().unwrap();
    let [preview] = &previews[..] else { panic!("{previews:?}") };
    assert_eq!(preview.uri().path(), "/api/v1/forget/tinykv");
    let shown = format!("{preview} {preview:?}");
    assert!(shown.contains("x-authorization: [redacted]") && shown.contains(&id), "{shown}");
    assert!(!shown.contains(token.expose()), "{shown}");
    assert_eq!(fs::read(folder.path().join("tinykv/usage.json")).unwrap(), state);

    let records = ScriptedServer::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let url = BaseUrl::new(&records.url()).unwrap();
    let outcome = product().setting(Some(false)).url(url).forget_me(PATIENCE).unwrap();
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: None });
    assert_eq!(records.received()[0].body[..], preview.body()[..]);
}

/// Whoever goes on reporting is not to be forgotten.
#[test]
fn only_who_has_opted_out_is_forgotten() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    report(&there, product(&there, folder.path()));
    let before = left(&there);
    let error = product(&there, folder.path()).forget_me(PATIENCE).unwrap_err();
    assert!(matches!(error, StartError::StillOn(_)), "{error:?}");
    assert!(error.to_string().starts_with("usage reporting is on: "), "{error}");
    assert_eq!(left(&there), before);

    // One that runs has the state file.
    let running = product(&there, folder.path()).start(UsageData::new).unwrap();
    // Nothing is promised: whoever asks has to ask again.
    let outcome = off(&there, folder.path()).forget_me(Duration::from_millis(200));
    let is_told = |error: &StartError| {
        matches!(error, StartError::StateFile(StateFileError::Locked { .. }) | StartError::Store(_))
    };
    assert!(outcome.as_ref().is_err_and(is_told), "{outcome:?}");
    running.stop(PATIENCE);
}

/// What was on its way when the customer opted out has arrived by then, and goes with the rest.
#[test]
fn it_waits_for_what_is_on_its_way() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    report(&there, product(&there, folder.path()));
    there.faults().delay(Duration::from_millis(300));
    let running = product(&there, folder.path()).start(UsageData::new).unwrap();
    let before = left(&there);
    wait_until("a report is stored and not answered", || left(&there) > before);
    running.stop(Duration::ZERO);
    let outcome = off(&there, folder.path()).forget_me(PATIENCE).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Forgotten { .. }), "{outcome:?}");
    assert_eq!(left(&there), 0);
}

#[test]
fn the_limit_holds_whatever_the_api_does() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    report(&there, product(&there, folder.path()));
    let hangs = ScriptedServer::start([Script::new().read_request().hold()]);
    let reporting = off(&there, folder.path()).url(BaseUrl::new(&hangs.url()).unwrap());
    let outcome = reporting.forget_me(Duration::from_secs(2)).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome:?}");
    drop(hangs);
    // The thread of the first call ends with its connection, and the second waits for it.
    let outcome = off(&there, folder.path()).forget_me(PATIENCE).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Forgotten { .. }), "{outcome:?}");
    assert_eq!(left(&there), 0);
}

/// A program that asks again at its start reports after that, also where the API takes the request and
/// never answers.
#[test]
fn who_starts_after_a_retry_has_the_state_file() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    report(&there, product(&there, folder.path()));
    let nobody = Nobody::new();
    let nowhere = BaseUrl::new(&format!("http://{}", nobody.address())).unwrap();
    off(&there, folder.path()).url(nowhere).forget_me(PATIENCE).unwrap();
    an_hour_later(folder.path());
    let hangs = ScriptedServer::start([Script::new().read_request().hold()]);
    let hanging = product(&there, folder.path()).url(BaseUrl::new(&hangs.url()).unwrap());
    let outcome = hanging.retry_forget_me(Duration::from_secs(1)).unwrap();
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome:?}");
    assert_eq!(hangs.connections(), 1);
    let running = product(&there, folder.path()).start(UsageData::new).unwrap();
    wait_until("it reports", || running.status().delivered >= 1);
    running.stop(PATIENCE);
    drop(hangs);
}

#[test]
fn what_is_missing_is_named() {
    let nowhere = Reporting::new("tinykv", "1").setting(Some(false));
    assert!(matches!(nowhere.forget_me(PATIENCE), Err(StartError::NoStateFile)));
    let nowhere = nowhere.state_file("no/such/usage.json");
    assert!(matches!(nowhere.forget_me(PATIENCE), Err(StartError::NoUrl)));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("usage.json"), "nonsense").unwrap();
    let broken = nowhere.url(BaseUrl::STAGING).state_file(folder.path().join("usage.json"));
    assert!(matches!(broken.forget_me(PATIENCE), Err(StartError::StateFile(_))));
}
