//! What a purge log no longer holds one by one: of many URLs together, the last purge of any of them.

use super::Purge;
use crate::time::Time;

/// A power of two: 3 MiB, once there is anything to hold. One purge that lies here makes invalid, beside what it was for, one in
/// 262,144 of all that was fetched before it.
const BUCKETS: usize = 1 << 18;

/// Maxima by hash. They only rise, so that nothing that was purged is valid again.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    numbers: Vec<u64>,
    /// Seconds since the epoch, rounded up: a purge is never taken for older than it is.
    seconds: Vec<u32>,
}

impl Buckets {
    pub(super) fn raise(&mut self, hash: u128, purge: Purge) {
        if self.numbers.is_empty() {
            self.numbers = vec![0; BUCKETS];
            self.seconds = vec![0; BUCKETS];
        }
        let at = place(hash);
        self.numbers[at] = self.numbers[at].max(purge.seq);
        let seconds = u32::try_from(purge.at.0.div_ceil(1_000)).unwrap_or(u32::MAX);
        self.seconds[at] = self.seconds[at].max(seconds);
    }

    /// The last purge that may have been for what has this hash.
    pub(super) fn last(&self, hash: u128) -> Purge {
        let at = place(hash);
        match (self.numbers.get(at), self.seconds.get(at)) {
            (Some(&seq), Some(&seconds)) => Purge { seq, at: Time(u64::from(seconds) * 1_000) },
            _ => Purge::default(),
        }
    }
}

fn place(hash: u128) -> usize {
    hash as usize & (BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_the_greatest() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.last(7).seq, 0);
        let neighbour = 7 + (BUCKETS as u128);
        for (hash, seq, at) in [(7, 5, 1_001), (neighbour, 3, 9_000)] {
            buckets.raise(hash, Purge { seq, at: Time(at) });
        }
        let last = buckets.last(7);
        assert_eq!((last.seq, last.at), (5, Time(9_000)));
        assert_eq!(buckets.last(8).seq, 0);
        buckets.raise(8, Purge { seq: 6, at: Time(1_001) });
        assert_eq!(buckets.last(8).at, Time(2_000), "never older than it is");
    }
}
