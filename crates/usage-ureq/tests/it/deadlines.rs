//! W41: what ureq does with a deadline, and what is made of it.

use std::time::Duration;

use testkit::outcome::{Outcome, sent, unsent};
use testkit::samples::{CREATED, SHORT, api, large_usage, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::TransportErrorKind::Timeout;
use usage_proto::{Deadlines, Usage, UsageData};
use usage_ureq::Client;
use usage_ureq::ureq::middleware::MiddlewareNext;
use usage_ureq::ureq::{self, Body, SendBody, http};

use crate::{client_within, save, source, unanswered};

/// The buffers of the sockets are small, so that the client is still sending at the deadline.
#[test]
fn w41_a_server_that_stops_reading_or_reads_slowly_ends_with_the_deadline() {
    let second = Duration::from_secs(1);
    let stops = Script::new().read_head().hold_unread();
    let slow = Script::new().read_head().pause(SHORT).read(64 << 10).repeat_from(1);
    for script in [stops, slow] {
        let server = ScriptedServer::start_with_room(4 << 10, [script]);
        let report =
            Usage::new("influxdb").data(UsageData::new().value("padding", "x".repeat(1_000_000)));
        for report in [&report, &large_usage()] {
            let error = unanswered(client_within(&server.url(), second).save(report));
            assert_eq!(Outcome::unanswered(&error), sent(Timeout));
            assert_eq!(source(&error), "it took longer than 1 s in all");
        }
    }
}

#[test]
fn w41_the_deadline_that_passed_is_told() {
    let server = ScriptedServer::start([Script::new().hold()]);
    let error = unanswered(client_within(&server.url(), SHORT).save(&usage()));
    assert_eq!(source(&error), "it took longer than 0.3 s in all");
    let deadlines = Deadlines::new().connect(Duration::ZERO);
    let client = Client::configured(api(&server.url()), deadlines, |builder| builder).unwrap();
    let error = unanswered(client.save(&usage()));
    assert_eq!(Outcome::unanswered(&error), unsent(Timeout));
    assert_eq!(source(&error), "it took longer than 0 s to connect");
}

#[test]
fn w41_the_connect_deadline_counts_from_the_start_of_the_call() {
    fn dawdle(
        request: http::Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<http::Response<Body>, ureq::Error> {
        std::thread::sleep(SHORT * 2);
        next.handle(request)
    }
    let server = ScriptedServer::answering(CREATED);
    let deadlines = Deadlines::new().total(PATIENCE).connect(SHORT);
    let client = Client::configured(api(&server.url()), deadlines, |b| b.middleware(dawdle));
    assert_eq!(save(&client.unwrap()), unsent(Timeout));
}
