//! Step 4: what is stored for a request, from the nearest tier to the farthest.

use std::sync::Arc;

use http::HeaderMap;

use crate::config::Policy;
use crate::decide::Forward;
use crate::edge::Edge;
use crate::entry::{Decoded, Entry, Parts, Slot, VaryIndex, decode};
use crate::fields::vary;
use crate::key::{Key, digest};
use crate::platform::{Platform, Store};
use crate::store;

/// What a look-up came to.
#[derive(Clone, Debug)]
pub enum Found {
    /// A response that this request selects, and the tier it was found in.
    Entry { entry: Arc<Entry>, tier: &'static str },
    /// None; `fwd` says whether the URL or only the variant is missing.
    Missing(Forward),
}

impl Found {
    pub const fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Self::Entry { entry, .. } => Some(entry),
            Self::Missing(_) => None,
        }
    }

    /// What `fwd` of `Cache-Status` says where the entry, if there is one, is of no use.
    pub const fn forward(&self) -> Forward {
        match self {
            Self::Entry { .. } => Forward::UriMiss,
            Self::Missing(why) => *why,
        }
    }

    /// The tier it was found in.
    pub const fn tier(&self) -> Option<&'static str> {
        match self {
            Self::Entry { tier, .. } => Some(tier),
            Self::Missing(_) => None,
        }
    }
}

/// The name of the memory tier.
pub const MEMORY: &str = "memory";

/// Looks into the memory tier. `forwarded`: the fields of the request as the origin would get them, because what an
/// answer varies on is compared as the origin saw it; they are only asked for where an answer varies.
pub fn in_memory<'a>(edge: &Edge, key: &Key, forwarded: impl Fn() -> &'a HeaderMap) -> Found {
    match edge.memory.get(key.as_str()) {
        None => Found::Missing(Forward::UriMiss),
        Some(Slot::Entry(entry)) if is_purged(edge, &entry) => Found::Missing(Forward::UriMiss),
        Some(Slot::Entry(entry)) => Found::Entry { entry, tier: MEMORY },
        Some(Slot::Vary(index)) => {
            let variants = index.sets.iter().filter_map(|set| {
                match edge.memory.get(&key.variant(&vary::selector(forwarded(), set, &edge.seal)))? {
                    Slot::Entry(entry) => Some(entry).filter(|entry| !is_purged(edge, entry)),
                    Slot::Vary(_) => None,
                }
            });
            // Of several responses that a request selects the most recent is used (RFC 9111, section 4).
            match variants.max_by_key(|entry| entry.received) {
                Some(entry) => Found::Entry { entry, tier: MEMORY },
                None => Found::Missing(Forward::VaryMiss),
            }
        }
    }
}

/// The key under which concurrent misses collapse: the variant's, where it is known what the URL varies on, so that variants
/// are fetched side by side; else the URL's.
pub fn flight_key<'a>(edge: &Edge, key: &Key, forwarded: impl Fn() -> &'a HeaderMap) -> String {
    if let Some(Slot::Vary(index)) = edge.memory.get(key.as_str())
        && let Some(newest) = index.sets.first()
    {
        return key.variant(&vary::selector(forwarded(), newest, &edge.seal));
    }
    key.as_str().to_owned()
}

pub(crate) fn is_purged(edge: &Edge, entry: &Entry) -> bool {
    edge.purges.covers(&entry.key, entry.purge_mark, entry.requested)
}

/// Looks into the stores, near to far, for something newer than `near`, until there is enough. A store that fails is a miss,
/// counted; one in which what is known so far is not worth a place is not asked. What is found is remembered in memory, and
/// what is enough also written to the nearer stores, which did not have it.
pub async fn in_stores<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    key: &Key,
    forwarded: &HeaderMap,
    policy: &Policy,
    near: Found,
    is_enough: impl Fn(&Found) -> bool,
) -> Found {
    let mut best = near;
    for (at, store) in platform.stores().iter().enumerate() {
        let is_worth = best.entry().is_none_or(|entry| store::is_worth(store, entry));
        // What a store has would have to be held beside what slow clients hold already.
        if !is_worth || edge.bodies.is_full() || !edge.rests.is_awake(store, platform.now()) {
            continue;
        }
        let found = in_store(edge, platform, store, key, forwarded, policy).await;
        if !is_newer(&found, &best) {
            continue;
        }
        best = found;
        let Found::Entry { entry, .. } = &best else { continue };
        // Another request may have brought something newer meanwhile.
        let known = in_memory(edge, key, || forwarded);
        if is_newer(&best, &known) {
            let index = store::remember(edge, key.as_str(), entry, platform.now());
            if is_enough(&best) {
                store::promote(edge, platform, at, key.as_str(), entry, index);
            }
        } else {
            best = known;
        }
        if is_enough(&best) {
            break;
        }
    }
    best
}

/// Whether what a farther tier has replaces what is known.
pub(crate) fn is_newer(far: &Found, near: &Found) -> bool {
    match (far.entry(), near.entry()) {
        (Some(far), Some(near)) => far.received > near.received,
        (Some(_), None) => true,
        // Only a farther tier may know that the URL varies.
        (None, None) => matches!(far, Found::Missing(Forward::VaryMiss)),
        (None, Some(_)) => false,
    }
}

async fn in_store<P: Platform>(
    edge: &Edge,
    platform: &P,
    store: &P::Store,
    key: &Key,
    forwarded: &HeaderMap,
    policy: &Policy,
) -> Found {
    let entry = match read(edge, platform, store, key.as_str(), policy).await {
        None => return Found::Missing(Forward::UriMiss),
        Some(Stored::Entry(entry)) => entry,
        Some(Stored::Vary(index)) => {
            match variant(edge, platform, store, key, forwarded, &index, policy).await {
                None => {
                    // Misses of this URL collapse by variant from now on.
                    store::remember_index(edge, key.as_str(), index);
                    return Found::Missing(Forward::VaryMiss);
                }
                Some(entry) => entry,
            }
        }
    };
    Found::Entry { entry: Arc::new(entry), tier: store.name() }
}

async fn variant<P: Platform>(
    edge: &Edge,
    platform: &P,
    store: &P::Store,
    key: &Key,
    forwarded: &HeaderMap,
    index: &VaryIndex,
    policy: &Policy,
) -> Option<Entry> {
    for set in &index.sets {
        let variant = key.variant(&vary::selector(forwarded, set, &edge.seal));
        if let Some(Stored::Entry(entry)) = read(edge, platform, store, &variant, policy).await {
            return Some(entry);
        }
    }
    None
}

/// What a store held under a key.
#[allow(clippy::large_enum_variant, reason = "one at a time, on its way into an `Arc`")]
enum Stored {
    Entry(Entry),
    Vary(VaryIndex),
}

async fn read<P: Platform>(
    edge: &Edge,
    platform: &P,
    store: &P::Store,
    key: &str,
    policy: &Policy,
) -> Option<Stored> {
    let name = digest(key);
    let got = store.get(&name).await;
    edge.counters.store_read(got.is_ok());
    let Ok(found) = got else {
        store::rest(edge, platform, store);
        return None;
    };
    let bytes = found?;
    edge.rests.keeps(store.name());
    let purged = |parts: &Parts| edge.purges.covers(key, parts.purge_mark, parts.requested);
    match decode(&bytes, key) {
        Ok(Decoded::Entry(parts) | Decoded::Head(parts, _)) if purged(&parts) => None,
        Ok(Decoded::Entry(mut parts)) => {
            parts.body = edge.bodies.count(parts.body);
            Some(Stored::Entry(Entry::new(parts, policy)))
        }
        Ok(Decoded::Head(mut parts, apart)) => {
            parts.body = edge.bodies.count(store::read_apart(store, &name, apart).await.ok().flatten()?);
            Some(Stored::Entry(Entry { apart: Some(apart), ..Entry::new(parts, policy) }))
        }
        Ok(Decoded::Vary(index)) => Some(Stored::Vary(index)),
        Err(_) => {
            edge.counters.corrupt_entry();
            None
        }
    }
}
