//! Step 5: what to do with a request, as pure functions of request, entry, policy and `now`.
//!
//! The decision is complete: the pipeline does what it says, and explain shows the one that was made.

mod errors;
mod freshness;
pub mod remedy;
mod sharing;
mod storable;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, header};

pub use errors::{is_of_one_request, leaves_entry};
pub use freshness::{Freshness, Source};
pub use sharing::{PassReason, Sharing, sharing};
pub use storable::{Candidate, NoStore, storable, strip_unstorable};

use crate::config::{ClientDirectives, Policy};
use crate::entry::Entry;
use crate::fields::CacheControl;
use crate::respond::conditional;
use crate::time::Time;

/// What to do for a request that may be answered from the cache.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    /// The entry answers, without asking the origin.
    Serve { entry: &'a Arc<Entry>, serve: Serve },
    /// The origin has to validate the entry first.
    Revalidate { entry: &'a Arc<Entry>, why: Forward, stand_in: StandIn },
    /// The origin is asked; the entry, if there is one, is of no use.
    Fetch(Forward),
    /// The request goes to the origin whole, and its response is not stored.
    Pass(PassReason),
    /// `only-if-cached`, and nothing that may be used is (RFC 9111, section 5.2.1.7).
    GatewayTimeout,
}

impl Decision<'_> {
    /// Whether the entry answers, without asking the origin.
    pub const fn is_serve(&self) -> bool {
        matches!(self, Self::Serve { .. })
    }
}

/// When a stale entry may stand in for the origin's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandIn {
    Never,
    /// When the origin does not answer (RFC 9111, section 4.2.4).
    Disconnected,
    /// When it answers with a server error too (RFC 5861, section 4).
    OnError,
}

/// How an entry answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    Fresh,
    /// Stale, while it is revalidated behind the answer (RFC 5861, section 3).
    WhileRevalidate,
    /// Stale, because the client said that it will do (`max-stale`).
    MaxStale,
}

/// Why a request goes to the origin, as `fwd` of `Cache-Status` says it (RFC 9211, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// The route does not cache, or the request is not shareable.
    Bypass,
    /// The method is one that caches do not answer.
    Method,
    /// Nothing is stored for the URL.
    UriMiss,
    /// The URL is stored, but no variant that this request selects.
    VaryMiss,
    /// What is stored is stale.
    Stale,
    /// The client's directives ask for it.
    Request,
}

impl Forward {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

/// What a request asks of caches on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    cache_control: CacheControl,
}

impl Directives {
    /// Reads `Cache-Control`, or `Pragma` where it is missing (RFC 9111, section 5.4), as far as the policy honours
    /// them. `only-if-cached` is always honoured: it spares the origin.
    pub fn read(request: &HeaderMap, policy: &Policy) -> Self {
        let cache_control = match CacheControl::read(request, "cache-control") {
            Some(read) => read,
            None => CacheControl::read(request, "pragma").unwrap_or_default(),
        };
        let cache_control = match policy.client_directives {
            ClientDirectives::Honour => cache_control,
            ClientDirectives::Ignore => {
                CacheControl { only_if_cached: cache_control.only_if_cached, ..CacheControl::default() }
            }
        };
        Self { cache_control }
    }

    /// Whether the client forbids to store what comes of it (section 5.2.1.5).
    pub const fn no_store(&self) -> bool {
        self.cache_control.no_store
    }

    /// Whether the client wants a stored response or none (section 5.2.1.7).
    pub const fn only_if_cached(&self) -> bool {
        self.cache_control.only_if_cached
    }

    fn asks_origin(&self, age: Duration, left: Duration) -> bool {
        let cc = &self.cache_control;
        let seconds = |s: u32| Duration::from_secs(s.into());
        cc.no_cache != Default::default()
            || cc.max_age.is_some_and(|max| max == 0 || age > seconds(max))
            || cc.min_fresh.is_some_and(|min| left < seconds(min))
    }

    fn accepts_stale(&self, staleness: Duration) -> bool {
        match self.cache_control.max_stale {
            None => false,
            Some(u32::MAX) => true,
            Some(max) => staleness <= Duration::from_secs(max.into()),
        }
    }
}

/// What a decision asks of a request that may be answered from the cache.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub directives: Directives,
    pub credentials: Credentials,
    /// `If-Match` and `If-Unmodified-Since`, where the request has them.
    preconditions: Option<Box<HeaderMap>>,
}

/// Whether a request says who asks, and what follows where no entry may be shared with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    #[default]
    None,
    /// It goes through whole.
    Pass,
    /// It is forwarded as any other: all fields are (RFC 9111, section 3.5).
    Forward,
}

impl Facts {
    /// `fields`: the request's. `credentials`: whether [`sharing`] found some.
    pub fn read(fields: &HeaderMap, policy: &Policy, credentials: bool) -> Self {
        let preconditions = [header::IF_MATCH, header::IF_UNMODIFIED_SINCE];
        let preconditions = preconditions.iter().any(|name| fields.contains_key(name)).then(|| {
            let lines = preconditions
                .iter()
                .flat_map(|name| fields.get_all(name).into_iter().map(|value| (name.clone(), value.clone())));
            Box::new(lines.collect())
        });
        Self {
            directives: Directives::read(fields, policy),
            credentials: match (credentials, policy.selects()) {
                (false, _) => Credentials::None,
                (true, false) => Credentials::Forward,
                (true, true) => Credentials::Pass,
            },
            preconditions,
        }
    }
}

/// Decides for a shareable request. `missed` says what `fwd` is where there is no entry: [`Forward::UriMiss`] or
/// [`Forward::VaryMiss`].
pub fn decide<'a>(
    request: &Facts,
    entry: Option<&'a Arc<Entry>>,
    missed: Forward,
    now: Time,
) -> Decision<'a> {
    let decision = match entry {
        None => Decision::Fetch(missed),
        // What was stored for those without credentials is for those with them only where the response says so.
        Some(entry)
            if request.credentials != Credentials::None && !entry.freshness.shared_with_credentials =>
        {
            Decision::Fetch(Forward::Request)
        }
        Some(entry) => decide_on(&request.directives, entry, now),
    };
    match decision {
        // These conditions are for the origin (RFC 9111, section 4.3.2): what meets them here would meet them there, and what
        // does not may be newer there.
        Decision::Serve { entry, .. }
            if request
                .preconditions
                .as_ref()
                .is_some_and(|these| conditional::fails(these, &entry.fields)) =>
        {
            only_if_cached_or(request, Decision::Pass(PassReason::Precondition))
        }
        Decision::Serve { .. } => decision,
        _ if request.credentials == Credentials::Pass => {
            only_if_cached_or(request, Decision::Pass(PassReason::Credentials))
        }
        decision => only_if_cached_or(request, decision),
    }
}

/// A client that wants a stored response or none gets none of the origin.
const fn only_if_cached_or<'a>(request: &Facts, decision: Decision<'a>) -> Decision<'a> {
    if request.directives.only_if_cached() { Decision::GatewayTimeout } else { decision }
}

fn decide_on<'a>(request: &Directives, entry: &'a Arc<Entry>, now: Time) -> Decision<'a> {
    let freshness = &entry.freshness;
    let age = entry.age(now);
    let left = freshness.lifetime.saturating_sub(age);
    let staleness = age.saturating_sub(freshness.lifetime);
    let fresh = age < freshness.lifetime;
    let stand_in = if freshness.always_validate {
        StandIn::Never
    } else if staleness < freshness.if_error {
        StandIn::OnError
    } else if staleness < freshness.disconnected {
        StandIn::Disconnected
    } else {
        StandIn::Never
    };
    let ask = |why| Decision::Revalidate { entry, why, stand_in };
    if freshness.always_validate {
        return ask(Forward::Stale);
    }
    if request.asks_origin(age, left) {
        return ask(Forward::Request);
    }
    if fresh {
        return Decision::Serve { entry, serve: Serve::Fresh };
    }
    if staleness < freshness.while_revalidate {
        return Decision::Serve { entry, serve: Serve::WhileRevalidate };
    }
    if request.accepts_stale(staleness) && freshness.may_be_stale {
        return Decision::Serve { entry, serve: Serve::MaxStale };
    }
    ask(Forward::Stale)
}

/// Whether a request's method can be answered from a stored GET (RFC 9110, section 9.2.3).
pub fn is_cacheable_method(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Parts;

    const START: Time = Time(1_700_000_000_000);

    /// A decision without its entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Kind {
        Serve(Serve),
        Revalidate(Forward, StandIn),
        Fetch(Forward),
        Pass(PassReason),
        GatewayTimeout,
    }

    fn kind(decision: Decision<'_>) -> Kind {
        match decision {
            Decision::Serve { serve, .. } => Kind::Serve(serve),
            Decision::Revalidate { why, stand_in, .. } => Kind::Revalidate(why, stand_in),
            Decision::Fetch(why) => Kind::Fetch(why),
            Decision::Pass(reason) => Kind::Pass(reason),
            Decision::GatewayTimeout => Kind::GatewayTimeout,
        }
    }

    fn entry(cache_control: &str) -> Arc<Entry> {
        let mut fields = HeaderMap::new();
        fields.insert("cache-control", cache_control.parse().unwrap());
        fields.insert("etag", "\"1\"".parse().unwrap());
        let parts = Parts {
            key: "https://a.example/".into(),
            status: StatusCode::OK,
            fields,
            body: Bytes::new(),
            requested: START,
            received: START,
            purge_mark: crate::purge::Mark { log: 0, seq: 0 },
            vary: vec![],
        };
        Arc::new(Entry::new(parts, &Policy::default()))
    }

    fn after(seconds: u64, request: &str, response: &str) -> Kind {
        let policy = Policy { client_directives: ClientDirectives::Honour, ..Policy::default() };
        let mut fields = HeaderMap::new();
        if !request.is_empty() {
            fields.insert("cache-control", request.parse().unwrap());
        }
        let facts = Facts::read(&fields, &policy, false);
        let now = START + Duration::from_secs(seconds);
        kind(decide(&facts, Some(&entry(response)), Forward::UriMiss, now))
    }

    const FRESH: Kind = Kind::Serve(Serve::Fresh);

    fn revalidate(why: Forward, on_error: bool) -> Kind {
        Kind::Revalidate(why, if on_error { StandIn::OnError } else { StandIn::Never })
    }

    #[test]
    fn fresh_then_stale_by_permission_then_not() {
        let response = "max-age=10, stale-while-revalidate=5, stale-if-error=60";
        assert_eq!(after(9, "", response), FRESH);
        assert_eq!(after(10, "", response), Kind::Serve(Serve::WhileRevalidate));
        assert_eq!(after(15, "", response), revalidate(Forward::Stale, true));
        assert_eq!(after(70, "", response), revalidate(Forward::Stale, false));
    }

    #[test]
    fn must_revalidate_and_no_cache_allow_nothing_stale() {
        let windows = "stale-while-revalidate=9, stale-if-error=9";
        assert_eq!(
            after(11, "", &format!("max-age=10, must-revalidate, {windows}")),
            revalidate(Forward::Stale, false)
        );
        assert_eq!(
            after(0, "", &format!("max-age=10, no-cache, {windows}")),
            revalidate(Forward::Stale, false)
        );
        assert_eq!(after(11, "max-stale", "max-age=10, must-revalidate"), revalidate(Forward::Stale, false));
    }

    #[test]
    fn a_client_that_is_honoured_moves_the_bounds() {
        assert_eq!(after(1, "no-cache", "max-age=10"), revalidate(Forward::Request, false));
        assert_eq!(after(1, "max-age=0", "max-age=10"), revalidate(Forward::Request, false));
        assert_eq!(after(1, "max-age=5", "max-age=10"), FRESH);
        assert_eq!(after(6, "min-fresh=5", "max-age=10"), revalidate(Forward::Request, false));
        assert_eq!(after(15, "max-stale=5", "max-age=10"), Kind::Serve(Serve::MaxStale));
        assert_eq!(after(16, "max-stale=5", "max-age=10"), revalidate(Forward::Stale, false));
        assert_eq!(after(11, "only-if-cached", "max-age=10"), Kind::GatewayTimeout);
        assert_eq!(after(1, "only-if-cached", "max-age=10"), FRESH);
    }

    #[test]
    fn a_client_that_is_ignored_does_not() {
        let mut fields = HeaderMap::new();
        fields.insert("cache-control", "no-cache, max-age=0".parse().unwrap());
        fields.insert("pragma", "no-cache".parse().unwrap());
        let facts = Facts::read(&fields, &Policy::default(), false);
        assert_eq!(kind(decide(&facts, Some(&entry("max-age=10")), Forward::UriMiss, START)), FRESH);
    }

    #[test]
    fn credentials_pass_unless_the_entry_is_shared_with_them() {
        let with = |fields: &[(&'static str, &'static str)], response, credentials| {
            let fields = fields.iter().map(|&(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
            let facts = Facts::read(&fields, &Policy::default(), credentials);
            kind(decide(&facts, Some(&entry(response)), Forward::UriMiss, START))
        };
        assert_eq!(with(&[], "max-age=10", true), Kind::Pass(PassReason::Credentials));
        assert_eq!(with(&[], "max-age=10, public", true), FRESH);
        let cached = [("cache-control", "only-if-cached")];
        assert_eq!(with(&cached, "max-age=10", true), Kind::GatewayTimeout);
        assert_eq!(with(&cached, "max-age=10, public", true), FRESH);
    }

    #[test]
    fn what_only_the_origin_can_judge_goes_there() {
        let with = |name: &'static str, value: &'static str| {
            let fields = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            let facts = Facts::read(&fields, &Policy::default(), false);
            kind(decide(&facts, Some(&entry("max-age=10")), Forward::UriMiss, START))
        };
        assert_eq!(with("if-match", "\"1\""), FRESH);
        assert_eq!(with("if-match", "*"), FRESH);
        assert_eq!(with("if-match", "\"2\""), Kind::Pass(PassReason::Precondition));
        assert_eq!(with("if-match", "W/\"1\""), Kind::Pass(PassReason::Precondition));
    }

    proptest! {
        /// Once it is not fresh it never becomes fresh again by waiting.
        #[test]
        fn freshness_is_monotonic(max_age in 0u64..50, swr in 0u64..50, sie in 0u64..50, a in 0u64..200, b in 0u64..200) {
            let response = format!("max-age={max_age}, stale-while-revalidate={swr}, stale-if-error={sie}");
            let rank = |kind: &Kind| match kind {
                Kind::Serve(Serve::Fresh) => 0,
                Kind::Serve(_) => 1,
                Kind::Revalidate(_, StandIn::OnError) => 2,
                _ => 3,
            };
            let (early, late) = (a.min(b), a.max(b));
            // With swr longer than sie, serving stale may be followed directly by no permission at all.
            prop_assert!(rank(&after(early, "", &response)) <= rank(&after(late, "", &response)));
        }
    }
}
