//! Whether a response may be stored (RFC 9111, section 3), and if not, why.

use http::{HeaderMap, HeaderName, StatusCode, header};

use super::freshness::{self, Freshness, Source};
use crate::config::{Credentials, Forward, Policy, SetCookie};
use crate::fields::{self, CacheControl, cache_control::Qualified, credentials, vary::Vary};
use crate::origin::is_forwarded;

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
    /// It varies on a field that was not forwarded, so that the origin did not see it.
    VaryNotForwarded(HeaderName),
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
            Self::VaryNotForwarded(_) => "vary-not-forwarded",
            Self::Silent => "no-lifetime",
            Self::Useless => "no-lifetime-no-validator",
            Self::Status => "status",
            Self::TooLarge => "too-large",
            Self::Method => "method",
            Self::EventStream => "event-stream",
            Self::LeavesEntry => "error-beside-entry",
        }
    }

    /// The line of `levee.toml` that would change it; `None` where the origin has to.
    pub fn setting(&self) -> Option<String> {
        Some(match self {
            Self::Credentials => {
                "credentials = \"strip\" (the content is the same for all) or \"key\"".to_owned()
            }
            Self::SetCookie => "set_cookie = \"strip\"".to_owned(),
            Self::VaryNotForwarded(name) => {
                format!("forward = [\"{name}\"] or key = {{ headers = [\"{name}\"] }}")
            }
            Self::Silent => "ttl = { default = \"10s\" }".to_owned(),
            Self::TooLarge => "[limits] object".to_owned(),
            Self::RequestNoStore => "client_directives = \"ignore\"".to_owned(),
            _ => return None,
        })
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
    check_status(status, &directives)?;
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
    let vary = variance(response, policy)?;
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

fn check_status(status: StatusCode, directives: &CacheControl) -> Result<(), NoStore> {
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

/// Whether the origin saw this field as the client sent it, or knows that it never does.
fn is_seen(name: &str, policy: &Policy) -> bool {
    is_forwarded(name, policy)
        || (policy.credentials == Credentials::Strip
            && credentials::is_credential(name, &policy.credential_fields))
}

/// What the entry is told apart by, beside its key.
fn variance(response: &HeaderMap, policy: &Policy) -> Result<Vec<HeaderName>, NoStore> {
    let Vary::On(mut names) = Vary::read(response) else { return Err(NoStore::VaryAny) };
    if policy.forward != Forward::All
        && let Some(name) = names.iter().find(|name| !is_seen(name.as_str(), policy))
    {
        return Err(NoStore::VaryNotForwarded(name.clone()));
    }
    // An answer that names one origin is for that origin, whether or not it says so (WHATWG Fetch, CORS and caches).
    let names_origin = response
        .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        .is_some_and(|value| value != "*" && value != "null");
    if names_origin && !names.contains(&header::ORIGIN) {
        names.push(header::ORIGIN);
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    }
    // What is removed from every request is the same for all of them.
    if policy.credentials == Credentials::Strip {
        names.retain(|name| !credentials::is_credential(name.as_str(), &policy.credential_fields));
    }
    // What is keyed already need not be looked up twice.
    names.retain(|name| !policy.key.fields.iter().any(|keyed| keyed == name.as_str()));
    Ok(names)
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
