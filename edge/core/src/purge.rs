//! What has been made invalid, by sequence number.
//!
//! Each purge has a number. An entry carries the highest number that was known *before* its fetch (or the 304 that confirmed
//! it) began, and is invalid when a purge that matches it has a higher one. So an answer that was under way during a purge
//! cannot bring old content back, however the two interleave, and no clock is asked.
//!
//! This is the log of one instance. What another instance has stored carries another log's numbers, which mean nothing here;
//! such an entry is compared by time.
//!
//! The log is bounded. It holds the last 10,000 purges one by one, by the hash of the URL; an older one lives on in one of many
//! buckets, which it shares with whatever has the same place there. Nothing is ever forgotten, so that no purge is undone; what a
//! full log costs is that a part of what is older than its oldest purges is fetched once more, and that part is small.
//!
//! Clients purge too: each write makes its URL invalid. What many of them do at once must not push out of the log what others
//! have purged. Above a rate ([`Purges::by_client`]) a write's purge goes to its bucket at once. All that is promised of a purge
//! holds for it just the same: for each variant and each tier, for what is under way, and for who reads what he wrote.

mod buckets;
mod limit;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use serde::{Deserialize, Serialize};

use crate::hash::KeyHasher;
use crate::time::Time;
use buckets::Buckets;
use limit::TokenBucket;

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
    hasher: KeyHasher,
    inner: RwLock<Inner>,
}

struct Inner {
    /// The last purges, one for each URL, by the URL's hash.
    urls: HashMap<u128, Purge, SeedableRandomState>,
    /// The order in which they came, oldest first. What names a number that is no longer its URL's last means nothing.
    order: VecDeque<(u128, u64)>,
    /// Those that no longer lie in `urls`, or never did.
    coarse: Buckets,
    clients: TokenBucket,
}

#[derive(Clone, Copy, Debug, Default)]
struct Purge {
    seq: u64,
    at: Time,
}

/// Purges that are held one by one.
const MOST: usize = 10_000;
/// Of these so many a second may be clients', and so many at once.
const CLIENTS_RATE: u32 = 50;
const CLIENTS_BURST: u32 = 1_000;

impl Purges {
    /// An empty log. `log` tells it from the logs of other instances; `seed` keeps clients from aiming at one bucket.
    pub fn new(log: u64, seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        let inner = Inner {
            urls: HashMap::with_hasher(hasher),
            order: VecDeque::new(),
            coarse: Buckets::default(),
            clients: TokenBucket::new(CLIENTS_RATE, CLIENTS_BURST),
        };
        let hasher = KeyHasher::new(seed);
        Self { log, latest: AtomicU64::new(0), hasher, inner: RwLock::new(inner) }
    }

    /// The place that a fetch that begins now carries.
    pub fn mark(&self) -> Mark {
        Mark { log: self.log, seq: self.latest.load(Ordering::Acquire) }
    }

    /// Makes invalid what is stored for a URL (scheme, authority, path and keyed query) in all its variants.
    pub fn url(&self, url: &str, now: Time) {
        self.add(url, now, |_| true);
    }

    /// The same, because a client has written to the URL. Whether the log holds it as one; where clients are too many it raises a
    /// bucket.
    pub fn by_client(&self, url: &str, now: Time) -> bool {
        self.add(url, now, |inner| inner.clients.take(now))
    }

    fn add(&self, url: &str, now: Time, as_one: impl Fn(&mut Inner) -> bool) -> bool {
        let hash = self.hasher.hash(url);
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let purge = Purge { seq: self.latest.load(Ordering::Acquire) + 1, at: now };
        let as_one = as_one(&mut inner);
        if as_one {
            inner.record(hash, purge);
        } else {
            inner.coarse.raise(hash, purge);
        }
        self.latest.store(purge.seq, Ordering::Release);
        as_one
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
        let hash = self.hasher.hash(url_of(key));
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let one = inner.urls.get(&hash).copied().unwrap_or_default();
        let coarse = inner.coarse.last(hash);
        Purge { seq: one.seq.max(coarse.seq), at: one.at.max(coarse.at) }
    }
}

impl Inner {
    fn record(&mut self, hash: u128, purge: Purge) {
        self.urls.insert(hash, purge);
        self.order.push_back((hash, purge.seq));
        while self.urls.len() > MOST {
            let Some((hash, seq)) = self.order.pop_front() else { return };
            if let Some(oldest) = self.urls.get(&hash).copied().filter(|purge| purge.seq == seq) {
                self.urls.remove(&hash);
                self.coarse.raise(hash, oldest);
            }
        }
        // One URL may be purged again and again.
        if self.order.len() > 2 * MOST {
            let urls = &self.urls;
            self.order.retain(|(hash, seq)| urls.get(hash).is_some_and(|purge| purge.seq == *seq));
        }
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

    /// Of this many URLs of another host, how many are invalid as of a place in the log.
    fn invalid(purges: &Purges, mark: Mark) -> usize {
        let covered = |n: &usize| purges.covers(&format!("https://b/{n}"), mark, Time(0));
        (0..1_000).filter(covered).count()
    }

    #[test]
    fn a_full_log_undoes_no_purge_and_touches_little_else() {
        let purges = purges();
        let before = purges.mark();
        let number = MOST + 5_000;
        for n in 0..number {
            purges.url(&format!("https://a/{n}"), Time(10));
        }
        let covered = (0..number).filter(|n| purges.covers(&format!("https://a/{n}\nv1:x"), before, Time(0)));
        assert_eq!(covered.count(), number, "each purge holds for ever");
        // 5,000 of 262,144 buckets.
        assert!(invalid(&purges, before) < 60, "{}", invalid(&purges, before));
        assert_eq!(invalid(&purges, purges.mark()), 0, "what began later is valid");
    }

    #[test]
    fn the_log_is_bounded_whatever_is_purged() {
        let purges = purges();
        for n in 0..5 * MOST {
            purges.url("https://a/the-same", Time(10));
            purges.url(&format!("https://a/{}", n % (MOST + 1)), Time(10));
        }
        let inner = purges.inner.read().unwrap();
        assert!(inner.urls.len() <= MOST && inner.order.len() <= 2 * MOST + 1);
    }

    #[test]
    fn clients_push_nothing_out_of_the_log() {
        let purges = purges();
        let before = purges.mark();
        purges.url("https://a/important", Time(10));
        let mut recorded = 0;
        for n in 0..10_100 {
            recorded += u32::from(purges.by_client(&format!("https://a/{n}"), Time(10)));
            let after = purges.mark();
            assert!(!purges.covers(&format!("https://a/{n}"), after, Time(0)), "who wrote may fetch anew");
        }
        assert_eq!(recorded, CLIENTS_BURST);
        // What a client wrote to is invalid in every variant, also what began before and is under way.
        for n in 0..10_100 {
            for key in [format!("https://a/{n}"), format!("https://a/{n}\nfx-a=1:b\nv3:a=1")] {
                assert!(purges.covers(&key, before, Time(0)), "{key}");
                assert!(purges.last_for(&key) > before.seq && purges.concerns_since(&key, Time(10)));
            }
        }
        assert!(invalid(&purges, before) < 80, "{}", invalid(&purges, before));
        assert!(purges.inner.read().unwrap().urls.len() <= CLIENTS_BURST as usize + 1);
        assert!(purges.by_client("https://a/later", Time(10 + 20)), "a fiftieth of a second later");
    }

    #[test]
    fn what_another_instance_stored_is_compared_by_time_in_a_bucket_too() {
        let purges = purges();
        for n in 0..2_000 {
            purges.by_client(&format!("https://a/{n}"), Time(10_500));
        }
        let foreign = Mark { log: 8, seq: 1_000_000 };
        assert!(purges.covers("https://a/1999", foreign, Time(10_500)));
        assert!(!purges.covers("https://a/1999", foreign, Time(11_001)));
    }
}
