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

/// Looks into the stores, near to far, and remembers in memory what it finds. A store that fails is a miss, counted.
pub async fn in_stores<P: Platform>(
    edge: &Edge,
    platform: &P,
    key: &Key,
    forwarded: &HeaderMap,
    policy: &Policy,
) -> Found {
    let mut missing = Forward::UriMiss;
    for store in platform.stores() {
        let slot = match read(edge, store, key.as_str(), policy).await {
            None => continue,
            Some(Slot::Entry(entry)) => Arc::new(Slot::Entry(entry)),
            Some(Slot::Vary(index)) => {
                missing = Forward::VaryMiss;
                match variant(edge, store, key, forwarded, &index, policy).await {
                    None => continue,
                    Some(entry) => Arc::new(Slot::Entry(entry)),
                }
            }
        };
        store::remember(edge, key.as_str(), &slot, platform.now());
        return Found::Entry { slot, tier: store.name() };
    }
    Found::Missing(missing)
}

async fn variant<S: Store>(
    edge: &Edge,
    store: &S,
    key: &Key,
    forwarded: &HeaderMap,
    index: &VaryIndex,
    policy: &Policy,
) -> Option<Entry> {
    for set in &index.sets {
        let variant = key.variant(&vary::selector(forwarded, set));
        if let Some(Slot::Entry(entry)) = read(edge, store, &variant, policy).await {
            return Some(entry);
        }
    }
    None
}

async fn read<S: Store>(edge: &Edge, store: &S, key: &str, policy: &Policy) -> Option<Slot> {
    let name = digest(key);
    let bytes = match store.get(&name).await {
        Ok(found) => {
            edge.counters.store_read(true);
            found?
        }
        Err(_) => {
            edge.counters.store_read(false);
            return None;
        }
    };
    let purged = |parts: &Parts| edge.purges.covers(key, parts.purge_mark, parts.requested);
    match decode(&bytes, key) {
        Ok(Decoded::Entry(parts) | Decoded::Head(parts, _)) if purged(&parts) => None,
        Ok(Decoded::Entry(parts)) => Some(Slot::Entry(Entry::new(parts, policy))),
        Ok(Decoded::Head(mut parts, apart)) => {
            parts.body = store::read_apart(store, &name, apart).await.ok().flatten()?;
            Some(Slot::Entry(Entry::new(parts, policy)))
        }
        Ok(Decoded::Vary(index)) => Some(Slot::Vary(index)),
        Err(_) => {
            edge.counters.corrupt_entry();
            None
        }
    }
}
