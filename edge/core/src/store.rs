//! Step 8: what is written where, and for how long.

pub mod memory;

use std::time::Duration;

use bytes::Bytes;

use crate::edge::Edge;
use crate::entry::{Entry, Slot, VaryIndex, encode_body, encode_entry, encode_vary};
use crate::key::digest;
use crate::platform::{Platform, Store};
use crate::time::Time;

/// A body larger than this is a value of its own, so that a 304 rewrites only the head. In bytes.
const APART: usize = 128 << 10;
/// What an index of variants is kept for: it says nothing that grows stale.
const INDEX_KEPT: Duration = Duration::from_hours(24);

/// Puts an entry into the memory tier, with what the URL varies on. Cheap, and done before anyone is told.
pub fn remember(edge: &Edge, primary: &str, entry: &std::sync::Arc<Slot>, now: Time) -> Option<VaryIndex> {
    let Slot::Entry(stored) = &**entry else { return None };
    if stored.useful_for(now).is_zero() {
        return None;
    }
    edge.memory.put(&stored.key, entry.clone());
    if stored.vary.is_empty() {
        return None;
    }
    let known = match edge.memory.get(primary).as_deref() {
        Some(Slot::Vary(index)) => index.clone(),
        _ => VaryIndex { key: primary.to_owned(), sets: Vec::new() },
    };
    let index = known.with(&stored.vary);
    edge.memory.put(primary, std::sync::Arc::new(Slot::Vary(index.clone())));
    Some(index)
}

/// Writes an entry to every store that is worth it. `index` is written under the primary key where the URL varies.
/// `head_only`: the body is stored already, and only if it is kept apart can the head be written alone.
pub async fn write<P: Platform>(
    edge: &Edge,
    platform: &P,
    primary: &str,
    entry: &Entry,
    index: Option<&VaryIndex>,
) {
    let keep = entry.useful_for(platform.now());
    for store in platform.stores() {
        if keep.is_zero() || !is_worth(store, entry) || entry.body.len() as u64 > store.limits().value {
            continue;
        }
        let written = write_to(store, platform.random(), primary, entry, index, keep).await;
        edge.counters.store_write(written.is_ok());
    }
}

/// Whether an entry is worth what a store costs: written to it, and so also looked for there.
pub fn is_worth<S: Store>(store: &S, entry: &Entry) -> bool {
    entry.served_for() >= store.limits().worth
}

async fn write_to<S: Store>(
    store: &S,
    random: u64,
    primary: &str,
    entry: &Entry,
    index: Option<&VaryIndex>,
    keep: Duration,
) -> Result<(), crate::platform::StoreError> {
    let name = digest(&entry.key);
    // Body before head before index: what is found always leads to what is there.
    let apart = (entry.body.len() > APART).then(|| encode_body(random, &entry.body));
    if let Some(apart) = &apart {
        store.put(&apart.name(&name), entry.body.clone(), keep).await?;
    }
    store.put(&name, encode_entry(entry, apart), keep).await?;
    if let Some(index) = index {
        store.put(&digest(primary), encode_vary(index), keep.max(INDEX_KEPT)).await?;
    }
    Ok(())
}

/// Removes what is stored under a key (of a URL or of a variant) everywhere.
pub async fn forget<P: Platform>(edge: &Edge, platform: &P, key: &str) {
    edge.memory.remove(key);
    let name = digest(key);
    for store in platform.stores() {
        let forgotten = store.delete(&name).await;
        edge.counters.store_write(forgotten.is_ok());
    }
}

/// The bytes of a body that is kept apart, if they are what the head says.
pub async fn read_apart<S: Store>(
    store: &S,
    head: &str,
    apart: crate::entry::Apart,
) -> Result<Option<Bytes>, crate::platform::StoreError> {
    let body = store.get(&apart.name(head)).await?;
    Ok(body.filter(|body| apart.fits(body)))
}
