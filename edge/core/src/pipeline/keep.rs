//! What a fill leaves in the tiers: an entry, or nothing where one was.

use std::sync::Arc;

use super::fill::Fill;
use crate::entry::{Entry, Slot};
use crate::fields::{self, date};
use crate::lookup::is_purged;
use crate::platform::Platform;
use crate::purge::url_of;
use crate::shield::lease::Ended;
use crate::store;

impl<P: Platform> Fill<P> {
    /// Forgets what this fill's response replaces without being stored. Of a URL that varies only the one variant.
    pub(super) fn forget_behind(&self, replaced: &Entry) {
        let (edge, platform) = (self.exchange.edge.clone(), self.exchange.platform.clone());
        let key = replaced.key.clone();
        if replaced.vary.is_empty() {
            edge.purges.url(url_of(&key), platform.now());
        }
        edge.memory.remove(&key);
        self.exchange.platform.spawn(async move { store::forget(&edge, &platform, &key).await });
    }

    /// Puts an entry into memory at once and into the stores behind the answer; not where a purge has come in between.
    /// `freshened`: what it was before a 304 brought it up to date.
    pub(super) fn keep(&self, mut entry: Entry, freshened: Option<&Entry>) -> Arc<Entry> {
        let (edge, platform) = (&self.exchange.edge, &self.exchange.platform);
        let now = platform.now();
        let purged = edge.purges.covers(&entry.key, entry.purge_mark, entry.requested);
        if !purged && !platform.stores().is_empty() {
            entry.apart = store::body_apart(&entry, platform.random(), now);
        }
        let entry = Arc::new(entry);
        // An answer that was asked for later has come before; of two at one time the more recent one counts (RFC 9111, section 4).
        let age =
            |entry: &Entry| (entry.requested, fields::text(&entry.fields, "date").and_then(date::parse));
        let is_older = matches!(
            edge.memory.get(&entry.key),
            Some(Slot::Entry(known)) if age(&known) > age(&entry) && !is_purged(edge, &known)
        );
        if purged || is_older {
            self.release(Ended::Free);
            return entry;
        }
        let key = self.request.key.as_str();
        let index = store::remember(edge, key, &entry, now);
        edge.hit_for_miss.clear(key);
        let (edge, platform, primary) = (edge.clone(), platform.clone(), key.to_owned());
        let (written, freshened) = (entry.clone(), freshened.filter(|old| old.apart.is_some()).cloned());
        let lease = self.lease.take();
        self.exchange.platform.spawn(async move {
            let freshened = freshened.as_ref();
            let found = store::write(&edge, &platform, &primary, &written, index.as_deref(), freshened).await;
            if let Some(lease) = lease {
                // Others look into the stores as soon as nobody holds the lease.
                lease.end_now(if found { Ended::Free } else { Ended::Alone }).await;
            }
        });
        entry
    }

    /// Gives the lease up. [`Ended::Alone`]: what came is for nobody else, and who waits in other instances is let go.
    pub(super) fn release(&self, ended: Ended) {
        if let Some(lease) = self.lease.take() {
            lease.end(ended);
        }
    }
}
