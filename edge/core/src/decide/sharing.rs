//! Whether the answer to a request may be shared with others: a cached route, GET or HEAD, and credentials that allow
//! it.

use http::{HeaderMap, HeaderName, Method};

use super::is_cacheable_method;
use crate::config::Policy;
use crate::fields::{connection, credentials};

/// What the cache may do for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Look up, collapse, fill.
    Shareable,
    /// The request carries credentials that the policy lets pass: only an entry whose response says that it may be
    /// shared with such requests answers it (RFC 9111, section 3.5).
    WithCredentials(HeaderName),
    /// It goes through whole.
    Private(PassReason),
}

/// Why a request goes through whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassReason {
    /// `cache = false` on its route.
    Route,
    /// Neither GET nor HEAD.
    Method,
    /// It asks for another protocol, such as WebSocket.
    Upgrade,
    /// It carries credentials, and no entry is shared with those who do.
    Credentials,
    /// It has a body, which caches do not know how to key.
    Body,
    /// What is stored does not meet its `If-Match` or `If-Unmodified-Since`, which are for the origin to judge.
    Precondition,
    /// It has more particular fields than tell entries apart.
    Particular,
    /// The platform has replaced bytes of its fields: what told it apart from others is lost ([`crate::LostBytes`]).
    LostBytes,
}

impl PassReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Method => "method",
            Self::Upgrade => "upgrade",
            Self::Credentials => "credentials",
            Self::Body => "request-body",
            Self::Precondition => "precondition",
            Self::Particular => "too-particular",
            Self::LostBytes => "lost-bytes",
        }
    }
}

/// Tells how far the answer to this request may be shared. `has_body`: the request's body is not empty.
pub fn sharing(method: &Method, fields: &HeaderMap, has_body: bool, policy: &Policy) -> Sharing {
    if !is_cacheable_method(method) {
        return Sharing::Private(PassReason::Method);
    }
    if connection::asks_for_upgrade(fields) {
        return Sharing::Private(PassReason::Upgrade);
    }
    if !policy.cache {
        return Sharing::Private(PassReason::Route);
    }
    if has_body {
        return Sharing::Private(PassReason::Body);
    }
    match credentials::found(fields, policy) {
        Some(name) => Sharing::WithCredentials(name.clone()),
        None => Sharing::Shareable,
    }
}
