//! Whether a response may be stored (RFC 9111, section 3), and if not, why.

use http::{HeaderMap, HeaderName, StatusCode, header};

use super::errors::leaves_entry;
use super::freshness::{self, Freshness, Source};
use crate::classes::is_request_identifier;
use crate::config::{Credentials, Policy, SetCookie};
use crate::fields::vary::{self, Vary};
use crate::fields::{self, CacheControl, cache_control::Qualified, credentials};

/// Why a response is not stored. Each is a `detail` of `Cache-Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoStore {
    /// `no-store` in the response (section 5.2.2.5).
    NoStore,
    /// `no-store` in a request that is honoured (section 5.2.1.5).
    RequestNoStore,
    /// `private` (section 5.2.2.7).
    Private,
    /// The request carried credentials and the response does not say that it may be shared (section 3.5).
    Credentials,
    /// `Set-Cookie`, and the policy refuses to store it.
    SetCookie,
    /// `Vary: *`.
    VaryAny,
    /// The request has a particular field (this and perhaps others), with values that were not seen for the URL before.
    ParticularOnce(HeaderName),
    /// The same, and the URL has as many particular sets as it may.
    ParticularFull(HeaderName),
    /// It repeats what the request says in these ordinary fields, which is nobody else's.
    Repeats(Vec<HeaderName>),
    /// The origin names no lifetime, and neither does the policy.
    Silent,
    /// A lifetime of zero, and nothing to confirm the entry with later.
    Useless,
    /// The status is not one that may be stored, or not one that is understood.
    Status,
    /// The body is larger than `limits.object`.
    TooLarge,
    /// The method's answers are not stored.
    Method,
    /// `text/event-stream` or `multipart/x-mixed-replace`: it goes on for as long as its client listens.
    EventStream,
    /// An error, where a stored response may still be of use.
    LeavesEntry,
}

impl NoStore {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::RequestNoStore => "request-no-store",
            Self::Private => "private",
            Self::Credentials => "credentials",
            Self::SetCookie => "set-cookie",
            Self::VaryAny => "vary-any",
            Self::ParticularOnce(_) => "particular-once",
            Self::ParticularFull(_) => "particular-full",
            Self::Repeats(_) => "repeats-request",
            Self::Silent => "no-lifetime",
            Self::Useless => "no-lifetime-no-validator",
            Self::Status => "status",
            Self::TooLarge => "too-large",
            Self::Method => "method",
            Self::EventStream => "event-stream",
            Self::LeavesEntry => "error-beside-entry",
        }
    }
}

/// A response that might be stored, and what it answers.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The fields that the client sent.
    pub request: &'a HeaderMap,
    /// Whether the request forbids to store (`no-store`) and is honoured.
    pub request_no_store: bool,
    pub status: StatusCode,
    pub response: &'a HeaderMap,
    pub freshness: &'a Freshness,
    /// The body's length, where it is known.
    pub length: Option<u64>,
}

/// Says on what an answer varies, or why it may not be stored. `limit` is the largest body that is stored, in bytes.
pub fn storable(candidate: &Candidate<'_>, limit: u64, policy: &Policy) -> Result<Vec<HeaderName>, NoStore> {
    let &Candidate { request, request_no_store, status, response, freshness, length } = candidate;
    let (directives, _) = freshness::directives(response, policy);
    check_status(status, &directives, policy)?;
    if request_no_store {
        return Err(NoStore::RequestNoStore);
    }
    // Before what the response says: what it says to one who is known says nothing about what others get.
    if !freshness.shared_with_credentials && credentials::found(request, policy).is_some() {
        return Err(NoStore::Credentials);
    }
    // `must-understand` lifts `no-store` where the status is understood (section 5.2.2.3).
    if directives.no_store && !directives.must_understand {
        return Err(NoStore::NoStore);
    }
    if directives.private == Qualified::Yes {
        return Err(NoStore::Private);
    }
    let removes =
        |name| directives.no_cache.fields().contains(name) || directives.private.fields().contains(name);
    if policy.set_cookie == SetCookie::Refuse
        && response.contains_key(header::SET_COOKIE)
        && !removes(&header::SET_COOKIE)
    {
        return Err(NoStore::SetCookie);
    }
    if is_endless(response) {
        return Err(NoStore::EventStream);
    }
    let vary = variance(candidate, policy)?;
    let has_validator = response.contains_key(header::ETAG) || response.contains_key(header::LAST_MODIFIED);
    match freshness.source {
        // `no-cache` says: keep it, and ask before each use.
        Source::Silent if !(freshness.always_validate && has_validator) => return Err(NoStore::Silent),
        _ if !has_validator && (freshness.lifetime.is_zero() || freshness.always_validate) => {
            return Err(NoStore::Useless);
        }
        _ => {}
    }
    if length.is_some_and(|length| length > limit) {
        return Err(NoStore::TooLarge);
    }
    Ok(vary)
}

fn check_status(status: StatusCode, directives: &CacheControl, policy: &Policy) -> Result<(), NoStore> {
    // What one request may have caused is for no other, whatever lifetime it names, unless the policy takes that on itself.
    if policy.selects()
        && leaves_entry(status)
        && !policy.negative.iter().any(|own| own.status == status.as_u16())
    {
        return Err(NoStore::Status);
    }
    // They answer a condition or a range, and so no plain request.
    let of_a_condition = matches!(status.as_u16(), 100..200 | 206 | 304 | 412 | 416);
    if of_a_condition || (directives.must_understand && !is_understood(status)) {
        return Err(NoStore::Status);
    }
    Ok(())
}

/// Whether a body ends only when its client has had enough: whoever waited for its end would wait for ever.
fn is_endless(response: &HeaderMap) -> bool {
    let media_type = fields::text(response, "content-type").and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| {
        let media_type = media_type.trim();
        ["text/event-stream", "multipart/x-mixed-replace"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(media_type))
    })
}

/// What the entry is told apart by, beside its key.
fn variance(candidate: &Candidate<'_>, policy: &Policy) -> Result<Vec<HeaderName>, NoStore> {
    let Candidate { response, .. } = candidate;
    let Vary::On(mut names) = Vary::read(response) else { return Err(NoStore::VaryAny) };
    if policy.selects() {
        names.extend(unnamed(candidate));
    } else if names_origin(response) {
        names.push(header::ORIGIN);
    }
    // What is removed from every request is the same for all of them.
    if policy.credentials == Credentials::Strip {
        names.retain(|name| !credentials::is_credential(name.as_str(), &policy.credential_fields));
    }
    // What is keyed already need not be looked up twice.
    names.retain(|name| !policy.key.fields.iter().any(|keyed| keyed == name.as_str()));
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Ok(names)
}

/// A response that names one origin is for that origin, whether or not it says so (WHATWG Fetch, CORS and caches).
fn names_origin(response: &HeaderMap) -> bool {
    response.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|value| value != "*" && value != "null")
}

/// What a response depends on although its `Vary` may not name it.
fn unnamed(candidate: &Candidate<'_>) -> Vec<HeaderName> {
    let &Candidate { request, response, status, .. } = candidate;
    let mut names = Vec::new();
    let allows_all = response.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|value| value == "*");
    if request.contains_key(header::ORIGIN) && !allows_all {
        names.push(header::ORIGIN);
    }
    if response.contains_key(header::CONTENT_ENCODING) {
        names.push(header::ACCEPT_ENCODING);
    }
    if response.contains_key(header::CONTENT_LANGUAGE) {
        names.push(header::ACCEPT_LANGUAGE);
    }
    if status.is_redirection() {
        names.extend(vary::FACTS);
    }
    names
}

/// Removes from a response what may not be stored of it.
pub fn strip_unstorable(response: &mut HeaderMap, policy: &Policy) {
    let (directives, _) = freshness::directives(response, policy);
    for name in directives.no_cache.fields().iter().chain(directives.private.fields()) {
        response.remove(name);
    }
    if policy.set_cookie == SetCookie::Strip {
        response.remove(header::SET_COOKIE);
    }
    if policy.selects() {
        // They name one request, which is no other's.
        let identifiers: Vec<_> =
            response.keys().filter(|name| is_request_identifier(name)).cloned().collect();
        for name in identifiers {
            response.remove(name);
        }
    }
}

/// Statuses that may be stored without an explicit lifetime (RFC 9110, section 15.1). 206 is not among them here,
/// because parts are not stored.
pub(super) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Statuses whose caching requirements this cache knows (for `must-understand`).
fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=204 | 300..=303 | 307 | 308 | 400..=417 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 511
    )
}
