use serde::{Serialize, Serializer};

/// A number of a payload: any integer from `i64::MIN` to `u64::MAX`, exactly, or a float.
///
/// Integers compare by what they are, whichever type they came from. A float that happens to be
/// whole is still a float, and is written with `.0`.
///
/// ```
/// use usage_proto::Number;
///
/// assert_eq!(Number::from(3_u8), Number::from(3_i64));
/// assert_eq!(Number::from(u64::MAX).as_u64(), Some(u64::MAX));
/// assert_eq!(Number::from(0.1_f32).as_f64(), 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(Repr);

/// One form for each number, so that equality can be derived.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Repr {
    NotNegative(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// The number, if it is an integer from 0 to `u64::MAX`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::NotNegative(n) => Some(n),
            Repr::Negative(_) | Repr::Float(_) => None,
        }
    }

    /// The number, if it is an integer that an `i64` holds.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::NotNegative(n) => i64::try_from(n).ok(),
            Repr::Negative(n) => Some(n),
            Repr::Float(_) => None,
        }
    }

    /// The number as a float, rounded to the nearest one if it is a large integer.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rounding is what the caller asks for")]
    pub fn as_f64(&self) -> f64 {
        match self.0 {
            Repr::NotNegative(n) => n as f64,
            Repr::Negative(n) => n as f64,
            Repr::Float(x) => x,
        }
    }

    /// The number that a JSON text stands for, as `serde_json` reads it when none of its features
    /// changes that: an integer if it has neither fraction nor exponent and fits, a float
    /// otherwise; nothing if it is too large for one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return None;
        }
        if let Ok(n) = text.parse::<u64>() {
            return Some(n.into());
        }
        match text.parse::<i64>() {
            // `-0` is a float: an integer would lose its sign.
            Ok(n) if n != 0 => Some(n.into()),
            _ => text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Self::from),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::NotNegative(n) => serializer.serialize_u64(n),
            Repr::Negative(n) => serializer.serialize_i64(n),
            Repr::Float(x) => serializer.serialize_f64(x),
        }
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        Self(Repr::NotNegative(n))
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Self(u64::try_from(n).map_or(Repr::Negative(n), Repr::NotNegative))
    }
}

impl From<f64> for Number {
    fn from(x: f64) -> Self {
        Self(Repr::Float(x))
    }
}

impl From<f32> for Number {
    /// Takes the shortest decimal that stands for the `f32`, as Go writes it: `0.1_f32` is sent as
    /// `0.1`, not as the 17 digits of its exact value.
    fn from(x: f32) -> Self {
        Self(Repr::Float(x.to_string().parse().unwrap_or(f64::from(x))))
    }
}

macro_rules! from_integer {
    ($wide:ty: $($narrow:ty),*) => {
        $(impl From<$narrow> for Number {
            fn from(n: $narrow) -> Self {
                Self::from(<$wide>::from(n))
            }
        })*
    };
}

from_integer!(u64: u8, u16, u32);
from_integer!(i64: i8, i16, i32);

impl From<usize> for Number {
    fn from(n: usize) -> Self {
        // No platform of Rust's has a `usize` above 64 bits.
        Self::from(n as u64)
    }
}

impl From<isize> for Number {
    fn from(n: isize) -> Self {
        Self::from(n as i64)
    }
}
