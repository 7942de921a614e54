//! Named random streams from one seed: adding a draw to one shifts no other.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One stream of random numbers (SplitMix64): the same seed and name, the same numbers, on any machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomStream(u64);

impl RandomStream {
    /// The stream `name` of `seed`.
    pub fn new(seed: u64, name: &str) -> Self {
        RandomStream(xxh3_64_with_seed(name.as_bytes(), seed))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `[0, bound)`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether a chance of `per_cent` in a hundred came up.
    pub fn chance(&mut self, per_cent: u64) -> bool {
        self.below(100) < per_cent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_stable_and_apart() {
        let mut a = RandomStream::new(7, "stream");
        let mut again = RandomStream::new(7, "stream");
        let mut b = RandomStream::new(7, "batch");
        let first: Vec<u64> = (0..4).map(|_| a.next_u64()).collect();
        assert_eq!(first, (0..4).map(|_| again.next_u64()).collect::<Vec<_>>());
        assert_ne!(first, (0..4).map(|_| b.next_u64()).collect::<Vec<_>>());
        assert!((0..1000).all(|_| a.below(7) < 7) && a.below(0) == 0);
    }
}
