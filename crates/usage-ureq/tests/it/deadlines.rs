//! W41: what ureq makes of a deadline, and what an error says of it.

use std::time::Duration;

use testkit::outcome::{Outcome, sent};
use testkit::samples::{SHORT, api, large_usage, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::TransportErrorKind::Timeout;
use usage_proto::{Usage, UsageData};
use usage_ureq::Client;
use usage_ureq::ureq::Agent;

use crate::{client_within, source, unanswered};

/// The buffers of the sockets are small, so that the client is still sending at the deadline. ureq
/// gives every system call of a write what was left before the first: the pieces that it gets are
/// small, so that there are few of them.
#[test]
fn w41_a_server_that_stops_reading_or_reads_slowly_does_not_hold_a_call() {
    let second = Duration::from_secs(1);
    let stops = Script::new().read_head().hold_unread();
    let slow = Script::new().read_head().pause(SHORT).read(64 << 10).repeat_from(1);
    for script in [stops, slow] {
        let server = ScriptedServer::start_with_room(4 << 10, [script]);
        let report =
            Usage::new("influxdb").data(UsageData::new().value("padding", "x".repeat(1_000_000)));
        let agent = Agent::config_builder().proxy(None).timeout_global(Some(second)).build();
        let of_the_application = Client::with_agent(api(&server.url()), agent.into());
        for client in [client_within(&server.url(), second), of_the_application] {
            for report in [&report, &large_usage()] {
                // Far less than the server would take for it.
                let begun = std::time::Instant::now();
                let error = unanswered(client.save(report));
                assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
                assert_eq!(Outcome::unanswered(&error), sent(Timeout));
                assert_eq!(source(&error), "it took longer than 1 s in all");
            }
        }
    }
}

#[test]
fn w41_the_total_deadline_is_told() {
    let server = ScriptedServer::start([Script::new().hold()]);
    let error = unanswered(client_within(&server.url(), SHORT).save(&usage()));
    assert_eq!(Outcome::unanswered(&error), sent(Timeout));
    assert_eq!(source(&error), "it took longer than 0.3 s in all");
}
