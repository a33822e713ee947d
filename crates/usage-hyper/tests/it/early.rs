//! An answer that comes before the whole report was sent.

use testkit::outcome::{Outcome, refused, simple};
use testkit::samples::{LESS_SHORT, large_usage};
use testkit::scripted::{Script, ScriptedServer};
use usage_proto::Incomplete;

use crate::connections::no_task_is_left;
use crate::{client, client_within};

#[tokio::test]
#[cfg(target_os = "linux")] // Other systems throw away what came before a reset.
async fn w46_it_is_found_though_the_server_has_closed() {
    // Closed with most of the request unread, so that the client's writing fails.
    let answer = "HTTP/1.1 413 X\r\nConnection: close\r\n\r\n{\"error\":\"too large\"}";
    let server = ScriptedServer::start([Script::new().read_head().send(answer).hang_up()]);
    let client = client(&server.url());
    let request = client.api().build_request(&large_usage()).unwrap();
    for connections in 1..=3 {
        let response = client.execute(request.clone()).await.unwrap();
        // The connection was reset, which is no end of a body.
        assert!(response.extensions().get::<Incomplete>().is_some());
        let judged = client.api().parse_response(response).map_err(Into::into);
        assert_eq!(Outcome::of(&judged), refused(413, simple("too large")));
        // The half-written connection is not used again.
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn a_server_that_has_answered_and_reads_no_more_holds_nothing() {
    let answer = "HTTP/1.1 413 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    let server = ScriptedServer::start([Script::new().read_head().send(answer).hold_unread()]);
    let client = client_within(&server.url(), LESS_SHORT);
    let result = client.save(&large_usage()).await;
    assert_eq!(Outcome::of(&result), refused(413, simple("no")));
    drop(client);
    no_task_is_left().await;
}
