//! Which particular sets of a URL are worth storing: those that are seen a second time, and of one URL a few.
//!
//! A client that makes up a field with each request fills no store, and pushes nothing out: its sets are seen once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::hash::KeyHasher;
use crate::time::Time;

/// Sets that are remembered, and counters of URLs. Powers of two.
const SEEN: usize = 1 << 14;
const URLS: usize = 1 << 16;
/// Most sets of one URL in one [`PERIOD`].
const MOST: u8 = 16;
/// After it all sets are counted anew.
const PERIOD: Duration = Duration::from_mins(10);

/// What is known of particular sets, in bounded memory: hashes of keys, each in the one place that it has.
pub(crate) struct Sets {
    hasher: KeyHasher,
    table: Mutex<Table>,
}

struct Table {
    /// The hash of a set's key, with whether it was admitted in the lowest bit.
    seen: Box<[u64]>,
    urls: Box<[u8]>,
    since: Time,
}

/// Whether a set is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    /// It was not seen before.
    First,
    /// Its URL has as many as it may.
    Full,
}

impl Sets {
    /// `seed`: random bits of the instance.
    pub(crate) fn new(seed: u64) -> Self {
        let table = Table { seen: vec![0; SEEN].into(), urls: vec![0; URLS].into(), since: Time(0) };
        Self { hasher: KeyHasher::new(seed), table: Mutex::new(table) }
    }

    /// Notes that a response for the set with this key could be stored, and says whether it is. `url`: the URL's key.
    pub(crate) fn admit(&self, key: &str, url: &str, now: Time) -> Admission {
        let hash = self.hasher.hash(key);
        let (place, name) = ((hash >> 64) as usize & (SEEN - 1), (hash as u64) & !1);
        let counter = (self.hasher.hash(url) >> 64) as usize & (URLS - 1);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(table.since) >= PERIOD {
            table.since = now;
            table.urls.fill(0);
            // What was admitted is counted again when it is stored again.
            table.seen.iter_mut().for_each(|seen| *seen &= !1);
        }
        if table.seen[place] & !1 != name {
            table.seen[place] = name;
            return Admission::First;
        }
        if table.seen[place] & 1 == 1 {
            return Admission::Admitted;
        }
        if table.urls[counter] >= MOST {
            return Admission::Full;
        }
        table.urls[counter] += 1;
        table.seen[place] |= 1;
        Admission::Admitted
    }
}

impl std::fmt::Debug for Sets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_stored_when_it_is_seen_a_second_time() {
        let sets = Sets::new(1);
        assert_eq!(sets.admit("u\np:1", "u", Time(0)), Admission::First);
        assert_eq!(sets.admit("u\np:2", "u", Time(0)), Admission::First);
        for _ in 0..3 {
            assert_eq!(sets.admit("u\np:1", "u", Time(0)), Admission::Admitted);
        }
    }

    #[test]
    fn a_url_has_a_few_sets_at_a_time() {
        let sets = Sets::new(1);
        let key = |n: u8| format!("u\np:{n}");
        for _ in 0..2 {
            for n in 0..MOST {
                sets.admit(&key(n), "u", Time(0));
            }
        }
        let further = |now| {
            sets.admit(&key(MOST), "u", now);
            sets.admit(&key(MOST), "u", now)
        };
        assert_eq!(further(Time(1_000)), Admission::Full);
        assert_eq!(sets.admit(&key(0), "u", Time(1_000)), Admission::Admitted, "those that are there stay");
        assert_eq!(further(Time(600_000)), Admission::Admitted);
    }

    #[test]
    fn made_up_sets_take_no_memory() {
        let sets = Sets::new(1);
        for n in 0..100_000 {
            assert_ne!(sets.admit(&format!("u\np:{n}"), "u", Time(0)), Admission::Admitted);
        }
    }
}
