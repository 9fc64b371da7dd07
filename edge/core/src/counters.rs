//! What one instance has counted since its start.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::respond::{Outcome, Report};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the start of this instance, not of the whole edge.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($name: AtomicU64,)*
        }

        /// The counts at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Snapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }

        impl Snapshot {
            /// Every count with its name.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Requests answered, of all kinds.
    requests,
    /// Answered fresh from the memory tier.
    hits_memory,
    /// Answered fresh from a store.
    hits_store,
    /// Answered stale by permission.
    stale,
    /// Answered after the origin confirmed the entry.
    revalidated,
    /// Answered by the origin.
    misses,
    /// Answered by what another request brought.
    collapsed,
    /// Sent through.
    passes,
    /// Answered by the edge itself with an error.
    errors,
    /// Requests sent toward the origin, background revalidations included.
    origin_requests,
    /// Of these, without an answer.
    origin_failures,
    /// Requests sent again, because the origin had closed the connection that it was kept alive for.
    origin_retries,
    /// Reads of a store that failed.
    store_read_failures,
    /// Writes to a store, and of these the ones that failed.
    store_writes,
    store_write_failures,
    /// Times that a store was found to be of no use, and left alone for a while.
    store_rests,
    /// Stored values that were truncated, corrupt or of another key.
    corrupt_entries,
    /// Revalidations behind a stale answer.
    background_revalidations,
    /// Requests with more particular fields than tell entries apart, which passed.
    too_particular,
    /// Responses that were not stored, because their URL has as many particular sets as it may.
    particular_sets_full,
    /// Invalidations by clients above the rate that the purge log takes one by one.
    invalidations_limited,
    /// Times the lock between instances could not be used.
    lease_failures,
    /// Requests whose forwarding fields were not believed, because no trusted proxy sent them.
    forwarding_not_trusted,
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub fn answered(&self, report: &Report) {
        add(&self.requests);
        if report.collapsed {
            add(&self.collapsed);
        }
        add(match report.outcome {
            Outcome::Hit if report.tier == Some(crate::lookup::MEMORY) => &self.hits_memory,
            Outcome::Hit => &self.hits_store,
            Outcome::Stale => &self.stale,
            Outcome::Revalidated => &self.revalidated,
            Outcome::Miss => &self.misses,
            Outcome::Pass => &self.passes,
            Outcome::Error => &self.errors,
        });
    }

    pub fn origin_asked(&self, answered: bool) {
        add(&self.origin_requests);
        if !answered {
            add(&self.origin_failures);
        }
    }

    pub fn origin_retried(&self) {
        add(&self.origin_retries);
    }

    pub fn store_read(&self, read: bool) {
        if !read {
            add(&self.store_read_failures);
        }
    }

    pub fn store_write(&self, written: bool) {
        add(&self.store_writes);
        if !written {
            add(&self.store_write_failures);
        }
    }

    pub fn store_rest(&self) {
        add(&self.store_rests);
    }

    pub fn corrupt_entry(&self) {
        add(&self.corrupt_entries);
    }

    pub fn too_particular(&self) {
        add(&self.too_particular);
    }

    pub fn particular_set_refused(&self) {
        add(&self.particular_sets_full);
    }

    pub fn invalidation_limited(&self) {
        add(&self.invalidations_limited);
    }

    pub fn lease_failed(&self) {
        add(&self.lease_failures);
    }

    /// Whether it is the first.
    pub fn forwarding_not_trusted(&self) -> bool {
        self.forwarding_not_trusted.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub fn background_revalidation(&self) {
        add(&self.background_revalidations);
    }
}
