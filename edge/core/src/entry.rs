//! What is stored: a response with all that is needed to reuse it, and what a URL varies on.

mod envelope;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};

pub use envelope::{Apart, DecodeError, Decoded, decode, encode_body, encode_entry, encode_vary};

use crate::config::Policy;
use crate::decide::Freshness;
use crate::fields;
use crate::purge::Mark;
use crate::time::Time;

/// A stored response.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The full key (of the variant, if there are variants): compared on reading.
    pub key: String,
    pub status: StatusCode,
    /// As the origin sent them, without what belongs to one connection and what may not be stored.
    pub fields: HeaderMap,
    pub body: Bytes,
    /// When the request that fetched or last validated it was sent, and when its response's head came.
    pub requested: Time,
    pub received: Time,
    /// Where the purge log was before that request was sent.
    pub purge_mark: Mark,
    /// What it varies on, sorted; empty where it does not.
    pub vary: Vec<HeaderName>,
    /// Computed from the fields under the policy in force when it was read or made.
    pub freshness: Freshness,
    /// Where the stores have the body, if they keep it apart from the head.
    pub apart: Option<Apart>,
}

/// The parts of an [`Entry`] before its freshness is known.
#[derive(Clone, Debug)]
pub struct Parts {
    pub key: String,
    pub status: StatusCode,
    pub fields: HeaderMap,
    pub body: Bytes,
    pub requested: Time,
    pub received: Time,
    pub purge_mark: Mark,
    pub vary: Vec<HeaderName>,
}

impl Entry {
    /// An entry under `policy`.
    pub fn new(parts: Parts, policy: &Policy) -> Self {
        let freshness =
            Freshness::compute(parts.status, &parts.fields, parts.requested, parts.received, policy);
        let Parts { key, status, fields, body, requested, received, purge_mark, vary } = parts;
        Self { key, status, fields, body, requested, received, purge_mark, vary, freshness, apart: None }
    }

    /// The entry after a 304 has confirmed it (RFC 9111, section 3.2): every field of the 304 replaces its namesake,
    /// but for those that describe the body that came then.
    pub fn freshened(
        &self,
        update: &HeaderMap,
        requested: Time,
        received: Time,
        purge_mark: Mark,
        policy: &Policy,
    ) -> Self {
        let mut fields = self.fields.clone();
        for name in update.keys() {
            if !keeps_on_update(name) {
                fields.remove(name);
                for value in update.get_all(name) {
                    fields.append(name.clone(), value.clone());
                }
            }
        }
        // The validated age begins anew unless the 304 says otherwise.
        if !update.contains_key(http::header::AGE) {
            fields.remove(http::header::AGE);
        }
        let parts = Parts {
            key: self.key.clone(),
            status: self.status,
            fields,
            body: self.body.clone(),
            requested,
            received,
            purge_mark,
            vary: self.vary.clone(),
        };
        Self { apart: self.apart, ..Self::new(parts, policy) }
    }

    pub fn age(&self, now: Time) -> Duration {
        self.freshness.initial_age + now.since(self.received)
    }

    /// What the origin took, from request to the head of its response.
    pub fn origin_time(&self) -> Duration {
        self.received.since(self.requested)
    }

    pub fn etag(&self) -> Option<&str> {
        fields::text(&self.fields, "etag")
    }

    pub fn last_modified(&self) -> Option<&str> {
        fields::text(&self.fields, "last-modified")
    }

    pub fn has_validator(&self) -> bool {
        self.etag().is_some() || self.last_modified().is_some()
    }

    /// How long from `now` it can be of any use: fresh, stale by permission, or to be confirmed by a 304.
    pub fn useful_for(&self, now: Time) -> Duration {
        let confirmable = if self.has_validator() { CONFIRMABLE } else { Duration::ZERO };
        let window = self.freshness.while_revalidate.max(self.freshness.disconnected).max(confirmable);
        (self.freshness.lifetime + window).saturating_sub(self.age(now))
    }

    /// How long it answers by itself, from the moment it came: fresh, or stale while a new one is fetched. That is what a
    /// farther tier's cost is weighed against, not the hours for which it might stand in for an error.
    pub fn served_for(&self) -> Duration {
        (self.freshness.lifetime + self.freshness.while_revalidate).saturating_sub(self.freshness.initial_age)
    }

    /// Bytes it takes in memory, roughly.
    pub fn weight(&self) -> u64 {
        // What allocators add, and the counting of the body.
        const BESIDE: usize = 256;
        let body = self.body.len();
        (self.key.len() + fields::weight(&self.fields) + body + size_of::<Self>() + BESIDE) as u64
    }
}

/// A stale entry that a 304 can confirm is kept this much longer.
const CONFIRMABLE: Duration = Duration::from_hours(1);

/// Fields of a 304 that do not replace the stored ones (RFC 9111, section 3.2).
fn keeps_on_update(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "content-encoding" | "content-type" | "content-range" | "content-length" | "transfer-encoding"
    )
}

/// What a tier holds under a key.
#[derive(Clone, Debug)]
pub enum Slot {
    /// The one response of a URL that does not vary, or one variant under its own key.
    Entry(Arc<Entry>),
    /// The URL varies: on these sets of fields, the newest first. Each leads to a variant.
    Vary(Arc<VaryIndex>),
}

/// The sets of fields that answers of one URL have varied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VaryIndex {
    pub key: String,
    pub sets: Vec<Vec<HeaderName>>,
}

impl VaryIndex {
    /// More sets than this are not searched: a URL whose `Vary` changes all the time is not worth it.
    pub const MOST_SETS: usize = 4;

    /// With `set` as the newest.
    pub fn with(mut self, set: &[HeaderName]) -> Self {
        self.sets.retain(|known| known != set);
        self.sets.insert(0, set.to_vec());
        self.sets.truncate(Self::MOST_SETS);
        self
    }
}
