//! What a fill leaves in the tiers: an entry, or nothing where one was.

use std::sync::Arc;

use super::fill::Fill;
use crate::entry::{Entry, Slot};
use crate::platform::Platform;
use crate::purge::url_of;
use crate::shield::lease::Ended;
use crate::store;

impl<P: Platform> Fill<P> {
    pub(super) fn forget_behind(&self) {
        let (edge, platform, key) = (self.edge.clone(), self.platform.clone(), self.key.as_str().to_owned());
        edge.purges.url(url_of(&key), platform.now());
        edge.memory.remove(&key);
        self.platform.spawn(async move { store::forget(&edge, &platform, &key).await });
    }

    /// Puts an entry into memory at once and into the stores behind the answer; not where a purge has come in between.
    /// `confirmed`: what it was before a 304 confirmed it.
    pub(super) fn keep(&self, mut entry: Entry, confirmed: Option<&Entry>) -> Arc<Slot> {
        let now = self.platform.now();
        let purged = self.edge.purges.covers(&entry.key, entry.purge_mark, entry.requested);
        if !purged && !self.platform.stores().is_empty() {
            entry.apart = store::body_apart(&entry, self.platform.random(), now);
        }
        let slot = Arc::new(Slot::Entry(entry));
        if purged {
            return slot;
        }
        let index = store::remember(&self.edge, self.key.as_str(), &slot, now);
        self.edge.hit_for_miss.clear(self.key.as_str());
        let (edge, platform, primary) =
            (self.edge.clone(), self.platform.clone(), self.key.as_str().to_owned());
        let (written, confirmed) = (slot.clone(), confirmed.filter(|old| old.apart.is_some()).cloned());
        let lease = self.lease.take();
        self.platform.spawn(async move {
            if let Slot::Entry(entry) = &*written {
                let confirmed = confirmed.as_ref();
                let found = store::write(&edge, &platform, &primary, entry, index.as_ref(), confirmed).await;
                if let Some(lease) = lease {
                    // Others look into the stores as soon as nobody holds the lease.
                    lease.end_now(if found { Ended::Free } else { Ended::Alone }).await;
                }
            }
        });
        slot
    }

    /// What came is for nobody else: who waits in other instances is let go.
    pub(super) fn release(&self) {
        if let Some(lease) = self.lease.take() {
            lease.end(Ended::Alone);
        }
    }
}
