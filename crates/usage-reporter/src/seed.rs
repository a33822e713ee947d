//! Where all that is random comes from.

use std::fmt;

/// What the jitter and the idempotency keys of a [`Reporter`](crate::Reporter) come from.
///
/// 32 fresh random bytes at every start, such as the operating system gives: two hosts with the same
/// seed would fall into step and use the same keys. A test takes fixed bytes, and sees the same
/// every time.
///
/// ```
/// use usage_reporter::Seed;
///
/// let mut bytes = [0; 32];
/// getrandom::fill(&mut bytes)?;
/// let seed = Seed::from_bytes(bytes);
/// // The keys of the future are in it: it is not shown.
/// assert_eq!(format!("{seed:?}"), "Seed(..)");
/// # Ok::<(), getrandom::Error>(())
/// ```
#[derive(Clone)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed that these bytes are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}
