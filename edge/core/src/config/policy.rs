//! What one route says about caching.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NamePattern;

/// How requests of one route are cached, keyed and forwarded.
///
/// `Policy::default()` is the design's default profile: what the origin says holds, and where it is silent
/// nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether answers of this route may be stored at all. Where not, requests go through whole.
    pub cache: bool,
    /// Indices into [`super::Config::origins`] that serve this route. Empty: all of them.
    pub origins: Vec<u16>,
    pub ttl: Ttl,
    pub stale: Stale,
    pub credentials: Credentials,
    /// Further request fields that count as credentials, in lower case.
    pub credential_fields: Vec<String>,
    /// Cookies that are no credentials, where cookies are ([`crate::fields::cookies`]).
    pub ignored_cookies: Vec<NamePattern>,
    pub set_cookie: SetCookie,
    pub key: KeyPolicy,
    /// Request fields that count for nothing, in lower case: they reach the origin and tell no entries apart, whatever they say.
    pub forward: Vec<String>,
    /// Request fields that are ordinary with any value, in lower case.
    pub ordinary: Vec<String>,
    pub particular: Particular,
    /// Whether the origin is told by `Via` that a request came through a cache (RFC 9110, section 7.6.3). Off by default: nginx
    /// compresses nothing for a request with `Via`.
    pub via: bool,
    pub client_directives: ClientDirectives,
    /// Targeted cache fields (RFC 9213) this edge listens to, first match wins, in lower case.
    pub targeted: Vec<String>,
    /// Whether targeted cache fields are passed on to the client.
    pub pass_targeted: bool,
    /// Whether a lifetime may be guessed from `Last-Modified` (RFC 9111, section 4.2.2).
    pub heuristic: bool,
    /// Lifetimes for answers of a status (negative caching), where the origin is silent.
    pub negative: Vec<Negative>,
    pub rate_limit: Option<RateLimit>,
}

/// The field for every CDN (RFC 9213, section 3.1).
pub(super) const CDN_CACHE_CONTROL: &str = "cdn-cache-control";

impl Policy {
    /// Whether everything that could have shaped a response tells entries apart, also where no `Vary` names it.
    pub const fn selects(&self) -> bool {
        matches!(self.particular, Particular::Select(_))
    }
}

impl Policy {
    /// Whether the policy itself gives a response a lifetime where the origin gives none, or another one.
    pub fn assigns_lifetimes(&self) -> bool {
        self.ttl.overrides.is_some() || !self.ttl.default.is_zero() || self.heuristic
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cache: true,
            origins: Vec::new(),
            ttl: Ttl::default(),
            stale: Stale::default(),
            credentials: Credentials::Pass,
            credential_fields: Vec::new(),
            ignored_cookies: super::ignored_cookies::usual(),
            set_cookie: SetCookie::Refuse,
            key: KeyPolicy::default(),
            forward: Vec::new(),
            ordinary: Vec::new(),
            particular: Particular::default(),
            via: false,
            client_directives: ClientDirectives::Ignore,
            targeted: vec![CDN_CACHE_CONTROL.to_owned()],
            pass_targeted: false,
            heuristic: false,
            negative: Vec::new(),
            rate_limit: None,
        }
    }
}

/// Freshness lifetimes that the policy adds to what the origin says (`ttl`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// Where the origin is silent. Zero: such an answer is not stored.
    pub default: Duration,
    /// The longest lifetime that is believed.
    pub max: Option<Duration>,
    /// Whatever the origin says (but never for what it forbids to store).
    pub overrides: Option<Duration>,
}

/// Windows in which a stale answer may be served (RFC 5861), where the origin names none (`stale`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub while_revalidate: Duration,
    pub if_error: Duration,
    /// When the origin does not answer at all (RFC 9111, section 4.2.4: disconnected). The longer of this and what
    /// holds on errors.
    pub disconnected: Duration,
    /// `s-maxage` implies `proxy-revalidate` (RFC 9111, section 5.2.2.10) and so forbids stale answers. True: the
    /// windows hold beside it.
    pub beside_s_maxage: bool,
}

/// What happens to a request that carries credentials on a route that caches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credentials {
    /// It goes through whole; its answer is shared only where RFC 9111, section 3.5 allows it.
    Pass,
    /// They are removed: the content is the same for everyone.
    Strip,
    /// Only `Authorization` counts, as RFC 9111, section 3.5 has it; other credentials are fields like any other. In a plain shared
    /// cache alone ([`Particular::Answer`]); elsewhere it is [`Credentials::Pass`].
    Authorization,
    /// These cookies and fields are part of the key and are forwarded; other credentials are removed.
    Key { cookies: Vec<String>, fields: Vec<String> },
}

/// What happens to an answer with `Set-Cookie` that could be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetCookie {
    /// It is not stored.
    Refuse,
    /// The field is removed, then it is stored.
    Strip,
    /// It is stored as it is: what RFC 9111, section 7.3 leaves to the origin.
    Store,
}

/// What tells entries of one route apart, beside scheme, host and path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPolicy {
    pub query: QueryPolicy,
    /// Whether parameters are sorted by name before they are keyed and forwarded.
    pub sort: bool,
    /// Whether languages of equal weight in `Accept-Language` are sorted before they are keyed and forwarded. Some
    /// origins take their order for a preference.
    pub sort_languages: bool,
    /// Request fields that are part of the key, in lower case. They are forwarded.
    pub fields: Vec<String>,
}

/// Which query parameters are keyed. What is not keyed is not forwarded either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryPolicy {
    /// Only those that match.
    Keep(Vec<NamePattern>),
    /// All but those that match.
    Drop(Vec<NamePattern>),
}

impl Default for QueryPolicy {
    fn default() -> Self {
        Self::Drop(Vec::new())
    }
}

/// What a particular field does: one that not every client sends, or an ordinary one with a value of its own kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Particular {
    /// It selects: an entry answers a request only if both carry the same particular fields with the same values. These fields (in
    /// lower case) are particular with every value.
    Select(Vec<String>),
    /// It tells nothing apart but by `Vary`, as in a plain RFC 9111 shared cache.
    Answer,
}

impl Default for Particular {
    fn default() -> Self {
        Self::Select(Vec::new())
    }
}

/// Whether a client's `Cache-Control` and `Pragma` move the cache (RFC 9111, section 5.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientDirectives {
    /// A reload is not a purge.
    Ignore,
    Honour,
}

/// A lifetime for one status code where the origin is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negative {
    pub status: u16,
    pub ttl: Duration,
}

/// Requests allowed in a window, for one client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    pub limit: u32,
    pub window: Duration,
}
