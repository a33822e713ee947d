//! The connection as hyper sees it, mended where hyper would break a rule.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hyper::rt::Sleep;
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::deadline::SharedTimer;
use crate::slots::Slot;

/// TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

pub(crate) type BoxStream = Pin<Box<dyn Stream>>;

/// A stream that
///
/// - tells hyper whether there is a proxy that passes requests on, which is asked in the absolute
///   form (RFC 9112, section 3.2.2),
/// - keeps what comes before a request has begun to leave until then: it would end the connection,
///   and whether the request would be told why depends on who is first,
/// - lets hyper look for an answer when the server closed before it had read the whole request,
/// - ends when the other end has taken nothing for the total deadline: a server that has answered
///   and reads no more would hold the connection, with the rest of a request in it, for ever.
pub(crate) struct Wire {
    stream: BoxStream,
    proxied: bool,
    /// Whether anything was written.
    begun: bool,
    /// What came before that, and who wants to read it.
    early: Vec<u8>,
    reader: Option<Waker>,
    /// Why the request could not be written to its end.
    write_error: Option<io::Error>,
    timer: SharedTimer,
    patience: Duration,
    /// Runs while the other end takes nothing.
    stalled: Option<Pin<Box<dyn Sleep>>>,
    _slot: Slot,
}

impl Wire {
    pub(crate) fn new(
        stream: BoxStream,
        proxied: bool,
        timer: SharedTimer,
        patience: Duration,
        slot: Slot,
    ) -> Self {
        Self {
            stream,
            proxied,
            begun: false,
            early: Vec::new(),
            reader: None,
            write_error: None,
            timer,
            patience,
            stalled: None,
            _slot: slot,
        }
    }

    /// What comes of writing `length` bytes if the stream says so.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let result = ready!(self.patiently(cx, poll));
        self.begun = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        match result {
            // Nobody reads on, but there may be an answer, such as a 413: go and look.
            Err(error) if is_closed(&error) => {
                self.write_error.get_or_insert(error);
                Poll::Ready(Ok(length))
            }
            result => Poll::Ready(result),
        }
    }

    fn patiently<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let Self { stalled, timer, patience, .. } = self;
        ready!(stalled.get_or_insert_with(|| timer.sleep(*patience)).as_mut().poll(cx));
        self.stalled = None;
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the other end reads no more")))
    }
}

fn is_closed(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.proxied)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.begun && !self.early.is_empty() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !self.early.is_empty() {
            let length = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early[..length]);
            self.early.drain(..length);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = ready!(self.stream.as_mut().poll_read(cx, buffer));
        if !self.begun && buffer.filled().len() > before {
            self.early = buffer.filled()[before..].to_vec();
            buffer.set_filled(before);
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let ended = result.is_err() || buffer.filled().len() == before;
        // What went wrong first tells more.
        let first = if ended { self.write_error.take() } else { None };
        Poll::Ready(first.map_or(result, Err))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = self.stream.as_mut().poll_write(cx, buffer);
        self.written(cx, poll, buffer.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = self.stream.as_mut().poll_write_vectored(cx, buffers);
        self.written(cx, poll, buffers.iter().map(|buffer| buffer.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.begun {
            // hyper flushes before there is anything.
            return Poll::Ready(Ok(()));
        }
        let poll = self.stream.as_mut().poll_flush(cx).map_ok(|()| 0);
        self.written(cx, poll, 0).map_ok(drop)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = self.stream.as_mut().poll_shutdown(cx);
        self.patiently(cx, poll)
    }
}
