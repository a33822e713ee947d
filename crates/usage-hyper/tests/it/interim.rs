//! Interim answers without end, as fast as the system takes them, in a runtime of one thread.

use testkit::neighbours::beside_another_task;
use testkit::outcome::sent;
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::TransportErrorKind::Protocol;

use crate::{client, save};

/// What is measured is printed for who wants to know, since a time is a matter of the machine. What is
/// asked for is far above: without an end, the call would take all its time, and leave none.
#[test]
fn w40_they_hold_up_neither_the_call_nor_its_neighbours() {
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let server = ScriptedServer::start([Script::new().read_request().flood(many, usize::MAX)]);
    let client = client(&server.url());
    let measured = beside_another_task(save(&client));
    println!("{measured:?}");
    assert_eq!(measured.output, sent(Protocol));
    assert!(measured.took < PATIENCE / 2, "{measured:?}");
    assert!(measured.longest_wait < PATIENCE / 2, "{measured:?}");
}
