//! W41: what reqwest does with a deadline, and what is made of it.

use std::time::Duration;

use testkit::outcome::{Outcome, sent, unsent};
use testkit::samples::{AGES, SHORT, api, usage};
use testkit::scripted::{Script, ScriptedServer};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Timeout;
use usage_reqwest::Client;
use usage_reqwest::reqwest::ClientBuilder;
use usage_reqwest::reqwest::dns::{Name, Resolve, Resolving};

use crate::{save, soon, source, unanswered};

/// A resolver that never finds out.
struct Never;

impl Resolve for Never {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn w41_a_deadline_before_there_is_a_connection_leaves_nothing_sent() {
    for (deadlines, reason) in [
        (Deadlines::new().total(AGES).connect(SHORT), "it took longer than 0.3 s to connect"),
        // What is left of it would not do for an answer.
        (Deadlines::new().total(SHORT).connect(AGES), "it took longer than 0.225 s to connect"),
    ] {
        let configure = |builder: ClientBuilder| builder.dns_resolver(Never);
        let client = Client::configured(api("http://usage.example"), deadlines, configure).unwrap();
        let error = unanswered(soon(client.save(&usage())).await);
        assert_eq!(Outcome::unanswered(&error), unsent(Timeout));
        assert_eq!(source(&error), reason);
    }
}

#[tokio::test]
async fn a_shorter_patience_between_two_reads_is_the_applications_choice() {
    let server = ScriptedServer::start([Script::new().read_request().hold()]);
    let deadlines = Deadlines::new().total(Duration::from_secs(600));
    let client =
        Client::configured(api(&server.url()), deadlines, |builder| builder.read_timeout(SHORT));
    assert_eq!(save(&client.unwrap()).await, sent(Timeout));
}
