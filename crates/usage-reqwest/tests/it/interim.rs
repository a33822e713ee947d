//! Interim answers without end, as fast as the system takes them, in a runtime of one thread.

use testkit::neighbours::beside_another_task;
use testkit::outcome::sent;
use testkit::samples::LESS_SHORT;
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::TransportErrorKind::Timeout;

use crate::{client_within, save};

/// reqwest has no hook to count them by, and hyper reads on while there is something to read: what
/// `docs/protocol.md` says of that is what is printed here. It depends on the machine and on how this
/// was built; that it ends does not.
#[test]
fn w41_they_have_an_end() {
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let server = ScriptedServer::start([Script::new().read_request().flood(many, usize::MAX)]);
    let client = client_within(&server.url(), LESS_SHORT);
    let measured = beside_another_task(save(&client));
    println!("{measured:?}");
    assert_eq!(measured.output, sent(Timeout));
    assert!(measured.took < 3 * PATIENCE, "{measured:?}");
}
