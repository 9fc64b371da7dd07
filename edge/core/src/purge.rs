//! What has been made invalid, by sequence number.
//!
//! Each purge has a number. An entry carries the highest number that was known *before* its fetch (or the 304 that confirmed
//! it) began, and is invalid when a purge that matches it has a higher one. So an answer that was under way during a purge
//! cannot bring old content back, however the two interleave, and no clock is asked.
//!
//! This is the log of one instance. What another instance has stored carries another log's numbers, which mean nothing here;
//! such an entry is compared by time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// A place in a purge log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which log: that of one instance.
    pub log: u64,
    pub seq: u64,
}

/// The purges of one instance.
pub struct Purges {
    log: u64,
    latest: AtomicU64,
    inner: RwLock<Inner>,
}

struct Inner {
    /// The last purge of each URL.
    urls: HashMap<Box<str>, Purge, SeedableRandomState>,
    /// Everything before this counts as purged: the log has forgotten single purges up to here.
    floor: Purge,
}

#[derive(Clone, Copy, Default)]
struct Purge {
    seq: u64,
    at: Time,
}

/// More single purges than this are not kept: the floor is raised instead, and everything older is fetched anew.
const MOST: usize = 10_000;

impl Purges {
    /// An empty log. `log` tells it from the logs of other instances; `seed` keeps clients from aiming at one bucket.
    pub fn new(log: u64, seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        let inner = Inner { urls: HashMap::with_hasher(hasher), floor: Purge::default() };
        Self { log, latest: AtomicU64::new(0), inner: RwLock::new(inner) }
    }

    /// The place that a fetch that begins now carries.
    pub fn mark(&self) -> Mark {
        Mark { log: self.log, seq: self.latest.load(Ordering::Acquire) }
    }

    /// Makes invalid what is stored for a URL (scheme, authority, path and keyed query) in all its variants.
    pub fn url(&self, url: &str, now: Time) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let purge = Purge { seq: self.latest.load(Ordering::Acquire) + 1, at: now };
        if inner.urls.len() >= MOST {
            inner.urls.clear();
            inner.floor = purge;
        }
        inner.urls.insert(url.into(), purge);
        self.latest.store(purge.seq, Ordering::Release);
    }

    /// Whether what was fetched for `key` (its first line is the URL) at this place of the log, by a request sent at
    /// `requested`, is invalid.
    pub fn covers(&self, key: &str, mark: Mark, requested: Time) -> bool {
        let latest = self.latest.load(Ordering::Acquire);
        if latest == 0 || (mark.log == self.log && mark.seq >= latest) {
            return false;
        }
        let last = self.last(key);
        if mark.log == self.log { last.seq > mark.seq } else { last.seq > 0 && last.at >= requested }
    }

    /// The number of the last purge that concerns a key; zero where there is none.
    pub fn last_for(&self, key: &str) -> u64 {
        if self.latest.load(Ordering::Acquire) == 0 { 0 } else { self.last(key).seq }
    }

    /// Whether a purge has concerned a key at this time or later: a fill that another instance began then may bring what is
    /// purged.
    pub fn concerns_since(&self, key: &str, time: Time) -> bool {
        if self.latest.load(Ordering::Acquire) == 0 {
            return false;
        }
        let last = self.last(key);
        last.seq > 0 && last.at >= time
    }

    fn last(&self, key: &str) -> Purge {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let own = inner.urls.get(url_of(key)).copied().unwrap_or_default();
        if own.seq > inner.floor.seq { own } else { inner.floor }
    }
}

/// The URL within a key.
pub fn url_of(key: &str) -> &str {
    key.split('\n').next().unwrap_or(key)
}

impl std::fmt::Debug for Purges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Purges").field("latest", &self.latest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purges() -> Purges {
        Purges::new(7, 1)
    }

    #[test]
    fn only_what_began_after_the_purge_is_valid() {
        let purges = purges();
        let before = purges.mark();
        purges.url("https://a/x", Time(10));
        let after = purges.mark();
        assert!(purges.covers("https://a/x", before, Time(99)));
        assert!(purges.covers("https://a/x\nv3:a=1", before, Time(99)), "every variant");
        assert!(!purges.covers("https://a/x", after, Time(0)));
        assert!(!purges.covers("https://a/xy", before, Time(0)), "another URL");
    }

    #[test]
    fn what_another_instance_stored_is_compared_by_time() {
        let purges = purges();
        purges.url("https://a/x", Time(10));
        let foreign = Mark { log: 8, seq: 1_000 };
        assert!(purges.covers("https://a/x", foreign, Time(10)));
        assert!(!purges.covers("https://a/x", foreign, Time(11)));
        assert!(!purges.covers("https://a/y", foreign, Time(0)));
    }

    #[test]
    fn a_full_log_forgets_towards_more_purged() {
        let purges = purges();
        let before = purges.mark();
        for n in 0..=MOST {
            purges.url(&format!("https://a/{n}"), Time(10));
        }
        assert!(purges.covers("https://a/0", before, Time(99)));
        assert!(purges.covers("https://b/never", before, Time(99)), "the floor covers everything older");
        assert!(!purges.covers("https://b/never", purges.mark(), Time(99)));
    }
}
