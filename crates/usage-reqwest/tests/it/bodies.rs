//! Bodies that are too large, or that break off.

use usage_proto::ResponseErrorKind;

use crate::server::{Connection, Server};
use crate::{LESS_SHORT, PATIENCE, SHORT, client, client_within, refused, usage};

const LIMIT: usize = 64 << 10;

/// Sends 50 MB, or as much as the client wants.
fn flood(mut connection: Connection, status: &str, framing: &str) {
    if connection.request().is_none() {
        return;
    }
    connection.send(format!("HTTP/1.1 {status} X\r\n{framing}\r\n"));
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..50_000_000 / chunk.len() {
        if connection.try_send(&chunk).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn w38_reading_stops_at_the_limit() {
    for framing in ["Transfer-Encoding: chunked\r\n", "Content-Length: 50000000\r\n", ""] {
        let server = Server::start(move |connection| flood(connection, "200", framing));
        let client = client(&server.url());
        let saved = client.save(&usage()).await.unwrap();
        assert!(!saved.is_complete(), "{framing}");
        assert_eq!(saved.body().len(), LIMIT);
        // What an event loop gets: one byte more, by which the body is known to be too large.
        let response = client.execute(client.api().request(&usage()).unwrap()).await.unwrap();
        assert_eq!(response.body().len(), LIMIT + 1);
        // A connection with the rest of a body in it is not used again.
        assert_eq!(server.connections(), 2);

        let server = Server::start(move |connection| flood(connection, "401", framing));
        let error = refused(crate::client(&server.url()).save(&usage()).await);
        assert_eq!(error.status, 401);
        assert!(matches!(error.kind, ResponseErrorKind::TooLarge { limit: LIMIT, .. }));
    }
}

#[tokio::test]
async fn w38_a_body_of_exactly_the_limit_is_complete_and_keeps_the_connection() {
    let body = "x".repeat(LIMIT);
    let server =
        Server::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {LIMIT}\r\n\r\n{body}"));
    let client = client(&server.url());
    for _ in 0..3 {
        let saved = client.save(&usage()).await.unwrap();
        assert!(saved.is_complete());
        assert_eq!(saved.body().len(), LIMIT);
    }
    assert_eq!(server.connections(), 1);
}

/// What comes after the status line, and how the connection ends.
const BROKEN: [(&str, End); 11] = [
    ("Content-Length: 99\r\n\r\n{\"error\":\"no\"}", End::Close),
    ("Content-Length: 99\r\n\r\n{\"error\":\"no\"}", End::Reset),
    ("Content-Length: 99\r\n\r\n{\"error\":\"no\"}", End::Hang),
    // Without a length the end of the connection is the end of the body, but a reset is none.
    ("\r\n{\"error\":\"no\"}", End::Reset),
    ("\r\n{\"error\":\"no\"}", End::Hang),
    ("Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}", End::Close),
    ("Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}\r\n", End::Reset),
    ("Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}\r\nnonsense\r\n", End::Hang),
    ("Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}\r\n-1\r\n", End::Hang),
    (
        "Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}\r\nffffffffffffffffff\r\n",
        End::Hang,
    ),
    ("Transfer-Encoding: chunked\r\n\r\ne\r\n{\"error\":\"no\"}xx5\r\n", End::Hang),
];

#[derive(Clone, Copy, Debug)]
enum End {
    Close,
    Reset,
    /// Until the client's deadline passes, unless it gives up by itself.
    Hang,
}

#[tokio::test]
async fn w46_a_body_that_breaks_off_does_not_undo_the_answer() {
    for (rest, end) in BROKEN {
        let server = |status: &'static str| {
            Server::start(move |mut connection| {
                if connection.request().is_none() {
                    return;
                }
                connection.send(format!("HTTP/1.1 {status} X\r\n{rest}"));
                match end {
                    End::Close => {}
                    End::Reset => {
                        // A reset that overtakes the head would be another case.
                        let _ = connection.stream.set_nodelay(true);
                        connection.reset();
                    }
                    End::Hang => connection.hang(),
                }
            })
        };
        let deadline = match end {
            End::Close | End::Reset => PATIENCE,
            End::Hang => LESS_SHORT,
        };
        let took = server("201");
        let saved = client_within(&took.url(), deadline).save(&usage()).await;
        let saved = saved.unwrap_or_else(|error| panic!("{rest:?} {end:?}: {error:?}"));
        assert_eq!(saved.status(), 201);
        assert!(!saved.is_complete(), "{rest:?} {end:?}");

        let refuses = server("401");
        let error = refused(client_within(&refuses.url(), deadline).save(&usage()).await);
        assert_eq!(error.status, 401);
        assert!(
            matches!(&error.kind, ResponseErrorKind::Simple(simple) if simple.message == "no"),
            "{rest:?} {end:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn w46_a_body_without_a_length_ends_with_the_connection() {
    let server = Server::answering_once("HTTP/1.1 201 Created\r\n\r\n{}");
    let saved = client(&server.url()).save(&usage()).await.unwrap();
    assert!(saved.is_complete());
    assert_eq!(&saved.body()[..], b"{}");
}

#[tokio::test]
async fn w41_a_body_that_drips_for_ever_ends_with_the_deadline() {
    let server = Server::start(|mut connection| {
        if connection.request().is_some() {
            connection.send("HTTP/1.1 201 Created\r\n\r\n");
            while connection.try_send("x").is_ok() {
                std::thread::sleep(SHORT / 20);
            }
        }
    });
    let saved = client_within(&server.url(), LESS_SHORT).save(&usage()).await.unwrap();
    assert!(!saved.is_complete());
    assert!(saved.body().starts_with(b"x"));
}

#[tokio::test]
async fn w45_an_encoded_body_is_taken_as_it_stands() {
    // The smallest gzip file, and a body that only claims to be one.
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0";
    for body in [&gzip[..], b"{\"plain\":1}"] {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n".to_vec();
        answer.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        answer.extend(body);
        let server = Server::answering(answer);
        let saved = client(&server.url()).save(&usage()).await.unwrap();
        assert_eq!(&saved.body()[..], body);
        assert_eq!(saved.headers()["content-encoding"], "gzip");
        assert!(server.requests()[0].head.contains("accept-encoding: identity\r\n"));
    }
}

#[tokio::test]
async fn trailers_are_no_part_of_a_body() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n";
    let body = "2\r\n{}\r\n0\r\nX-Trailer: x\r\n\r\n";
    let server = Server::answering(format!("{head}{body}"));
    let saved = client(&server.url()).save(&usage()).await.unwrap();
    assert!(saved.is_complete());
    assert_eq!(&saved.body()[..], b"{}");
}
