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
    Entry { slot: Arc<Slot>, tier: &'static str },
    /// None; `fwd` says whether the URL or only the variant is missing.
    Missing(Forward),
}

impl Found {
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Entry { slot, .. } => match &**slot {
                Slot::Entry(entry) => Some(entry),
                Slot::Vary(_) => None,
            },
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
        Some(slot) => match &*slot {
            Slot::Entry(entry) if is_purged(edge, entry) => Found::Missing(Forward::UriMiss),
            Slot::Entry(_) => Found::Entry { slot, tier: MEMORY },
            Slot::Vary(index) => newest(
                edge,
                index
                    .sets
                    .iter()
                    .filter_map(|set| edge.memory.get(&key.variant(&vary::selector(forwarded(), set)))),
            )
            .map_or(Found::Missing(Forward::VaryMiss), |slot| Found::Entry { slot, tier: MEMORY }),
        },
    }
}

pub(crate) fn is_purged(edge: &Edge, entry: &Entry) -> bool {
    edge.purges.covers(&entry.key, entry.purge_mark, entry.requested)
}

/// Of several responses that a request selects the most recent is used (RFC 9111, section 4).
fn newest(edge: &Edge, slots: impl Iterator<Item = Arc<Slot>>) -> Option<Arc<Slot>> {
    slots
        .filter(|slot| matches!(&**slot, Slot::Entry(entry) if !is_purged(edge, entry)))
        .max_by_key(|slot| if let Slot::Entry(entry) = &**slot { entry.received } else { crate::Time(0) })
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
        if !is_worth || !edge.rests.is_awake(store, platform.now()) {
            continue;
        }
        let found = in_store(edge, platform, store, key, forwarded, policy).await;
        if !is_newer(&found, &best) {
            continue;
        }
        best = found;
        let Found::Entry { slot, .. } = &best else { continue };
        // Another request may have brought something newer meanwhile.
        let known = in_memory(edge, key, || forwarded);
        if is_newer(&best, &known) {
            let index = store::remember(edge, key.as_str(), slot, platform.now());
            if is_enough(&best) {
                store::promote(edge, platform, at, key.as_str(), slot, index);
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
        Some(Slot::Entry(entry)) => entry,
        Some(Slot::Vary(index)) => {
            match variant(edge, platform, store, key, forwarded, &index, policy).await {
                None => return Found::Missing(Forward::VaryMiss),
                Some(entry) => entry,
            }
        }
    };
    Found::Entry { slot: Arc::new(Slot::Entry(entry)), tier: store.name() }
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
        let variant = key.variant(&vary::selector(forwarded, set));
        if let Some(Slot::Entry(entry)) = read(edge, platform, store, &variant, policy).await {
            return Some(entry);
        }
    }
    None
}

async fn read<P: Platform>(
    edge: &Edge,
    platform: &P,
    store: &P::Store,
    key: &str,
    policy: &Policy,
) -> Option<Slot> {
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
        Ok(Decoded::Entry(parts)) => Some(Slot::Entry(Entry::new(parts, policy))),
        Ok(Decoded::Head(mut parts, apart)) => {
            parts.body = store::read_apart(store, &name, apart).await.ok().flatten()?;
            Some(Slot::Entry(Entry { apart: Some(apart), ..Entry::new(parts, policy) }))
        }
        Ok(Decoded::Vary(index)) => Some(Slot::Vary(index)),
        Err(_) => {
            edge.counters.corrupt_entry();
            None
        }
    }
}
