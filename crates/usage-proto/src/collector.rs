//! What a transport does with an answer: judge the head, keep what is wanted of the body, and say
//! whether all of it came.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::Response;
use http::response::Parts;

use crate::error::TransportError;
use crate::head;
use crate::saved::Incomplete;

/// Collects an answer from what a transport reads of it.
///
/// A transport has three things to do with an answer, and they are done here:
///
/// 1. A head that is too large, or that HTTP does not allow, is not an answer: [`new`](Self::new)
///    refuses it.
/// 2. Of the body, one byte more than the response limit is kept at most. By that byte a body that
///    is too large is told from one that just fits. [`wanted`](Self::wanted) says how much more is
///    of use.
/// 3. A body that breaks off is an answer all the same, since its status counts.
///    [`break_off`](Self::break_off) marks it as [`Incomplete`], [`finish`](Self::finish) does not.
///
/// [`Api::receive`](crate::Api::receive) makes one with the limit of that API.
///
/// ```
/// use bytes::Bytes;
/// use usage_proto::{Api, BaseUrl};
///
/// # let (parts, ()) = http::Response::new(()).into_parts();
/// # let mut pieces = [Bytes::from("{\"o"), Bytes::from("k\":1}")].into_iter();
/// # let mut next = || pieces.next();
/// let api = Api::new(BaseUrl::STAGING);
/// let mut answer = api.receive(parts)?;
/// while answer.wants_more() {
///     match next() {
///         Some(piece) => answer.push(piece),
///         None => break,
///     }
/// }
/// let saved = api.parse_response(answer.finish())?;
/// assert_eq!(saved.body(), r#"{"ok":1}"#);
/// # Ok::<(), usage_proto::Error>(())
/// ```
pub struct Collector {
    parts: Parts,
    kept: Kept,
    wanted: usize,
}

/// One piece is handed on as it came; several are copied together.
enum Kept {
    One(Bytes),
    Many(BytesMut),
}

impl Collector {
    /// The largest head of an answer, in bytes.
    pub const MAX_HEAD: usize = head::MAX_SIZE;

    /// What a library with a limit of its own for a head is told, in bytes: above ours, so that a head
    /// that is too large is told of in the same words.
    pub const HEAD_ROOM: usize = Self::MAX_HEAD + (16 << 10);

    /// How many interim answers (1xx) may come before an answer. More of them are
    /// [`TransportError::too_many_interim`].
    pub const MAX_INTERIM: usize = 100;

    /// Judges the head of an answer. `limit` is the size of the largest body, in bytes.
    ///
    /// These heads are refused, since HTTP libraries do not agree on them:
    ///
    /// - one of more than 64 KiB or 100 header lines. The size is that of the lines without what is
    ///   optional in them, such as white space and the reason phrase;
    /// - one with a `Content-Length` above 2⁶³ − 1;
    /// - one in HTTP/1.0 with a `Transfer-Encoding` (RFC 9112, section 6.1).
    ///
    /// A library's own limits should be above these.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] of the kind [`Protocol`](crate::TransportErrorKind::Protocol).
    pub fn new(parts: Parts, limit: usize) -> Result<Self, TransportError> {
        head::check(parts.version, &parts.headers).map_err(TransportError::protocol)?;
        Ok(Self { parts, kept: Kept::One(Bytes::new()), wanted: limit.saturating_add(1) })
    }

    /// The head of the answer.
    #[must_use]
    pub fn head(&self) -> &Parts {
        &self.parts
    }

    /// How many bytes of the body are still of use; 0 once there are more than the limit.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether more of the body is of use. Where it is not, stop reading: what follows would be
    /// dropped.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        self.wanted > 0
    }

    /// Takes a piece of the body. A body of one piece is not copied. What is not wanted is dropped.
    pub fn push(&mut self, mut piece: Bytes) {
        piece.truncate(self.wanted);
        self.wanted -= piece.len();
        match &mut self.kept {
            _ if piece.is_empty() => {}
            Kept::One(first) if first.is_empty() => *first = piece,
            Kept::One(first) => {
                let mut many = BytesMut::with_capacity(2 * (first.len() + piece.len()));
                many.extend_from_slice(first);
                many.extend_from_slice(&piece);
                self.kept = Kept::Many(many);
            }
            Kept::Many(many) => many.extend_from_slice(&piece),
        }
    }

    /// Takes pieces of `body` until it ends or no more of it is of use, and says whether it did not
    /// break off. It is read to its end if it is within the limit: most libraries use a connection
    /// again only then. What came stays here if the future is dropped, as by a deadline.
    ///
    /// ```
    /// use usage_proto::{Api, BaseUrl};
    ///
    /// # async fn doc<B: http_body::Body<Data = bytes::Bytes>>(response: http::Response<B>)
    /// # -> Result<http::Response<bytes::Bytes>, usage_proto::TransportError> {
    /// let api = Api::new(BaseUrl::STAGING);
    /// let (head, body) = response.into_parts();
    /// let mut answer = api.receive(head)?;
    /// let is_whole = answer.read(body).await;
    /// Ok(if is_whole { answer.finish() } else { answer.break_off() })
    /// # }
    /// ```
    #[cfg(feature = "http-body")]
    pub async fn read(&mut self, body: impl http_body::Body<Data = Bytes>) -> bool {
        let mut body = std::pin::pin!(body);
        while self.wants_more()
            && let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await
        {
            let Ok(frame) = frame else { return false };
            // What is no data is trailers.
            self.push(frame.into_data().unwrap_or_default());
        }
        true
    }

    /// Takes a copy of a piece of the body, for a transport that reads into a buffer of its own.
    pub fn push_slice(&mut self, piece: &[u8]) {
        let piece = &piece[..piece.len().min(self.wanted)];
        if let Kept::Many(many) = &mut self.kept {
            self.wanted -= piece.len();
            many.extend_from_slice(piece);
        } else {
            self.push(Bytes::copy_from_slice(piece));
        }
    }

    /// The answer. Its body has ended, or is larger than the limit.
    #[must_use]
    pub fn finish(self) -> Response<Bytes> {
        let body = match self.kept {
            Kept::One(piece) => piece,
            Kept::Many(pieces) => pieces.freeze(),
        };
        Response::from_parts(self.parts, body)
    }

    /// The answer with what came of its body, marked as [`Incomplete`]: the body broke off, by a
    /// reset, a wrong length, a malformed chunk or a deadline.
    #[must_use]
    pub fn break_off(self) -> Response<Bytes> {
        let mut response = self.finish();
        response.extensions_mut().insert(Incomplete);
        response
    }
}

/// Shows how much of the body is there and not the body: what an API says may hold a secret.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.kept {
            Kept::One(piece) => piece.len(),
            Kept::Many(pieces) => pieces.len(),
        };
        f.debug_struct("Collector")
            .field("status", &self.parts.status)
            .field("kept", &kept)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}
