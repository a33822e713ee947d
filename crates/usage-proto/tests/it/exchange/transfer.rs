use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result, Write};

use TransportErrorKind::{Interrupted, Timeout};

use super::*;

/// A stream that gives these results one after the other, and then would block.
#[derive(Default)]
struct Stream {
    writes: VecDeque<Result<usize>>,
    reads: VecDeque<Result<&'static [u8]>>,
    written: Vec<u8>,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let count = self.writes.pop_front().unwrap_or_else(|| Err(blocks()))?.min(bytes.len());
        self.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let piece = self.reads.pop_front().unwrap_or_else(|| Err(blocks()))?;
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

fn blocks() -> Error {
    ErrorKind::WouldBlock.into()
}

fn connected() -> Exchange {
    let mut exchange = begun();
    assert!(exchange.is_connecting());
    exchange.connected(start());
    assert!(!exchange.is_connecting());
    exchange
}

#[test]
fn it_goes_as_far_as_the_stream_does() {
    let mut exchange = connected();
    let whole = exchange.to_write().to_vec();
    let mut stream = Stream::default();

    // Nothing is to be had: a loop waits.
    exchange.transfer(start(), &mut stream);
    assert!(stream.written.is_empty());

    stream.writes.extend([Ok(10), Err(ErrorKind::Interrupted.into()), Ok(5)]);
    exchange.transfer(start(), &mut stream);
    assert_eq!(stream.written, whole[..15]);

    stream.writes.push_back(Ok(usize::MAX));
    stream.reads.extend([Ok(&b"HTTP/1.1 200 OK\r\nContent-"[..]), Err(blocks())]);
    exchange.transfer(start(), &mut stream);
    assert_eq!(stream.written, whole);
    assert_eq!(outcome(&mut exchange), None);

    stream.reads.extend([Ok(&b"Length: 2\r\n\r\n{"[..]), Err(ErrorKind::Interrupted.into())]);
    stream.reads.extend([Ok(&b"}"[..]), Ok(&b"never read"[..])]);
    exchange.transfer(start(), &mut stream);
    assert_eq!(outcome(&mut exchange), Some(answer(200, "{}")));
    assert!(exchange.is_reusable());
    assert_eq!(stream.reads.len(), 1);
}

/// A stream that is interrupted each time, whatever is asked of it.
struct Interrupting;

impl Write for Interrupting {
    fn write(&mut self, _: &[u8]) -> Result<usize> {
        Err(ErrorKind::Interrupted.into())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for Interrupting {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        Err(ErrorKind::Interrupted.into())
    }
}

#[test]
fn a_stream_that_is_always_interrupted_does_not_hold_it() {
    for mut exchange in [connected(), written()] {
        exchange.transfer(start(), &mut Interrupting);
        assert_eq!(outcome(&mut exchange), None);
        exchange.transfer(after(60), &mut Interrupting);
        assert!(outcome(&mut exchange).is_some(), "its deadline has passed");
    }
}

#[test]
fn it_neither_writes_nor_reads_without_a_connection_or_behind_a_deadline() {
    let stream =
        || Stream { writes: [Ok(10)].into(), reads: [Ok(&b"x"[..])].into(), written: vec![] };
    let mut early = stream();
    let mut exchange = begun();
    exchange.transfer(start(), &mut early);
    assert_eq!((early.writes.len(), early.reads.len()), (1, 1));

    let mut late = stream();
    let mut exchange = connected();
    exchange.transfer(after(60), &mut late);
    assert_eq!((late.writes.len(), late.reads.len()), (1, 1));
    assert_eq!(outcome(&mut exchange), Some(unsent(Timeout)));
}

#[test]
fn w40_what_fails_is_told_by_the_reader() {
    let failed = || Error::from(ErrorKind::ConnectionReset);
    for writes in [vec![Ok(0)], vec![Err(failed())], vec![Ok(usize::MAX)]] {
        let reads = [
            (vec![Ok(&b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n"[..])], answer(401, "")),
            (
                vec![Ok(&b"HTTP/1.1 401 X\r\nContent-Length: 1\r\n\r\n"[..]), Err(failed())],
                broken_off(401, ""),
            ),
            (vec![Ok(&b""[..])], sent(Interrupted)),
            (vec![Err(failed())], sent(Interrupted)),
        ];
        for (reads, expected) in reads {
            let again = writes.iter().map(|write| match write {
                Ok(count) => Ok(*count),
                Err(error) => Err(error.kind().into()),
            });
            let mut stream =
                Stream { writes: again.collect(), reads: reads.into(), written: vec![] };
            let mut exchange = connected();
            exchange.transfer(start(), &mut stream);
            assert_eq!(outcome(&mut exchange), Some(expected));
        }
    }
}
