//! One exchange with the origin on behalf of the cache, and what becomes of its response.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::cached::{Request, answer_of};
use super::judge::Storing;
use super::lease::{self, Behind};
use super::reply::{self, Reply};
use super::{BodyOf, Exchange, ask_origin, explain, finish, respond};
use crate::body::{Body, Capture, CaptureError};
use crate::config::{Policy, SetCookie};
use crate::decide::{NoStore, is_of_one_request, leaves_entry, strip_unstorable};
use crate::entry::{Entry, Parts};
use crate::fields::{self, connection, vary};
use crate::origin::OriginError;
use crate::platform::{FetchError, Platform};
use crate::purge::Mark;
use crate::respond::{Report, strip_for_client};
use crate::shield::lease::{Ended, Held};
use crate::shield::{Failure, Obligation};
use crate::time::Time;
use crate::trace::Step;

/// A fill of one key. It owns what it needs, so that it can go on behind the answer.
pub(super) struct Fill<P: Platform> {
    pub(super) exchange: Rc<Exchange<P>>,
    pub(super) request: Rc<Request>,
    pub(super) method: Method,
    /// The lease under which it fills for all instances.
    pub(super) lease: Cell<Option<Held<P>>>,
}

/// What the origin is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// For the whole; where there is a stale entry with a validator, only if it has changed.
    Whole,
    /// For what the client asks for, with its range and its conditions.
    AsTheClient,
}

/// What the origin says.
pub(super) enum Fetched<B> {
    /// 304 to the edge's own condition.
    Freshened(Freshened),
    Response(Answered<B>),
}

/// An entry with its fields brought up to date.
pub(super) struct Freshened {
    pub(super) entry: Arc<Entry>,
    /// What the request is answered from that had it freshened: also with fields that are for this one alone.
    pub(super) own: Arc<Entry>,
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
        self.exchange.policy()
    }

    pub(super) async fn ask(
        &self,
        stale: Option<&Arc<Entry>>,
        asking: Asking,
    ) -> Result<Fetched<BodyOf<P>>, OriginError> {
        let forwarded = self.request.forwarded(&self.exchange);
        let mut fields = forwarded.clone();
        if asking == Asking::AsTheClient {
            copy_conditions(&self.exchange.fields, &mut fields);
            return self.send(fields).await.map(Fetched::Response);
        }
        let Some(stale) = stale.filter(|entry| entry.has_validator()) else {
            return self.send(fields).await.map(Fetched::Response);
        };
        add_conditions(&mut fields, stale);
        let answered = self.send(fields).await?;
        if answered.response.status() != StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Response(answered));
        }
        if !is_of(answered.response.headers(), stale) {
            // It validates another representation than the one that is stored (RFC 9111, section 4.3.4).
            return self.send(forwarded.clone()).await.map(Fetched::Response);
        }
        Ok(Fetched::Freshened(self.freshen(stale, &answered)))
    }

    async fn send(&self, fields: HeaderMap) -> Result<Answered<BodyOf<P>>, OriginError> {
        let (platform, edge) = (&self.exchange.platform, &self.exchange.edge);
        let (requested, purge_mark) = (platform.now(), edge.purges.mark());
        let (target, body) = (self.request.key.target(), BodyOf::<P>::empty());
        let mut response =
            ask_origin(&self.exchange, self.method.clone(), target, fields, Default::default(), body).await?;
        connection::strip(response.headers_mut());
        Ok(Answered { response, requested, received: platform.now(), purge_mark })
    }

    /// The answer to the client out of a response, which is stored on its way where it may be. `stale`: what is stored.
    pub(super) async fn answer(
        self,
        answered: Answered<BodyOf<P>>,
        obligation: Option<Obligation>,
        stale: Option<&Arc<Entry>>,
        asking: Asking,
        report: Report,
    ) -> Response<BodyOf<P>> {
        let status = answered.response.status();
        let report = Report { forward_status: Some(status.as_u16()), ..report };
        match self.storable(&answered, stale) {
            Err(reason) => {
                self.exchange.trace.note(|| self.not_stored_step(&answered.response, &reason));
                self.not_stored(&answered, obligation, stale, asking, &reason);
                let mut response = answered.response;
                strip_for_client(response.headers_mut(), self.policy());
                let report = Report { detail: Some(reason.as_str()), ..report };
                reply::to_client(&self.exchange, response, &report)
            }
            Ok(storing) => {
                if let Some(reason) = &storing.once {
                    self.exchange.trace.note(|| self.not_stored_step(&answered.response, reason));
                }
                let detail = storing.once.as_ref().map(NoStore::as_str);
                let report = Report { stored: storing.once.is_none(), detail, ..report };
                self.store_and_answer(answered, storing, obligation, report).await
            }
        }
    }

    async fn store_and_answer(
        self,
        answered: Answered<BodyOf<P>>,
        Storing { vary, once }: Storing,
        obligation: Option<Obligation>,
        report: Report,
    ) -> Response<BodyOf<P>> {
        let keeps = once.is_none();
        let (mut response, capture, parts) = self.split(answered, vary);
        let exchange = self.exchange.clone();
        if reply::of(&exchange, &response) == Reply::Parts {
            // Several parts are cut out of the whole, which is on its way and small enough to be stored.
            return match self.capture(capture, parts, keeps, obligation).await {
                Some(entry) => {
                    let answer = answer_of(&exchange, &entry, exchange.platform.now());
                    respond(&exchange.edge, answer, &report)
                }
                None => {
                    strip_for_client(response.headers_mut(), exchange.policy());
                    finish(&exchange.edge, response, &Report { stored: false, ..report })
                }
            };
        }
        exchange.platform.spawn(async move {
            self.capture(capture, parts, keeps, obligation).await;
        });
        strip_for_client(response.headers_mut(), exchange.policy());
        // Where the client wants less of it, the body is read on for the cache alone.
        reply::to_client(&exchange, response, &report)
    }

    /// What goes to the client, what is captured, and the entry's parts but for its body.
    fn split(
        &self,
        answered: Answered<BodyOf<P>>,
        vary: Vec<HeaderName>,
    ) -> (Response<BodyOf<P>>, Capture, Parts) {
        let policy = self.policy();
        let Answered { response, requested, received, purge_mark } = answered;
        let (mut head, body) = response.into_parts();
        ensure_date(&mut head.headers, received);
        if policy.set_cookie == SetCookie::Strip {
            head.headers.remove(header::SET_COOKIE);
        }
        let (body, capture) = body.tee(self.exchange.edge.config.limits.object, &self.exchange.edge.bodies);
        let mut fields = head.headers.clone();
        strip_unstorable(&mut fields, policy);
        // What is kept pins nothing that a connection has read into.
        let fields = fields::owned(&fields);
        let parts = Parts {
            key: self.entry_key(&vary),
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

    /// The key of what this fill brings: the URL's, or the variant's that its request selects.
    pub(super) fn entry_key(&self, vary: &[HeaderName]) -> String {
        if vary.is_empty() {
            return self.request.key.as_str().to_owned();
        }
        self.request.key.variant(&vary::selector(
            self.request.forwarded(&self.exchange),
            vary,
            &self.exchange.edge.seal,
        ))
    }

    /// Waits for the whole body and stores it, or (not `keeps`) hands it to those who wait alone. One that breaks off, is too large or
    /// repeats what the client says is never stored.
    async fn capture(
        &self,
        capture: Capture,
        mut parts: Parts,
        keeps: bool,
        obligation: Option<Obligation>,
    ) -> Option<Arc<Entry>> {
        match capture.await {
            Ok(body) if is_whole(&parts.fields, body.len()) => {
                // Its fields were searched when they came.
                if !self.repeated(&HeaderMap::new(), &body, &parts.vary).is_empty() {
                    // It is for the client alone whose words it repeats: of those who wait, another one leads.
                    self.release(Ended::Free);
                    return None;
                }
                parts.body = self.exchange.edge.bodies.count(body);
                let entry = Entry::new(parts, self.policy());
                let entry = if keeps { self.keep(entry, None) } else { Arc::new(entry) };
                if !keeps {
                    self.release(Ended::Alone);
                }
                if let Some(obligation) = obligation {
                    obligation.filled(entry.clone());
                }
                Some(entry)
            }
            Err(error @ (CaptureError::TooLarge | CaptureError::NoRoom)) => {
                let (edge, platform) = (&self.exchange.edge, &self.exchange.platform);
                if error == CaptureError::TooLarge {
                    edge.hit_for_miss.mark(self.request.key.as_str(), platform.now());
                    edge.whole.clear(self.request.key.as_str());
                }
                self.release(Ended::Alone);
                obligation.into_iter().for_each(Obligation::unshareable);
                None
            }
            Ok(_) => self.broken_off("its body is not as long as its head says".to_owned(), obligation),
            Err(CaptureError::Broken(why)) => self.broken_off(why, obligation),
        }
    }

    /// A body that breaks off fails for all who wait for it.
    fn broken_off(&self, why: String, obligation: Option<Obligation>) -> Option<Arc<Entry>> {
        self.release(Ended::Free);
        if let Some(obligation) = obligation {
            let error = FetchError::ConnectionTerminated(why);
            self.failed(obligation, Failure::Origin(error.into()), Asking::Whole);
        }
        None
    }

    fn not_stored_step(&self, response: &Response<BodyOf<P>>, reason: &NoStore) -> Step {
        let length = response.body().length();
        explain::not_stored_step(&self.exchange, reason, (response.status(), response.headers(), length))
    }

    /// A response that is not stored: who waits is let go, and what it replaces is forgotten.
    ///
    /// Where the reason is the request's alone nothing is forgotten or marked: it says nothing about what others get.
    fn not_stored(
        &self,
        answered: &Answered<BodyOf<P>>,
        obligation: Option<Obligation>,
        stale: Option<&Arc<Entry>>,
        asking: Asking,
        reason: &NoStore,
    ) {
        let status = answered.response.status();
        let (edge, now) = (&self.exchange.edge, self.exchange.platform.now());
        let key = self.request.key.as_str();
        let own = matches!(reason, NoStore::Credentials | NoStore::RequestNoStore | NoStore::Repeats(_))
            || self.method != Method::GET;
        // Neither says anything about what others would get.
        let alone = if own || is_of_one_request(status) { Ended::Free } else { Ended::Alone };
        self.release(alone);
        if *reason == NoStore::TooLarge {
            edge.whole.clear(key);
        }
        if asking == Asking::AsTheClient && matches!(status.as_u16(), 206 | 304) && !own {
            // What the whole would be: those who wait fetch it, or each a part of its own.
            return match self.judge(answered, StatusCode::OK, complete_length(answered.response.headers())) {
                Ok(_) => {
                    edge.whole.mark(key, now);
                    drop(obligation);
                }
                // A part shows how large the whole is. What a 304 leaves out, or a part, may still be said of the whole.
                Err(reason) => {
                    if reason == NoStore::TooLarge {
                        edge.hit_for_miss.mark(key, now);
                    }
                    obligation.into_iter().for_each(Obligation::unshareable);
                }
            };
        }
        if !own && !leaves_entry(status) {
            edge.hit_for_miss.mark(key, now);
        }
        // Of those who wait, another one leads.
        let obligation = obligation.filter(|_| !matches!(reason, NoStore::Repeats(_)));
        if let Some(obligation) = obligation {
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                self.failed(obligation, Failure::Status(status), asking);
            } else {
                obligation.unshareable();
            }
        }
        if let Some(stale) = stale
            && !own
            && !leaves_entry(status)
            && status != StatusCode::PARTIAL_CONTENT
        {
            self.forget_behind(stale);
        }
    }

    /// Fetches a new answer behind a stale one. `key`: the flight's.
    pub(super) fn behind(self, stale: Arc<Entry>, key: String, obligation: Obligation) {
        let platform = self.exchange.platform.clone();
        platform.spawn(async move {
            match lease::behind(&self, &key, &stale).await {
                Behind::Fetch(lease) => self.lease.set(lease),
                Behind::Brought(entry) => return obligation.filled(entry),
                // What it brings is found when this is tried again.
                Behind::Leave => return self.back_off(&key),
            }
            self.exchange.edge.counters.background_revalidation();
            match self.ask(Some(&stale), Asking::Whole).await {
                Ok(Fetched::Freshened(Freshened { entry, refused: None, .. })) => obligation.filled(entry),
                Ok(Fetched::Freshened(_)) => {
                    self.release(Ended::Alone);
                    obligation.unshareable();
                }
                Err(error) => {
                    self.back_off(&key);
                    self.failed(obligation, error.into(), Asking::Whole);
                }
                Ok(Fetched::Response(answered)) => match self.storable(&answered, Some(&stale)) {
                    Err(reason) => {
                        let status = answered.response.status();
                        if leaves_entry(status) && !is_of_one_request(status) {
                            self.back_off(&key);
                        }
                        self.not_stored(&answered, Some(obligation), Some(&stale), Asking::Whole, &reason);
                    }
                    Ok(Storing { vary, once }) => {
                        let (response, capture, parts) = self.split(answered, vary);
                        drop(response);
                        self.capture(capture, parts, once.is_none(), Some(obligation)).await;
                    }
                },
            }
        });
    }

    /// Leaves a revalidation alone for a moment.
    fn back_off(&self, key: &str) {
        self.release(Ended::Alone);
        self.exchange.edge.backoff.mark(key, self.exchange.platform.now());
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

/// Whether a 304 is about this entry: it names no validator, or the entry's.
fn is_of(not_modified: &HeaderMap, entry: &Entry) -> bool {
    use crate::fields::etag::ETag;
    match (ETag::of(not_modified), ETag::of(&entry.fields)) {
        (Some(theirs), Some(ours)) => theirs.weak_eq(&ours),
        (Some(_), None) => false,
        (None, _) => match (fields::text(not_modified, "last-modified"), entry.last_modified()) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        },
    }
}

/// A client's range and conditions.
pub(super) fn copy_conditions(client: &HeaderMap, fields: &mut HeaderMap) {
    for name in crate::origin::CONDITIONS {
        for value in client.get_all(&name) {
            fields.append(name.clone(), value.clone());
        }
    }
}

/// The length of the whole that a 206 is a part of, where it says so.
fn complete_length(fields: &HeaderMap) -> Option<u64> {
    fields::text(fields, "content-range")?.rsplit_once('/')?.1.trim().parse().ok()
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
    let announced = fields::text(fields, "content-length").and_then(|text| text.trim().parse::<usize>().ok());
    announced.is_none_or(|announced| announced == length)
}
