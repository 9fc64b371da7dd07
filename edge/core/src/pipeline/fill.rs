//! One exchange with the origin on behalf of the cache, and what becomes of its response.

use std::cell::Cell;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::across::{self, Behind};
use super::cached::answer_of;
use super::{BodyOf, Exchange, ask_origin, finish, respond};
use crate::body::{Body, Capture, CaptureError};
use crate::config::{Policy, SetCookie};
use crate::decide::{Candidate, Freshness, NoStore, storable, strip_unstorable};
use crate::edge::Edge;
use crate::entry::{Entry, Parts, Slot};
use crate::fields::{self, connection, vary};
use crate::key::Key;
use crate::origin::{OriginError, Upstream};
use crate::platform::Platform;
use crate::purge::Mark;
use crate::respond::conditional::{self, Condition};
use crate::respond::{Report, not_modified, strip_for_client};
use crate::route::RouteId;
use crate::shield::lease::Held;
use crate::shield::{Failure, Obligation};
use crate::time::Time;

/// A fill of one key. It owns what it needs, so that it can go on behind the answer.
pub(super) struct Fill<P: Platform> {
    pub(super) edge: Arc<Edge>,
    pub(super) platform: P,
    pub(super) route: RouteId,
    pub(super) method: Method,
    pub(super) key: Key,
    pub(super) authority: String,
    /// The client's fields, as they came.
    pub(super) client: HeaderMap,
    /// As the origin gets them.
    pub(super) forwarded: HeaderMap,
    /// The client forbids to store, and is honoured.
    pub(super) no_store: bool,
    /// The lease under which it fills for all instances.
    pub(super) lease: Cell<Option<Held<P>>>,
}

/// What the origin says.
pub(super) enum Asked<B> {
    /// 304.
    Confirmed(Confirmed),
    Answered(Answered<B>),
}

/// An entry with its fields brought up to date.
pub(super) struct Confirmed {
    pub(super) slot: Arc<Slot>,
    /// Why it is not stored, and answers one request alone. `None`: it is in memory.
    pub(super) refused: Option<NoStore>,
}

pub(super) struct Answered<B> {
    pub(super) response: Response<B>,
    pub(super) requested: Time,
    pub(super) received: Time,
    /// Where the purge log was before the request was sent.
    pub(super) purge_mark: Mark,
}

impl<P: Platform> Fill<P> {
    pub(super) fn policy(&self) -> &Policy {
        self.route.policy(&self.edge.config)
    }

    /// Asks for the whole, and where there is a stale entry with a validator, only if it has changed.
    pub(super) async fn ask(&self, stale: Option<&Arc<Slot>>) -> Result<Asked<BodyOf<P>>, OriginError> {
        let mut fields = self.forwarded.clone();
        let stale = match stale.map(|slot| &**slot) {
            Some(Slot::Entry(entry)) if entry.has_validator() => Some(entry),
            _ => None,
        };
        if let Some(entry) = stale {
            add_conditions(&mut fields, entry);
        }
        let answered = self.send(fields).await?;
        if answered.response.status() == StatusCode::NOT_MODIFIED
            && let Some(entry) = stale
        {
            return Ok(Asked::Confirmed(self.confirm(entry, &answered)));
        }
        Ok(Asked::Answered(answered))
    }

    /// Asks for the part that the client asks for; the answer is not stored.
    pub(super) async fn ask_for_range(&self) -> Result<Asked<BodyOf<P>>, OriginError> {
        let mut fields = self.forwarded.clone();
        for name in [header::RANGE, header::IF_RANGE] {
            if let Some(value) = self.client.get(&name) {
                fields.insert(name, value.clone());
            }
        }
        Ok(Asked::Answered(self.send(fields).await?))
    }

    async fn send(&self, fields: HeaderMap) -> Result<Answered<BodyOf<P>>, OriginError> {
        let upstream = Upstream {
            edge: &self.edge,
            platform: &self.platform,
            policy: self.policy(),
            authority: &self.authority,
        };
        let (requested, purge_mark) = (self.platform.now(), self.edge.purges.mark());
        let body = BodyOf::<P>::empty();
        let mut response =
            ask_origin(&upstream, self.method.clone(), self.key.target(), fields, Default::default(), body)
                .await?;
        connection::strip(response.headers_mut());
        Ok(Answered { response, requested, received: self.platform.now(), purge_mark })
    }

    /// Whether the origin itself names a lifetime.
    pub(super) fn is_explicit(&self, answered: &Answered<BodyOf<P>>) -> bool {
        self.freshness(answered).source.is_explicit()
    }

    fn freshness(&self, answered: &Answered<BodyOf<P>>) -> Freshness {
        let Answered { response, requested, received, .. } = answered;
        Freshness::compute(response.status(), response.headers(), *requested, *received, self.policy())
    }

    /// Whether a response may be stored, and on what it varies.
    fn storable(&self, answered: &Answered<BodyOf<P>>) -> Result<Vec<http::HeaderName>, NoStore> {
        if self.method != Method::GET {
            return Err(NoStore::Method);
        }
        let response = &answered.response;
        let policy = self.policy();
        let freshness = self.freshness(answered);
        let candidate = Candidate {
            request: &self.client,
            request_no_store: self.no_store,
            status: response.status(),
            response: response.headers(),
            freshness: &freshness,
            length: response.body().length(),
        };
        storable(&candidate, self.edge.config.limits.object, policy)
    }

    /// The answer to the client out of a response, which is stored on its way where it may be.
    pub(super) async fn answer(
        self,
        exchange: &Exchange<'_, P>,
        answered: Answered<BodyOf<P>>,
        obligation: Option<Obligation>,
        replaces: bool,
        report: Report,
    ) -> Response<BodyOf<P>> {
        let status = answered.response.status();
        let report = Report { forward_status: Some(status.as_u16()), ..report };
        match self.storable(&answered) {
            Err(reason) => {
                self.not_stored(&answered, obligation, replaces, &reason);
                let mut response = answered.response;
                strip_for_client(response.headers_mut(), self.policy());
                let report = Report { detail: Some(reason.as_str()), ..report };
                response.extensions_mut().insert(reason);
                finish(exchange.edge, response, &report)
            }
            Ok(vary) => {
                let report = Report { stored: true, ..report };
                self.store_and_answer(exchange, answered, vary, obligation, report).await
            }
        }
    }

    async fn store_and_answer(
        self,
        exchange: &Exchange<'_, P>,
        answered: Answered<BodyOf<P>>,
        vary: Vec<http::HeaderName>,
        obligation: Option<Obligation>,
        report: Report,
    ) -> Response<BodyOf<P>> {
        let (mut response, capture, parts) = self.split(answered, vary);
        let asks_for_part = exchange.fields.contains_key(header::RANGE) && parts.status == StatusCode::OK;
        if asks_for_part && response.body().length().is_some() {
            // A part is cut out of the whole, which is on its way and small enough to be stored.
            return match self.capture(capture, parts, obligation).await {
                Some(slot) => match answer_of(exchange, &slot) {
                    Some(answer) => respond(exchange.edge, answer, &report),
                    None => finish(exchange.edge, response, &report),
                },
                None => finish(exchange.edge, response, &Report { stored: false, ..report }),
            };
        }
        let unchanged =
            conditional::evaluate(&exchange.fields, parts.status, &parts.fields) == Condition::NotModified;
        let platform = self.platform.clone();
        let policy = exchange.policy();
        platform.spawn(async move {
            self.capture(capture, parts, obligation).await;
        });
        strip_for_client(response.headers_mut(), policy);
        if unchanged {
            // The client has it already; the body is read on for the cache alone.
            return respond(exchange.edge, not_modified(std::mem::take(response.headers_mut())), &report);
        }
        finish(exchange.edge, response, &report)
    }

    /// What goes to the client, what is captured, and the entry's parts but for its body.
    fn split(
        &self,
        answered: Answered<BodyOf<P>>,
        vary: Vec<http::HeaderName>,
    ) -> (Response<BodyOf<P>>, Capture, Parts) {
        let policy = self.policy();
        let Answered { response, requested, received, purge_mark } = answered;
        let (mut head, body) = response.into_parts();
        ensure_date(&mut head.headers, received);
        if policy.set_cookie == SetCookie::Strip {
            head.headers.remove(header::SET_COOKIE);
        }
        let (body, capture) = body.tee(self.edge.config.limits.object);
        let mut fields = head.headers.clone();
        strip_unstorable(&mut fields, policy);
        let key = if vary.is_empty() {
            self.key.as_str().to_owned()
        } else {
            self.key.variant(&vary::selector(&self.forwarded, &vary))
        };
        let parts = Parts {
            key,
            status: head.status,
            fields,
            body: bytes::Bytes::new(),
            requested,
            received,
            purge_mark,
            vary,
        };
        (Response::from_parts(head, body), capture, parts)
    }

    /// Waits for the whole body and stores it. One that breaks off or is too large is never stored.
    async fn capture(
        &self,
        capture: Capture,
        mut parts: Parts,
        obligation: Option<Obligation>,
    ) -> Option<Arc<Slot>> {
        match capture.await {
            Ok(body) if is_whole(&parts.fields, body.len()) => {
                parts.body = body;
                let slot = self.keep(Entry::new(parts, self.policy()), None);
                if let Some(obligation) = obligation {
                    obligation.filled(slot.clone());
                }
                Some(slot)
            }
            Err(CaptureError::TooLarge) => {
                self.release();
                self.edge.hit_for_miss.mark(self.key.as_str(), self.platform.now());
                if let Some(obligation) = obligation {
                    obligation.unshareable();
                }
                None
            }
            // Dropping the obligation lets another request try.
            Ok(_) | Err(CaptureError::Broken(_)) => None,
        }
    }

    /// A response that is not stored: who waits is let go, and what it replaces is forgotten.
    ///
    /// Where the reason is the request's alone nothing is forgotten or marked: it says nothing about what others get.
    fn not_stored(
        &self,
        answered: &Answered<BodyOf<P>>,
        obligation: Option<Obligation>,
        replaces: bool,
        reason: &NoStore,
    ) {
        let own =
            matches!(reason, NoStore::Credentials | NoStore::RequestNoStore) || self.method != Method::GET;
        if !own {
            self.edge.hit_for_miss.mark(self.key.as_str(), self.platform.now());
        }
        if let Some(obligation) = obligation {
            obligation.unshareable();
        }
        self.release();
        let status = answered.response.status();
        let is_whole_answer = !status.is_server_error() && status != StatusCode::PARTIAL_CONTENT;
        if replaces && !own && is_whole_answer {
            self.forget_behind();
        }
    }

    /// Fetches a new answer behind a stale one.
    pub(super) fn behind(self, stale: Arc<Slot>, obligation: Obligation) {
        let platform = self.platform.clone();
        platform.spawn(async move {
            match across::behind(&self, &stale).await {
                Behind::Fetch(lease) => self.lease.set(lease),
                Behind::Brought(slot) => return obligation.filled(slot),
                // What it brings is found when this is tried again.
                Behind::Leave => return self.edge.backoff.mark(self.key.as_str(), self.platform.now()),
            }
            self.edge.counters.background_revalidation();
            match self.ask(Some(&stale)).await {
                Ok(Asked::Confirmed(Confirmed { slot, refused: None })) => obligation.filled(slot),
                Ok(Asked::Confirmed(_)) => {
                    self.release();
                    obligation.unshareable();
                }
                Ok(Asked::Answered(answered)) if answered.response.status().is_server_error() => {
                    self.back_off(obligation, Failure::Status(answered.response.status().as_u16()));
                }
                Err(error) => self.back_off(obligation, Failure::Origin(error)),
                Ok(Asked::Answered(answered)) => match self.storable(&answered) {
                    Err(reason) => self.not_stored(&answered, Some(obligation), true, &reason),
                    Ok(vary) => {
                        let (response, capture, parts) = self.split(answered, vary);
                        drop(response);
                        self.capture(capture, parts, Some(obligation)).await;
                    }
                },
            }
        });
    }

    fn back_off(&self, obligation: Obligation, failure: Failure) {
        self.release();
        self.edge.backoff.mark(self.key.as_str(), self.platform.now());
        obligation.failed(failure);
    }
}

/// The validators of an entry as conditions (RFC 9111, section 4.3.1).
fn add_conditions(fields: &mut HeaderMap, entry: &Entry) {
    if let Some(tag) = entry.fields.get(header::ETAG) {
        fields.insert(header::IF_NONE_MATCH, tag.clone());
    }
    if let Some(modified) = entry.fields.get(header::LAST_MODIFIED) {
        fields.insert(header::IF_MODIFIED_SINCE, modified.clone());
    }
}

/// A response without `Date` gets the time it came at (RFC 9110, section 6.6.1).
pub(super) fn ensure_date(fields: &mut HeaderMap, received: Time) {
    if !fields.contains_key(header::DATE)
        && let Ok(date) = HeaderValue::from_str(&received.to_http_date())
    {
        fields.insert(header::DATE, date);
    }
}

/// Whether a body is as long as its head says (RFC 9111, section 3.3: incomplete responses).
fn is_whole(fields: &HeaderMap, length: usize) -> bool {
    let said = fields::text(fields, "content-length").and_then(|text| text.trim().parse::<usize>().ok());
    said.is_none_or(|said| said == length)
}
