//! The key by which an API knows that it has seen a report before.

use std::fmt;

use bytes::{BufMut, BytesMut};
use http::{HeaderName, HeaderValue, Request};

/// The header that carries the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// 128 random bits that name one report, the same on every attempt to send it.
///
/// An API that knows the header answers a repeated report like the first time and stores it once;
/// `usage-server` does. Another may count it twice.
///
/// This crate has no randomness of its own: the caller brings the bits.
///
/// ```
/// use usage_proto::{Api, BaseUrl, IdempotencyKey, Usage};
///
/// let mut request = Api::new(BaseUrl::STAGING).build_request(&Usage::new("influxdb"))?;
/// # let random = [0xab; 16];
/// IdempotencyKey::from_bytes(random).apply(&mut request);
/// assert_eq!(request.headers()["idempotency-key"], "\"abababababababababababababababab\"");
/// # Ok::<(), usage_proto::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey([u8; 16]);

impl IdempotencyKey {
    /// A key from 16 random bytes.
    #[must_use]
    pub const fn from_bytes(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The bytes, to keep the key with an unacknowledged report.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Sets the key on a request, as a quoted string of 32 hexadecimal digits.
    pub fn apply<B>(&self, request: &mut Request<B>) {
        let mut text = BytesMut::with_capacity(34);
        text.put_u8(b'"');
        self.0.iter().flat_map(|&byte| hex_digits(byte)).for_each(|digit| text.put_u8(digit));
        text.put_u8(b'"');
        // Quotes and hexadecimal digits are a header value whatever the bytes were.
        if let Ok(value) = HeaderValue::from_maybe_shared(text.freeze()) {
            request.headers_mut().insert(IDEMPOTENCY_KEY, value);
        }
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({self})")
    }
}

/// A byte as two lower-case hexadecimal digits.
pub(crate) fn hex_digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]
}
