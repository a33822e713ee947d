//! The bytes of a body as they are written, with their limit.

use bytes::Bytes;

/// What stands on the stack: most reports fit, and become one allocation of their size.
const FIRST: usize = 1024;

const MEBIBYTE: usize = 1 << 20;

/// How far ahead of what is written zeros are.
const AHEAD: usize = 2048;

/// A growing buffer that refuses to hold more than its limit (rule W15).
///
/// It is filled with zeros ahead of what is written. A piece of a known size is then copied without
/// a call, and a longer one with one.
pub(super) struct Output {
    first: [u8; FIRST],
    /// Empty as long as everything fits into `first`.
    rest: Vec<u8>,
    length: usize,
    limit: usize,
    overflowed: bool,
}

/// The limit is passed. What is told is in the buffer's own flag.
pub(super) struct Overflow;

impl Output {
    pub(super) fn new(limit: usize) -> Self {
        Self { first: [0; FIRST], rest: Vec::new(), length: 0, limit, overflowed: false }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the limit was passed. There may be more room than the limit, hence the second
    /// question.
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed || self.length > self.limit
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn written_since(&self, at: usize) -> &[u8] {
        &self.whole()[at..self.length]
    }

    pub(super) fn into_bytes(mut self) -> Bytes {
        if self.rest.is_empty() {
            return Bytes::copy_from_slice(&self.first[..self.length]);
        }
        self.rest.truncate(self.length);
        Bytes::from(self.rest)
    }

    #[inline]
    fn whole(&self) -> &[u8] {
        if self.rest.is_empty() { &self.first } else { &self.rest }
    }

    /// So many bytes to be written to.
    #[inline]
    fn take(&mut self, length: usize) -> Result<&mut [u8], Overflow> {
        let at = self.length;
        let room = if self.rest.is_empty() { FIRST } else { self.rest.len() };
        if length > room - at {
            self.grow(length)?;
        }
        self.length = at + length;
        let whole = if self.rest.is_empty() { &mut self.first[..] } else { &mut self.rest[..] };
        Ok(&mut whole[at..at + length])
    }

    /// Makes more room: of what is reserved, or else fourfold up to a mebibyte, then twofold.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) -> Result<(), Overflow> {
        if self.overflowed || more > self.limit.saturating_sub(self.length) {
            self.overflowed = true;
            return Err(Overflow);
        }
        let needed = self.length + more;
        if self.rest.is_empty() {
            self.rest.reserve_exact((4 * FIRST).min(self.limit).max(needed));
            self.rest.extend_from_slice(&self.first[..self.length]);
        } else if needed > self.rest.capacity() {
            let room = self.rest.capacity();
            let factor = if room < MEBIBYTE { 4 } else { 2 };
            let grown = (factor * room).min(self.limit).max(needed);
            self.rest.reserve_exact(grown - self.rest.len());
        }
        let ahead = (self.length + AHEAD).min(self.rest.capacity());
        self.rest.resize(needed.max(ahead), 0);
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) -> Result<(), Overflow> {
        self.take(1)?[0] = byte;
        Ok(())
    }

    /// Writes pieces of known sizes, such as what stands around a key.
    #[inline]
    pub(super) fn extend(&mut self, piece: &[u8]) -> Result<(), Overflow> {
        copy(self.take(piece.len())?, piece);
        Ok(())
    }

    /// Writes `piece` with something in front and behind, at once.
    #[inline]
    pub(super) fn between<const F: usize, const B: usize>(
        &mut self,
        front: [u8; F],
        piece: &[u8],
        behind: [u8; B],
    ) -> Result<(), Overflow> {
        let room = self.take(F + piece.len() + B)?;
        if let Some((first, room)) = room.split_first_chunk_mut::<F>()
            && let Some((middle, last)) = room.split_last_chunk_mut::<B>()
        {
            *first = front;
            copy(middle, piece);
            *last = behind;
        }
        Ok(())
    }
}

/// Most pieces are short, and a call of `memcpy` costs more than the copy: up to 16 bytes are copied
/// as two words that may overlap. Both are of the same length.
#[inline]
fn copy(room: &mut [u8], piece: &[u8]) {
    macro_rules! words {
        ($size:literal) => {
            if let (Some(first), Some(last)) =
                (piece.first_chunk::<$size>(), piece.last_chunk::<$size>())
                && piece.len() <= 2 * $size
                && room.len() == piece.len()
            {
                if let Some(start) = room.first_chunk_mut::<$size>() {
                    *start = *first;
                }
                if let Some(end) = room.last_chunk_mut::<$size>() {
                    *end = *last;
                }
                return;
            }
        };
    }
    words!(8);
    words!(4);
    if piece.len() < 4 {
        for (to, from) in room.iter_mut().zip(piece) {
            *to = *from;
        }
    } else {
        room.copy_from_slice(piece);
    }
}
