//! The connection as hyper sees it.

use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, ready};
use std::{io, io::IoSlice, mem::MaybeUninit, pin::Pin, sync::Arc, sync::OnceLock};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use usage_proto::{Collector, TransportError};

/// TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What is known of the request that a connection was lent to last.
#[derive(Default)]
pub(crate) struct Watch {
    /// Whether a byte of it has left, or is about to.
    pub(crate) begun: AtomicBool,
    /// Whether all that was written of it has left.
    pub(crate) flushed: AtomicBool,
    /// The interim answers to it so far.
    pub(crate) interim: AtomicUsize,
    /// What the server has done that it must not do. Beside the error of it, which hyper does not
    /// always hand on.
    pub(crate) fault: OnceLock<fn() -> TransportError>,
}

/// A stream that
///
/// - tells when a request begins to leave, and when it has left,
/// - takes nothing for an answer that comes before,
/// - lets hyper look for an answer when the server closed before it had read the whole request,
/// - ends when there are too many interim answers: hyper would read on for as long as there are more,
///   without a pause. It gets them in pieces, so that it has not many more by then. What else there
///   is of an answer is bounded: hyper reads a head up to a limit, and of a body one piece after
///   another, when the one before it was taken.
pub(crate) struct Wire {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) watch: Arc<Watch>,
    /// Nobody took what was written.
    pub(crate) gone: bool,
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); 8 << 10];
        let mut piece = ReadBuf::uninit(&mut space[..cursor.remaining().min(8 << 10)]);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece));
        let piece = piece.filled();
        Poll::Ready(if !piece.is_empty() && !self.watch.begun.load(SeqCst) {
            let _ = self.watch.fault.set(TransportError::spoke_first);
            Err(InvalidData.into())
        } else if self.watch.interim.load(SeqCst) > Collector::MAX_INTERIM {
            let _ = self.watch.fault.set(TransportError::too_many_interim);
            Err(InvalidData.into())
        } else if piece.is_empty() && self.gone && read.is_ok() {
            // The system has told of the reset already: this is not the end of a body.
            Err(ConnectionReset.into())
        } else {
            cursor.put_slice(piece);
            read
        })
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buffer)])
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Before and not after it: nobody may hear in between that nothing has left.
        self.watch.begun.store(true, SeqCst);
        self.watch.flushed.store(false, SeqCst);
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, buffers));
        Poll::Ready(written.or_else(|error| {
            // Nobody reads on, but there may be an answer, such as a 413: hyper looks for it.
            self.gone = matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
            if self.gone { Ok(buffers.iter().map(|buffer| buffer.len()).sum()) } else { Err(error) }
        }))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        self.watch.flushed.store(flushed.is_ok() && !self.gone, SeqCst);
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
