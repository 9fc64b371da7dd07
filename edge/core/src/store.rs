//! Step 8: what is written where, and for how long.

pub mod memory;
mod rests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use rests::Rests;

use crate::edge::Edge;
use crate::entry::{Apart, Entry, Slot, VaryIndex, encode_body, encode_entry, encode_vary};
use crate::key::digest;
use crate::platform::{Platform, Store, StoreError};
use crate::time::Time;

/// A body larger than this is a value of its own, so that a 304 rewrites only the head. In bytes.
const APART: usize = 128 << 10;
/// What an index of variants is kept for: it says nothing that grows stale.
const INDEX_KEPT: Duration = Duration::from_hours(24);

/// Puts an entry into the memory tier, with what the URL varies on. Cheap, and done before anyone is told.
pub fn remember(edge: &Edge, primary: &str, entry: &Arc<Entry>, now: Time) -> Option<Arc<VaryIndex>> {
    if entry.useful_for(now).is_zero() {
        return None;
    }
    edge.memory.put(&entry.key, Slot::Entry(entry.clone()));
    if entry.vary.is_empty() {
        return None;
    }
    let known = match edge.memory.get(primary) {
        Some(Slot::Vary(index)) => (*index).clone(),
        _ => VaryIndex { key: primary.to_owned(), sets: Vec::new() },
    };
    let index = Arc::new(known.with(&entry.vary));
    edge.memory.put(primary, Slot::Vary(index.clone()));
    Some(index)
}

/// Puts what a URL varies on into the memory tier, where nothing is known of it yet.
pub fn remember_index(edge: &Edge, primary: &str, index: VaryIndex) {
    if edge.memory.get(primary).is_none() {
        edge.memory.put(primary, Slot::Vary(Arc::new(index)));
    }
}

/// Where the stores are to have the body of an entry: where they have it already, if that lasts as long as the entry may be
/// of use, else in a new value. `None`: beside its head.
pub fn body_apart(entry: &Entry, random: u64, now: Time) -> Option<Apart> {
    if entry.body.len() <= APART {
        return None;
    }
    let keep = entry.useful_for(now);
    let lasts = |apart: &Apart| apart.until >= now + keep;
    entry.apart.filter(lasts).or_else(|| {
        // What a 304 can confirm needs its body for longer than its head was first kept.
        let longer = if entry.has_validator() { keep } else { Duration::ZERO };
        Some(encode_body(random, &entry.body, now + keep + longer))
    })
}

/// Writes an entry to every store that is worth it. `index` is written under the primary key where the URL varies. `confirmed`:
/// what was stored, if a 304 has confirmed it: where its body is apart and goes on being good, the head is written alone.
/// Whether another instance will find it.
pub async fn write<P: Platform>(
    edge: &Edge,
    platform: &P,
    primary: &str,
    entry: &Entry,
    index: Option<&VaryIndex>,
    confirmed: Option<&Entry>,
) -> bool {
    let has_body = |store: &P::Store| {
        confirmed.is_some_and(|old| entry.apart.is_some() && old.apart == entry.apart && is_worth(store, old))
    };
    let mut found = false;
    for store in platform.stores() {
        found |= write_if_worth(edge, platform, store, primary, entry, index, has_body(store)).await;
    }
    found
}

/// Writes what a farther store had (the one at `from`) to the nearer ones, behind the answer.
pub fn promote<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    from: usize,
    primary: &str,
    entry: &Arc<Entry>,
    index: Option<Arc<VaryIndex>>,
) {
    let nearer = move |platform: &P| platform.stores().len().min(from);
    if nearer(platform) == 0 {
        return;
    }
    let (edge, behind, primary, entry) = (edge.clone(), platform.clone(), primary.to_owned(), entry.clone());
    platform.spawn(async move {
        // What has come in between is newer, in every tier.
        let purged = edge.purges.covers(&entry.key, entry.purge_mark, entry.requested);
        let replaced = match edge.memory.get(&entry.key) {
            Some(Slot::Entry(known)) => !Arc::ptr_eq(&known, &entry),
            Some(Slot::Vary(_)) => true,
            None => false,
        };
        if purged || replaced {
            return;
        }
        for store in &behind.stores()[..nearer(&behind)] {
            write_if_worth(&edge, &behind, store, &primary, &entry, index.as_deref(), false).await;
        }
    });
}

/// Whether it is there now.
async fn write_if_worth<P: Platform>(
    edge: &Edge,
    platform: &P,
    store: &P::Store,
    primary: &str,
    entry: &Entry,
    index: Option<&VaryIndex>,
    has_body: bool,
) -> bool {
    let now = platform.now();
    let keep = entry.useful_for(now);
    let fits = entry.body.len() as u64 <= store.limits().value;
    if keep.is_zero() || !fits || !is_worth(store, entry) || !edge.rests.is_awake(store, now) {
        return false;
    }
    let written = write_to(store, primary, entry, index, now, has_body).await;
    edge.counters.store_write(written.is_ok());
    let kept = match written {
        Ok(()) if edge.rests.is_doubtful(store) => gives_back(edge, store, &entry.key).await,
        written => written.is_ok(),
    };
    if kept {
        edge.rests.keeps(store.name());
    } else {
        rest(edge, platform, store);
    }
    kept
}

/// Whether a store has what was written to it a moment ago.
async fn gives_back<S: Store>(edge: &Edge, store: &S, key: &str) -> bool {
    let read = store.get(&digest(key)).await;
    edge.counters.store_read(read.is_ok());
    matches!(read, Ok(Some(_)))
}

/// A store has failed, or does not keep what it takes.
pub fn rest<P: Platform>(edge: &Edge, platform: &P, store: &P::Store) {
    if edge.rests.failed(store, platform.now()) {
        edge.counters.store_rest();
    }
}

/// Whether an entry is worth what a store costs: written to it, and so also looked for there.
pub fn is_worth<S: Store>(store: &S, entry: &Entry) -> bool {
    entry.served_for() >= store.limits().worth
}

async fn write_to<S: Store>(
    store: &S,
    primary: &str,
    entry: &Entry,
    index: Option<&VaryIndex>,
    now: Time,
    has_body: bool,
) -> Result<(), StoreError> {
    let name = digest(&entry.key);
    let keep = entry.useful_for(now);
    // Body before head before index: what is found always leads to what is there.
    if let Some(apart) = entry.apart
        && !has_body
    {
        store.put(&apart.name(&name), entry.body.clone(), keep.max(apart.until.since(now))).await?;
    }
    store.put(&name, encode_entry(entry, entry.apart), keep).await?;
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
        if !edge.rests.is_awake(store, platform.now()) {
            continue;
        }
        let forgotten = store.delete(&name).await;
        edge.counters.store_write(forgotten.is_ok());
        if forgotten.is_err() {
            rest(edge, platform, store);
        }
    }
}

/// The bytes of a body that is kept apart, if they are what the head says.
pub async fn read_apart<S: Store>(store: &S, head: &str, apart: Apart) -> Result<Option<Bytes>, StoreError> {
    let body = store.get(&apart.name(head)).await?;
    Ok(body.filter(|body| apart.fits(body)))
}
