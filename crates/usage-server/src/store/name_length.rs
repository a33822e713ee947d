//! How long names may be that stand in an index: `PostgreSQL` has no place in one for more than 2,704
//! bytes, and what one backend takes the other has to take, too.
//!
//! The ids of an installation may be longer, since [`normal`](super::instance::normal) makes a hash of
//! those. An idempotency key has a limit of its own.

use sha2::{Digest, Sha256};

use super::instance::hex;

/// The longest name of a product, in characters.
pub(crate) const PRODUCT: usize = 256;

/// The longest name of an organisation, in characters.
pub(crate) const ORGANISATION: usize = 254;

/// How much of a name the hash takes that stands for all of it.
const HASH: usize = "…sha256:".len() - 2 + 64;

pub(crate) fn is_too_long(name: &str, most: usize) -> bool {
    name.chars().nth(most).is_some()
}

/// A name that was stored when there was no limit, so that it can be moved: its beginning, and a hash
/// by which it stays another one than any other.
pub(super) fn shortened(name: String, most: usize) -> String {
    if !is_too_long(&name, most) {
        return name;
    }
    let hash = hex(&Sha256::digest(&name));
    let beginning: String = name.chars().take(most.saturating_sub(HASH)).collect();
    format!("{beginning}…sha256:{hash}")
}

#[cfg(test)]
mod tests {
    use super::{ORGANISATION, PRODUCT, is_too_long, shortened};

    #[test]
    fn characters_are_counted() {
        for letter in ["x", "ü", "𝄞"] {
            assert!(!is_too_long(&letter.repeat(PRODUCT), PRODUCT), "{letter}");
            assert!(is_too_long(&letter.repeat(PRODUCT + 1), PRODUCT), "{letter}");
        }
    }

    #[test]
    fn what_is_shortened_is_as_long_as_it_may_be_and_stays_another() {
        for most in [PRODUCT, ORGANISATION] {
            let fits = "ü".repeat(most);
            assert_eq!(shortened(fits.clone(), most), fits);
            let [one, other] = ["x", "y"].map(|end| shortened(format!("{fits}{end}"), most));
            assert_eq!((one.chars().count(), other.chars().count()), (most, most));
            assert_ne!(one, other);
            assert_eq!(shortened(one.clone(), most), one);
        }
    }
}
