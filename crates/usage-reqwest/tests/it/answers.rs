//! A complete head is an answer, whatever its status.

use usage_proto::{ResponseError, ResponseErrorKind};

use crate::server::Server;
use crate::{TOKEN, client, refused, usage};

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn location(error: ResponseError) -> Option<String> {
    match error.kind {
        ResponseErrorKind::Redirect { location, .. } => location,
        kind => panic!("expected a redirect, got {kind:?}"),
    }
}

#[tokio::test]
async fn w30_a_success_is_handed_over_as_it_came() {
    for status in ["200 OK", "201 Created", "299 Fine"] {
        let server = Server::answering(answer(status, "{\"ok\":1}"));
        let saved = client(&server.url()).save(&usage()).await.unwrap();
        assert_eq!(saved.status().as_str(), &status[..3]);
        assert_eq!(saved.headers()["content-length"], "8");
        assert_eq!(&saved.body()[..], b"{\"ok\":1}");
        assert!(saved.is_complete());
    }
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    assert!(client(&server.url()).save(&usage()).await.unwrap().body().is_empty());
}

#[tokio::test]
async fn the_request_goes_out_as_it_was_built() {
    let server = Server::answering(answer("200 OK", ""));
    let client = client(&server.url());
    let built = client.api().request(&usage()).unwrap();
    client.save(&usage()).await.unwrap();

    let [sent] = &server.requests()[..] else { panic!("one request") };
    assert_eq!(&sent.body[..], &built.body()[..]);
    let (line, headers) = sent.head.split_once("\r\n").unwrap();
    assert_eq!(line, "POST /api/v1/usage/influxdb HTTP/1.1");
    let mut lines: Vec<_> = headers.trim_end().split("\r\n").map(str::to_owned).collect();
    let mut expected: Vec<_> = built
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    // What the transport adds.
    expected.push(format!("host: 127.0.0.1:{}", server.port()));
    expected.push(format!("content-length: {}", built.body().len()));
    // Says no more than its absence would (RFC 9110, section 12.5.1).
    expected.push("accept: */*".to_owned());
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    assert!(lines.contains(&format!("x-authorization: {TOKEN}")));
}

#[tokio::test]
async fn w31_to_w34_every_other_status_is_a_typed_error() {
    for status in ["400", "401", "403", "404", "409", "413", "422", "429", "500", "502", "503"] {
        let server = Server::answering(answer(&format!("{status} X"), "{\"error\":\"no\"}"));
        let error = refused(client(&server.url()).save(&usage()).await);
        assert_eq!(error.status.as_str(), status);
        assert!(matches!(&error.kind, ResponseErrorKind::Simple(simple) if simple.message == "no"));
    }
    let fields = answer("422 X", "{\"errors\":{\"host\":[\"blank\"]}}");
    let server = Server::answering(fields);
    let error = refused(client(&server.url()).save(&usage()).await);
    let ResponseErrorKind::Validation(fields) = error.kind else { panic!("{error:?}") };
    assert_eq!(fields.errors["host"], ["blank"]);
}

#[tokio::test]
async fn w37_a_redirect_is_never_followed_and_the_token_stays_here() {
    let elsewhere = Server::answering(answer("200 OK", ""));
    for status in ["301", "302", "303", "307", "308"] {
        for target in [elsewhere.url(), String::new()] {
            let head = format!("HTTP/1.1 {status} Moved\r\nLocation: {target}/next\r\n");
            let server = Server::answering(format!("{head}Content-Length: 2\r\n\r\n{{}}"));
            let error = refused(client(&server.url()).save(&usage()).await);
            assert_eq!(error.status.as_str(), status);
            assert_eq!(location(error), Some(format!("{target}/next")));
            assert_eq!(server.requests().len(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);

    // Without `Location`, and without a body.
    let server = Server::answering_once("HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n");
    let error = refused(client(&server.url()).save(&usage()).await);
    assert_eq!(location(error), None);
}

#[tokio::test]
async fn w37_a_redirect_to_anything_is_an_answer() {
    let targets: [&[u8]; 12] = [
        b"",
        b"//",
        b"http://",
        b"http://[::1",
        b"http://256.256.256.256/",
        b"http://localhost:99999/",
        b"http://a b/",
        b"javascript:alert(1)",
        b"mailto:someone@example.com",
        b"data:80",
        b"\xff\xfe",
        b"?#%",
    ];
    for target in targets {
        for status in ["302", "303", "307"] {
            let mut answer = format!("HTTP/1.1 {status} X\r\nLocation: ").into_bytes();
            answer.extend_from_slice(target);
            answer.extend_from_slice(b"\r\nContent-Length: 0\r\n\r\n");
            let server = Server::answering(answer);
            let error = refused(client(&server.url()).save(&usage()).await);
            assert_eq!(error.status.as_str(), status);
            assert!(matches!(error.kind, ResponseErrorKind::Redirect { .. }));
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn w32_statuses_that_nobody_expects_are_answers_too() {
    for status in ["101", "600", "999"] {
        let server = Server::answering_once(format!("HTTP/1.1 {status} X\r\n\r\n"));
        let error = refused(client(&server.url()).save(&usage()).await);
        assert_eq!(error.status.as_str(), status);
        assert!(matches!(error.kind, ResponseErrorKind::Unexpected { .. }));
    }
    let server = Server::answering_once("HTTP/1.0 201 Created\r\n\r\n{}");
    assert_eq!(&client(&server.url()).save(&usage()).await.unwrap().body()[..], b"{}");
}

#[tokio::test]
async fn w32_other_statuses_of_the_3xx_class_are_answers_too() {
    for status in ["300", "304"] {
        let server = Server::answering(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
        let error = refused(client(&server.url()).save(&usage()).await);
        assert_eq!(error.status.as_str(), status);
        assert!(matches!(error.kind, ResponseErrorKind::Unexpected { .. }));
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_however_many_come_at_once() {
    let mut flood =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n".repeat(10_000);
    flood.push_str(&answer("201 Created", "{}"));
    let server = Server::answering(flood);
    assert_eq!(client(&server.url()).save(&usage()).await.unwrap().status(), 201);
}

#[tokio::test]
async fn a_head_that_comes_a_byte_at_a_time_is_a_head() {
    let server = Server::start(|mut connection| {
        connection.stream.set_nodelay(true).unwrap();
        if connection.request().is_some() {
            for byte in answer("201 Created", "{}").bytes() {
                connection.send([byte]);
            }
        }
        connection.hang();
    });
    let saved = client(&server.url()).save(&usage()).await.unwrap();
    assert_eq!(saved.status(), 201);
    assert!(saved.is_complete());
}

#[tokio::test]
async fn w46_an_answer_before_the_whole_request_was_read_is_an_answer() {
    let server = Server::start(|mut connection| {
        connection.head();
        connection.send("HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 21\r\n\r\n");
        connection.send("{\"error\":\"too large\"}");
        // The rest is read and thrown away. Closing at once would undo the answer (RFC 9112,
        // section 9.6).
        connection.hang();
    });
    let client = crate::large_client(&server.url(), crate::PATIENCE);
    let error = refused(client.save(&crate::large_usage()).await);
    assert_eq!(error.status, 413);
    assert!(matches!(&error.kind, ResponseErrorKind::Simple(e) if e.message == "too large"));
    // The half-written connection is not used again.
    assert_eq!(refused(client.save(&usage()).await).status, 413);
    assert_eq!(server.connections(), 2);
}
