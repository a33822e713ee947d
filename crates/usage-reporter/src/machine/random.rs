//! All that is random here comes from the seed.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::seed::Seed;

/// The key stream of `ChaCha20` (RFC 8439) under the seed, read on from a position.
///
/// The generator is built anew for each draw: draws are rare, and a generator that is kept holds a
/// buffer of 256 bytes in every idle reporter.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    seed: Seed,
    /// How many blocks of the stream are used up.
    drawn: u64,
}

impl Random {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, drawn: 0 }
    }

    /// 128 bits, for a key.
    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        let mut stream = ChaCha20Rng::from_seed(self.seed.bytes());
        stream.set_block_pos(self.drawn);
        self.drawn = self.drawn.wrapping_add(1);
        let mut bytes = [0; 16];
        stream.fill_bytes(&mut bytes);
        bytes
    }

    /// 64 bits.
    pub(crate) fn number(&mut self) -> u64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = self.bytes();
        u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }

    /// Uniform from zero to just below `limit`; zero if that is zero.
    pub(crate) fn below(&mut self, limit: Duration) -> Duration {
        let fraction = self.number();
        // Longer than 584 years is cut, so that the product has room.
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let product = u128::from(nanos) * u128::from(fraction);
        Duration::from_nanos(u64::try_from(product >> 64).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first block of the key stream for a key of zeros and a nonce of zeros is test vector 1
    /// of RFC 8439, appendix A.1; its second block is test vector 2.
    #[test]
    fn the_stream_is_the_standard_one() {
        let mut random = Random::new(Seed::from_bytes([0; 32]));
        assert_eq!(random.bytes(), 0x76b8_e0ad_a0f1_3d90_405d_6ae5_5386_bd28_u128.to_be_bytes());
        assert_eq!(random.bytes(), 0x9f07_e7be_5551_387a_98ba_977c_732d_080d_u128.to_be_bytes());
    }

    #[test]
    fn a_draw_is_below_its_limit_and_fills_it() {
        let mut random = Random::new(Seed::from_bytes([7; 32]));
        let limit = Duration::from_secs(100);
        let draws: Vec<_> = (0..1000).map(|_| random.below(limit)).collect();
        assert!(draws.iter().all(|draw| *draw < limit));
        let mean = draws.iter().sum::<Duration>() / 1000;
        assert!(mean.abs_diff(limit / 2) < Duration::from_secs(5), "{mean:?}");
        assert_eq!(random.below(Duration::ZERO), Duration::ZERO);
        assert!(random.below(Duration::MAX) > Duration::ZERO);
    }
}
