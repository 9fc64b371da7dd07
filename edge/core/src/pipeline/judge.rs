//! Whether a response is kept: for whom, and on what it varies.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::BodyOf;
use super::fill::{Answered, Fill};
use crate::body::Body;
use crate::classes::repeats_ordinary;
use crate::decide::{Candidate, Freshness, NoStore, leaves_entry, storable};
use crate::entry::{Entry, Slot};
use crate::key::selection;
use crate::origin::{is_keyed, unkeyed};
use crate::platform::Platform;
use crate::purge::url_of;
use crate::shield::Admission;

/// Most fields that one URL varies on by what its other responses have varied on.
const MOST_SELECTING: usize = 16;

/// How a response that could be stored is.
pub(super) struct Storing {
    /// On what it varies.
    pub(super) vary: Vec<HeaderName>,
    /// Why it answers those who wait, and is not kept.
    pub(super) once: Option<NoStore>,
}

impl<P: Platform> Fill<P> {
    /// Whether the origin itself names a lifetime.
    pub(super) fn is_explicit(&self, answered: &Answered<BodyOf<P>>) -> bool {
        self.freshness(answered, answered.response.status()).source.is_explicit()
    }

    fn freshness(&self, answered: &Answered<BodyOf<P>>, status: StatusCode) -> Freshness {
        let Answered { response, requested, received, .. } = answered;
        Freshness::compute(status, response.headers(), *requested, *received, self.policy())
    }

    /// Whether a response may be stored, and on what it varies. `stale`: what is stored.
    pub(super) fn storable(
        &self,
        answered: &Answered<BodyOf<P>>,
        stale: Option<&Arc<Entry>>,
    ) -> Result<Storing, NoStore> {
        if self.method != Method::GET {
            return Err(NoStore::Method);
        }
        let status = answered.response.status();
        if leaves_entry(status) && stale.is_some_and(|stale| !leaves_entry(stale.status)) {
            return Err(NoStore::LeavesEntry);
        }
        let vary = self.judge(answered, status, answered.response.body().length())?;
        let repeated = self.repeated(answered.response.headers(), &[], &vary);
        if !repeated.is_empty() {
            return Err(NoStore::Repeats(repeated));
        }
        if leaves_entry(status) {
            // Whatever reached the origin may have caused it: it is for those who would cause the same.
            return Ok(Storing { vary: union(vary, &unkeyed(self.policy())), once: None });
        }
        let once = self.once(stale, &vary);
        Ok(Storing { vary: self.widened(vary), once })
    }

    /// Why a response that could be stored is only for those who wait for it. `vary`: the fields that it names itself are keyed by it, and
    /// particular no more.
    fn once(&self, stale: Option<&Arc<Entry>>, vary: &[HeaderName]) -> Option<NoStore> {
        let (edge, key) = (&self.exchange.edge, &self.request.key);
        // What is stored was admitted.
        let name = key.particulars().iter().find(|name| !vary.contains(name)).filter(|_| stale.is_none())?;
        match edge.sets.admit(key.as_str(), url_of(key.as_str()), self.exchange.platform.now()) {
            Admission::Admitted => None,
            Admission::First => Some(NoStore::ParticularOnce(name.clone())),
            Admission::Full => {
                edge.counters.particular_set_refused();
                Some(NoStore::ParticularFull(name.clone()))
            }
        }
    }

    /// What a URL varies on is the union of all that its responses have varied on, as far as it is known and small: an origin
    /// may name a field only where the request has it.
    pub(super) fn widened(&self, vary: Vec<HeaderName>) -> Vec<HeaderName> {
        let Some(Slot::Vary(index)) = self.exchange.edge.memory.get(self.request.key.as_str()) else {
            return vary;
        };
        // What tells errors apart is no concern of what succeeds.
        let of_errors = unkeyed(self.policy());
        let sets = index.sets.iter().filter(|set| !of_errors.iter().all(|name| set.contains(name)));
        let known: Vec<HeaderName> = sets.flatten().cloned().collect();
        let all = union(vary.clone(), &known);
        if all.len() > MOST_SELECTING { vary } else { all }
    }

    /// Whether a response with this status and a body of this length may be stored, and on what it varies by itself.
    pub(super) fn judge(
        &self,
        answered: &Answered<BodyOf<P>>,
        status: StatusCode,
        length: Option<u64>,
    ) -> Result<Vec<HeaderName>, NoStore> {
        let freshness = self.freshness(answered, status);
        let candidate = Candidate {
            request: &self.exchange.fields,
            request_no_store: self.request.facts.directives.no_store(),
            status,
            response: answered.response.headers(),
            freshness: &freshness,
            length,
        };
        storable(&candidate, self.exchange.edge.config.limits.object, self.policy())
    }

    /// The ordinary fields that a response repeats word for word, where they do not tell it apart. `vary`: the fields that do, beside
    /// those that are keyed.
    pub(super) fn repeated(&self, response: &HeaderMap, body: &[u8], vary: &[HeaderName]) -> Vec<HeaderName> {
        let policy = self.policy();
        let Some(moved) = selection::moved(policy) else { return Vec::new() };
        let repeated = repeats_ordinary(&self.exchange.fields, response, body, &moved);
        repeated.filter(|name| !vary.contains(name) && !is_keyed(name.as_str(), policy)).collect()
    }
}

/// Both sets of names, each name once, sorted.
fn union(mut names: Vec<HeaderName>, more: &[HeaderName]) -> Vec<HeaderName> {
    names.extend(more.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    names
}
