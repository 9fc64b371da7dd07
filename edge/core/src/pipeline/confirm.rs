//! What a 304, or an answer to HEAD, does to a stored response (RFC 9111, sections 4.3.4 and 4.3.5).

use std::sync::Arc;

use http::{HeaderMap, header};

use super::BodyOf;
use super::fill::{Answered, Confirmed, Fill, ensure_date};
use crate::config::SetCookie;
use crate::decide::{Candidate, storable, strip_unstorable};
use crate::entry::{Entry, Slot};
use crate::fields;
use crate::platform::Platform;

impl<P: Platform> Fill<P> {
    /// Brings a confirmed entry up to date in memory, and writes its head to the stores behind the answer.
    ///
    /// What the 304 adds must itself be fit to be stored: else the entry stays as it was, and the updated one answers this
    /// request alone.
    pub(super) fn confirm(&self, entry: &Entry, answered: &Answered<BodyOf<P>>) -> Confirmed {
        let policy = self.policy();
        let mut update = answered.response.headers().clone();
        ensure_date(&mut update, answered.received);
        let updated = |update: &HeaderMap| {
            entry.freshened(update, answered.requested, answered.received, answered.purge_mark, policy)
        };
        let for_client = updated(&update);
        strip_unstorable(&mut update, policy);
        let shared = updated(&update);
        let candidate = Candidate {
            request: &self.client,
            request_no_store: self.no_store,
            status: for_client.status,
            response: if policy.set_cookie == SetCookie::Strip { &shared.fields } else { &for_client.fields },
            freshness: &for_client.freshness,
            length: Some(entry.body.len() as u64),
        };
        match storable(&candidate, self.edge.config.limits.object, policy) {
            Ok(_) => Confirmed { slot: self.keep(shared, Some(entry)), refused: None },
            Err(reason) => Confirmed { slot: Arc::new(Slot::Entry(for_client)), refused: Some(reason) },
        }
    }

    /// A HEAD's answer tells how the entry of GET has fared (RFC 9111, section 4.3.5): where nothing in it speaks against the
    /// stored body the entry is brought up to date, else it is stale for good.
    pub(super) fn update_from_head(&self, entry: &Entry, answered: &Answered<BodyOf<P>>) {
        let response = answered.response.headers();
        let agrees = [header::ETAG, header::LAST_MODIFIED, header::CONTENT_LENGTH].iter().all(|name| {
            let stored = match *name {
                header::CONTENT_LENGTH => Some(entry.body.len().to_string()),
                _ => fields::text(&entry.fields, name.as_str()).map(str::to_owned),
            };
            match fields::text(response, name.as_str()) {
                Some(new) => stored.as_deref() == Some(new),
                None => true,
            }
        });
        if agrees {
            self.confirm(entry, answered);
        } else {
            self.forget_behind();
        }
    }
}
