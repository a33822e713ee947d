use super::*;
use allocation_counter::measure;

/// What a hostile server sends again and again.
fn endless() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes();
    vec![
        ("a status line", "HTTP/1.1 200 ", vec![b'x'; 4096]),
        ("a header line", "HTTP/1.1 200 OK\r\nX: ", vec![b'x'; 4096]),
        ("header lines", "HTTP/1.1 200 OK\r\n", b"X: x\r\n".repeat(600)),
        ("empty lines", "", b"\r\n".repeat(2000)),
        ("interim answers", "", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
        (
            "large interim answers",
            "",
            format!("HTTP/1.1 103 X\r\nX: {}\r\n\r\n", "x".repeat(60 << 10)).into_bytes(),
        ),
        (
            "a body with a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n",
            vec![b'x'; 4096],
        ),
        ("a body without", "HTTP/1.1 200 OK\r\n\r\n", vec![b'x'; 4096]),
        ("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk),
        (
            "an extension",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            vec![b'x'; 4096],
        ),
        (
            "trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: x\r\n".repeat(600),
        ),
    ]
}

/// The largest answer that there can be: all interim answers as large as a head may be.
const MOST_READ: usize = 101 * (128 << 10) + LIMIT;

#[test]
fn w38_w40_an_endless_answer_has_an_outcome_in_bounded_bytes_and_memory() {
    for (name, start_with, again) in endless() {
        for size in [100, 4096, usize::MAX] {
            let mut exchange = written();
            if !start_with.is_empty() {
                exchange.read(start(), start_with.as_bytes());
            }
            let mut count = start_with.len();
            let memory = measure(|| {
                'reading: while count < 2 * MOST_READ {
                    for piece in again.chunks(size.min(again.len())) {
                        if !exchange.wants_read() {
                            break 'reading;
                        }
                        count += piece.len();
                        exchange.read(start(), piece);
                    }
                }
            });
            assert!(outcome(&mut exchange).is_some(), "{name}: no outcome after {count} bytes");
            assert!(count <= MOST_READ, "{name}: {count} bytes");
            // Lines, headers and body, and what it takes to let them grow.
            assert!(memory.bytes_max < 600 << 10, "{name}: {memory:?}");
        }
    }
}

/// Each byte is looked at once: a head that comes in bytes allocates no more than one that comes at
/// once, but for the pieces of the body.
#[test]
fn a_head_in_bytes_is_not_read_again_and_again() {
    let head =
        format!("HTTP/1.1 200 OK\r\n{}\r\n", format!("X: {}\r\n", "x".repeat(500)).repeat(99));
    let read = |size: usize| {
        let mut exchange = written();
        let memory = measure(|| {
            head.as_bytes().chunks(size).for_each(|piece| exchange.read(start(), piece));
        });
        memory.bytes_total
    };
    let (whole, bytes) = (read(head.len()), read(1));
    assert!(bytes <= whole + 4096, "{bytes} bytes instead of {whole}");
}
