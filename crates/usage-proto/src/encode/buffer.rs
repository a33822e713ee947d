use std::io;

use bytes::Bytes;

/// A growing buffer that refuses to hold more than its limit (rule W15).
pub(super) struct LimitedBuffer {
    bytes: Vec<u8>,
    limit: usize,
    overflowed: bool,
}

/// What a first buffer holds: most reports fit.
const FIRST: usize = 1024;

/// Growing fourfold reaches 1 MiB in five steps; what is left over is given back at the end.
const GROWTH: usize = 4;

impl LimitedBuffer {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::with_capacity(FIRST.min(limit)), limit, overflowed: false }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.overflowed = false;
    }

    pub(super) fn into_bytes(self) -> Bytes {
        // A boxed slice needs no bookkeeping beside it until the first clone.
        Bytes::from(self.bytes.into_boxed_slice())
    }
}

impl io::Write for LimitedBuffer {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece)?;
        Ok(piece.len())
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        let len = self.bytes.len();
        if self.overflowed || piece.len() > self.limit - len {
            self.overflowed = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let needed = len + piece.len();
        let capacity = self.bytes.capacity();
        if needed > capacity {
            let grown = capacity.saturating_mul(GROWTH).min(self.limit).max(needed);
            self.bytes.reserve_exact(grown - len);
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
