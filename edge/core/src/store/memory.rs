//! The memory tier: decoded entries of one instance, within a budget of bytes.

use std::hash::BuildHasher;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use crate::entry::Slot;

/// A cache of slots by key that forgets what is used least once its budget is spent.
pub struct Memory {
    cache: Cache<Box<str>, Slot, BytesWeighter, Hasher>,
    budget: u64,
}

impl Memory {
    /// `budget` in bytes. `seed` keeps clients from aiming at one bucket. `shards`: about four times the threads that
    /// share it; each shard holds its part of the budget, so that an entry larger than that part is not kept.
    pub fn new(budget: u64, seed: u64, shards: usize) -> Self {
        const USUAL_ENTRY: u64 = 8 << 10;
        let items = usize::try_from((budget / USUAL_ENTRY).clamp(16, 1 << 20)).unwrap_or(16);
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(items)
            .weight_capacity(budget)
            .build();
        let hasher = Hasher(SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()));
        let cache = match options {
            Ok(options) => Cache::with_options(options, BytesWeighter, hasher, DefaultLifecycle::default()),
            Err(_) => Cache::with(items, budget, BytesWeighter, hasher, DefaultLifecycle::default()),
        };
        Self { cache, budget }
    }

    pub fn get(&self, key: &str) -> Option<Slot> {
        self.cache.get(key)
    }

    /// Keeps a slot in place of what was there; one that is larger than the budget is not kept.
    pub fn put(&self, key: &str, slot: Slot) {
        self.cache.insert(key.into(), slot);
    }

    /// Returns whether there was something.
    pub fn remove(&self, key: &str) -> bool {
        self.cache.remove(key).is_some()
    }

    pub fn len(&self) -> usize {
        self.cache.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Bytes in use, as entries weigh themselves.
    pub fn bytes(&self) -> u64 {
        self.cache.weight()
    }

    pub fn budget(&self) -> u64 {
        self.budget
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("entries", &self.len()).field("bytes", &self.bytes()).finish()
    }
}

#[derive(Clone)]
struct BytesWeighter;

impl Weighter<Box<str>, Slot> for BytesWeighter {
    fn weight(&self, key: &Box<str>, slot: &Slot) -> u64 {
        let content = match slot {
            Slot::Entry(entry) => entry.weight(),
            Slot::Vary(index) => {
                let names = |set: &Vec<http::HeaderName>| {
                    64 + set.iter().map(|name| 64 + name.as_str().len() as u64).sum::<u64>()
                };
                128 + index.key.len() as u64 + index.sets.iter().map(names).sum::<u64>()
            }
        };
        // Beside the key: its place in the table, and what the cache keeps of each place.
        content + key.len() as u64 + 128
    }
}

#[derive(Clone)]
struct Hasher(SeedableRandomState);

impl BuildHasher for Hasher {
    type Hasher = <SeedableRandomState as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::config::Policy;
    use crate::entry::{Entry, Parts};
    use crate::time::Time;

    fn slot(key: &str, size: usize) -> Slot {
        let parts = Parts {
            key: key.to_owned(),
            status: StatusCode::OK,
            fields: HeaderMap::new(),
            body: Bytes::from(vec![0; size]),
            requested: Time(0),
            received: Time(0),
            purge_mark: crate::purge::Mark { log: 0, seq: 0 },
            vary: vec![],
        };
        Slot::Entry(Arc::new(Entry::new(parts, &Policy::default())))
    }

    #[test]
    fn the_budget_holds() {
        let memory = Memory::new(100_000, 1, 1);
        for n in 0..100 {
            let key = format!("k{n}");
            memory.put(&key, slot(&key, 10_000));
        }
        assert!(memory.bytes() <= 100_000, "{}", memory.bytes());
        assert!(memory.len() >= 5, "{}", memory.len());
    }

    #[test]
    fn what_was_put_is_found_until_it_is_removed() {
        let memory = Memory::new(1 << 20, 1, 4);
        memory.put("a", slot("a", 10));
        assert!(memory.get("a").is_some());
        assert!(memory.get("b").is_none());
        memory.remove("a");
        assert!(memory.get("a").is_none());
    }

    #[test]
    fn what_is_larger_than_the_budget_is_not_kept() {
        let memory = Memory::new(10_000, 1, 1);
        memory.put("a", slot("a", 5_000));
        memory.put("a", slot("a", 20_000));
        assert!(memory.get("a").is_none());
    }
}
