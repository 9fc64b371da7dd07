//! Short marks on keys: whose last answer could not be shared, so that the next requests do not queue behind one another
//! for nothing (hit-for-miss); whose revalidation has just failed, so that it is not tried at every request.

use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::time::Time;

/// How long a mark holds. Short: once the origin is well, or its answer can be shared, the edge has to see it.
pub(super) const HELD: Duration = Duration::from_secs(2);
const MOST: usize = 10_000;

/// Keys that are marked for a moment.
pub struct Marks {
    until: Cache<Box<str>, Time, UnitWeighter, SeedableRandomState>,
    held: Duration,
}

impl Marks {
    pub fn new(seed: u64) -> Self {
        Self::lasting(seed, HELD)
    }

    /// Marks that hold for another time.
    pub fn lasting(seed: u64, held: Duration) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        Self {
            until: Cache::with(MOST, MOST as u64, UnitWeighter, hasher, DefaultLifecycle::default()),
            held,
        }
    }

    pub fn mark(&self, key: &str, now: Time) {
        self.until.insert(key.into(), now + self.held);
    }

    pub fn clear(&self, key: &str) {
        self.until.remove(key);
    }

    pub fn holds(&self, key: &str, now: Time) -> bool {
        self.until.get(key).is_some_and(|until| now < until)
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Marks").field(&self.until.len()).finish()
    }
}
