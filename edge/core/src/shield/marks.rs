//! Short marks on keys: whose last answer could not be shared, so that the next requests do not queue behind one another
//! for nothing (hit-for-miss); whose revalidation has just failed, so that it is not tried at every request.

use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::hash::KeyHasher;
use crate::time::Time;

/// How long a mark holds. Short: once the origin is well, or its answer can be shared, the edge has to see it.
pub(super) const HELD: Duration = Duration::from_secs(2);
const MOST: usize = 10_000;

/// Keys that are marked for a moment. It holds their hashes, so that a mark takes the same memory for every key; and of the marks
/// the last 10,000.
pub struct Marks {
    hasher: KeyHasher,
    until: Cache<u128, Time, UnitWeighter, SeedableRandomState>,
    held: Duration,
}

impl Marks {
    /// `seed`: random bits of the instance.
    pub fn new(seed: u64) -> Self {
        Self::lasting(seed, HELD)
    }

    /// Marks that hold for another time.
    pub fn lasting(seed: u64, held: Duration) -> Self {
        let within = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        let until = Cache::with(MOST, MOST as u64, UnitWeighter, within, DefaultLifecycle::default());
        Self { hasher: KeyHasher::new(seed), until, held }
    }

    pub fn mark(&self, key: &str, now: Time) {
        self.until.insert(self.hasher.hash(key), now + self.held);
    }

    pub fn clear(&self, key: &str) {
        // Nothing is hashed on the way of a fill that no mark is there for.
        if !self.until.is_empty() {
            self.until.remove(&self.hasher.hash(key));
        }
    }

    pub fn holds(&self, key: &str, now: Time) -> bool {
        !self.until.is_empty() && self.until.get(&self.hasher.hash(key)).is_some_and(|until| now < until)
    }

    /// Marks that are kept, be they over or not.
    pub fn len(&self) -> usize {
        self.until.len()
    }

    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Marks").field(&self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_a_moment_and_for_its_key() {
        let marks = Marks::new(1);
        assert!(!marks.holds("a", Time(0)));
        marks.mark("a", Time(0));
        assert!(marks.holds("a", Time(1_999)) && !marks.holds("a", Time(2_000)));
        assert!(!marks.holds("b", Time(0)) && !marks.holds("a\n", Time(0)));
        marks.clear("a");
        assert!(!marks.holds("a", Time(0)));
    }

    #[test]
    fn marks_are_bounded_and_long_keys_take_no_more() {
        let marks = Marks::new(1);
        for n in 0..3 * MOST {
            marks.mark(&format!("https://a/{n}{}", "x".repeat(n % 500)), Time(0));
        }
        assert!(marks.len() <= MOST, "{}", marks.len());
        // What is kept of each holds no pointer to anything else.
        assert_eq!(size_of::<(u128, Time)>(), 32);
        assert!(!std::mem::needs_drop::<(u128, Time)>());
    }
}
