//! A stream whose waits for the other end are over at some time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Ends with [`io::ErrorKind::TimedOut`] when the first byte does not come in time, and when nothing
/// of what is to be written is taken for a while. What comes after the first byte has the deadlines
/// of a head and of a body, which are not known here.
#[derive(Debug)]
pub(crate) struct TimedStream<S> {
    stream: S,
    /// Until a byte has come.
    first_byte: Option<Pin<Box<Sleep>>>,
    /// How long a write may make no progress.
    write: Duration,
    /// While a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    gave_up: bool,
}

impl<S> TimedStream<S> {
    pub(crate) fn new(stream: S, first_byte: Duration, write: Duration) -> Self {
        let first_byte = Some(Box::pin(sleep(first_byte)));
        Self { stream, first_byte, write, stalled: None, gave_up: false }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Whether the other end has let a write wait for too long.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Ends the wait of a write that has made no progress for too long.
    fn watch<T>(
        &mut self,
        poll: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.write)));
        if stalled.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.gave_up = true;
        Poll::Ready(Err(late("the other end does not read")))
    }
}

fn late(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, message)
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        if poll.is_ready() {
            self.first_byte = None;
        } else if let Some(first_byte) = &mut self.first_byte
            && first_byte.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(late("the first byte did not come")));
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(poll, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(poll, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(poll, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(poll, context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, sleep};

    use super::TimedStream;

    const SHORT: Duration = Duration::from_secs(5);
    const LONG: Duration = Duration::from_secs(1000);

    #[tokio::test(start_paused = true)]
    async fn the_first_byte_has_a_deadline_and_the_second_has_none() {
        let (mut other, stream) = duplex(8);
        let mut stream = TimedStream::new(stream, SHORT, SHORT);
        let begun = Instant::now();
        let error = stream.read_u8().await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (ErrorKind::TimedOut, SHORT));
        assert!(!stream.gave_up());

        let mut stream = TimedStream::new(stream.into_inner(), SHORT, SHORT);
        other.write_u8(1).await.unwrap();
        stream.read_u8().await.unwrap();
        let late = async {
            sleep(LONG).await;
            other.write_u8(2).await.unwrap();
        };
        assert_eq!(tokio::join!(stream.read_u8(), late).0.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_makes_no_progress_ends() {
        let (other, stream) = duplex(8);
        let mut stream = TimedStream::new(stream, LONG, SHORT);
        let begun = Instant::now();
        let error = stream.write_all(&[0; 9]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (ErrorKind::TimedOut, SHORT));
        assert!(stream.gave_up());
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_makes_progress_goes_on() {
        let (mut other, stream) = duplex(8);
        let mut stream = TimedStream::new(stream, LONG, SHORT);
        let begun = Instant::now();
        let reader = async {
            for _ in 0..100 {
                sleep(Duration::from_millis(4999)).await;
                other.read_u8().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[0; 108]), reader);
        written.unwrap();
        assert!(begun.elapsed() > 90 * SHORT && !stream.gave_up());
    }
}
