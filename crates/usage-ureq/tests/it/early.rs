//! An answer that comes before the whole report was sent.

use testkit::outcome::{refused, simple};
use testkit::samples::large_usage;
use testkit::scripted::{Script, ScriptedServer};

use crate::{client, save};

#[test]
#[cfg(target_os = "linux")] // Other systems throw away what came before a reset.
fn w46_it_is_found_though_the_server_has_closed() {
    // Closed with most of the request unread, so that the client's writing fails.
    let answer = "HTTP/1.1 413 X\r\nConnection: close\r\n\r\n{\"error\":\"too large\"}";
    let server = ScriptedServer::start([Script::new().read_head().send(answer).hang_up()]);
    let client = client(&server.url());
    let outcome = testkit::outcome::Outcome::of(&client.save(&large_usage()));
    assert_eq!(outcome, refused(413, simple("too large")));
    // The half-written connection is not used again.
    assert_eq!(save(&client), refused(413, simple("too large")));
    assert_eq!(server.connections(), 2);
}
