//! What tables hold in place of keys: 16 bytes each, however long a key is.

use std::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

/// Hashes keys to 128 bits that nobody outside of the instance can foresee.
///
/// Two hashes of 64 bits under seeds of their own, quick enough for each hit. That is not what cryptography asks for, and need not
/// be: where two keys had one hash, a table would say of the one what it knows of the other, and a request too many would reach
/// the origin. No table that holds hashes alone gives an answer. All that a hash is folded with is derived from the instance's
/// random seed (also what foldhash shares between its hashers), and no hash leaves the instance, so that nobody can search for
/// such keys; by chance there are none.
#[derive(Clone, Debug)]
pub(crate) struct KeyHasher {
    halves: [(u64, SharedSeed); 2],
}

impl KeyHasher {
    /// `seed`: random bits of the instance.
    pub(crate) fn new(seed: u64) -> Self {
        let half = |n: u64| (mixed(seed, n), SharedSeed::from_u64(mixed(seed, n + 1)));
        Self { halves: [half(1), half(3)] }
    }

    pub(crate) fn hash(&self, key: &str) -> u128 {
        let [low, high] = &self.halves;
        let half = |(own, shared): &(u64, SharedSeed)| {
            let mut hasher = FoldHasher::with_seed(*own, shared);
            hasher.write(key.as_bytes());
            u128::from(hasher.finish())
        };
        half(high) << 64 | half(low)
    }
}

/// One of many seeds out of one (the finish of SplitMix64).
fn mixed(seed: u64, n: u64) -> u64 {
    let mut bits = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_have_hashes_of_their_own_and_instances_too() {
        let (one, other) = (KeyHasher::new(1), KeyHasher::new(2));
        let mut seen = HashSet::new();
        for n in 0..20_000 {
            let key = format!("https://a.example/{n}");
            assert_eq!(one.hash(&key), one.hash(&key));
            assert!(seen.insert(one.hash(&key)) && seen.insert(other.hash(&key)));
        }
        let (low, high): (HashSet<u64>, HashSet<u64>) =
            seen.iter().map(|hash| (*hash as u64, (*hash >> 64) as u64)).unzip();
        assert!(low.len() == seen.len() && high.len() == seen.len(), "each half tells them apart");
        assert_eq!(low.intersection(&high).count(), 0, "and says something of its own");
    }
}
