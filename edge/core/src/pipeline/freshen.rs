//! What a 304, or an answer to HEAD, does to a stored response (RFC 9111, sections 4.3.4 and 4.3.5).

use std::sync::Arc;

use http::{HeaderName, header};

use super::BodyOf;
use super::fill::{Answered, Fill, Freshened, ensure_date};
use crate::config::SetCookie;
use crate::decide::{Candidate, NoStore, storable, strip_unstorable};
use crate::entry::{Entry, Parts};
use crate::fields;
use crate::platform::Platform;

impl<P: Platform> Fill<P> {
    /// Brings an entry up to date in memory, and writes its head to the stores behind the answer.
    ///
    /// The merged fields are judged as those of a full response would be: they may forbid to store it, or tell it apart by
    /// more than before. Then it is forgotten, or stored as the variant that this request selects.
    pub(super) fn freshen(&self, entry: &Arc<Entry>, answered: &Answered<BodyOf<P>>) -> Freshened {
        let policy = self.policy();
        let mut update = answered.response.headers().clone();
        ensure_date(&mut update, answered.received);
        let merged =
            entry.freshened(&update, answered.requested, answered.received, answered.purge_mark, policy);
        let mut shared = merged.fields.clone();
        strip_unstorable(&mut shared, policy);
        let candidate = Candidate {
            request: &self.exchange.fields,
            request_no_store: self.request.facts.directives.no_store(),
            status: merged.status,
            response: if policy.set_cookie == SetCookie::Strip { &shared } else { &merged.fields },
            freshness: &merged.freshness,
            length: Some(entry.body.len() as u64),
        };
        // What this request's own words have brought is for no other, as in a full response.
        let unless_repeated = |vary: Vec<HeaderName>| match self.repeated(&update, &[], &vary) {
            none if none.is_empty() => Ok(vary),
            names => Err(NoStore::Repeats(names)),
        };
        match storable(&candidate, self.exchange.edge.config.limits.object, policy).and_then(unless_repeated)
        {
            Ok(vary) => {
                let vary = self.widened(vary);
                let key = self.entry_key(&vary);
                // A body of its own lies beside the head that it was written with.
                let apart = merged.apart.filter(|_| key == entry.key);
                let parts = Parts {
                    key,
                    status: merged.status,
                    fields: fields::owned(&shared),
                    body: merged.body.clone(),
                    requested: merged.requested,
                    received: merged.received,
                    purge_mark: merged.purge_mark,
                    vary,
                };
                let is_for_all = parts.fields == merged.fields;
                let freshened = Entry { apart, ..Entry::new(parts, policy) };
                let before = apart.is_some().then_some(&**entry);
                let entry = self.keep(freshened, before);
                let own = if is_for_all { entry.clone() } else { Arc::new(merged) };
                Freshened { entry, own, refused: None }
            }
            Err(reason) => {
                // What the request alone forbids says nothing about what others get.
                if !matches!(reason, NoStore::Credentials | NoStore::RequestNoStore | NoStore::Repeats(_)) {
                    self.forget_behind(entry);
                }
                let own = Arc::new(merged);
                Freshened { entry: own.clone(), own, refused: Some(reason) }
            }
        }
    }

    /// A HEAD's answer tells how the entry of GET has fared (RFC 9111, section 4.3.5): where a validator
    /// is the same the entry is brought up to date, where something speaks against the stored body it is forgotten.
    pub(super) fn update_from_head(&self, entry: &Arc<Entry>, answered: &Answered<BodyOf<P>>) {
        let response = answered.response.headers();
        let length = entry.body.len().to_string();
        // Whether it is the same, where the answer says so.
        let same = |name: &header::HeaderName| {
            let stored = match *name {
                header::CONTENT_LENGTH => Some(length.as_str()),
                _ => fields::text(&entry.fields, name.as_str()),
            };
            fields::text(response, name.as_str()).map(|new| stored == Some(new))
        };
        let validators = [header::ETAG, header::LAST_MODIFIED];
        if validators.iter().chain([&header::CONTENT_LENGTH]).any(|name| same(name) == Some(false)) {
            self.forget_behind(entry);
        } else if validators.iter().any(|name| same(name) == Some(true)) {
            // Only a validator shows that it is the same representation.
            self.freshen(entry, answered);
        }
    }
}
