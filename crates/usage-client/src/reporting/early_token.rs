//! Tests: a token that comes while the start still waits for the disk.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use usage_proto::{Api, BaseUrl, BuildError, Token, TransportError, UsageData};
use usage_reporter::blocking;

use super::Reporting;
use super::preparation::prepare;
use super::running::Running;
use super::stage::{Stage, Started};

#[test]
fn it_is_kept_for_the_end_of_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let reporting = Reporting::new("tinykv", "1.0")
        .setting(Some(true))
        .url(BaseUrl::STAGING)
        .state_file(folder.path().join("usage.json"));
    let (api, consent) = (reporting.api().unwrap(), reporting.consent());
    let stage = Stage::starting(api.clone());
    let running = Running::on(consent.clone(), None, Arc::clone(&stage));
    assert_eq!(running.status().phase, "starting");
    running.set_token(Token::new("token-goes-here").unwrap()).unwrap();

    // The disk has answered.
    let prepared = prepare(
        &reporting,
        consent,
        api.clone(),
        UsageData::new,
        Instant::now(),
        SystemTime::now(),
    )
    .unwrap();
    let nobody = |_| Err(TransportError::connect("nobody is there"));
    let handle = blocking::spawn(prepared.reporter, nobody, prepared.product).unwrap();
    let (server, numbers) = (prepared.server, prepared.numbers);
    stage.reach(Ok(Started { handle, api, server, numbers }));
    let preview = running.preview().unwrap().unwrap();
    assert!(preview.to_string().contains("x-authorization: [redacted]"), "{preview}");
    running.stop(Duration::ZERO);
}

#[test]
fn it_is_refused_at_once_if_it_may_not_travel() {
    let api = Api::new(BaseUrl::new("http://usage.example.com").unwrap());
    let consent = Reporting::new("tinykv", "1.0").setting(Some(true)).consent();
    let running = Running::<blocking::Thread>::on(consent, None, Stage::starting(api));
    let refused = running.set_token(Token::new("token-goes-here").unwrap());
    assert!(matches!(refused, Err(BuildError::PlaintextToken { .. })), "{refused:?}");
}
