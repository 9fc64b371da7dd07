//! Step 5: what to do with a request, as pure functions of request, entry, policy and `now`.

mod freshness;
mod sharing;
mod storable;

use std::time::Duration;

use http::{HeaderMap, Method};

pub use freshness::{Freshness, Source};
pub use sharing::{PassReason, Sharing, sharing};
pub use storable::{Candidate, NoStore, storable, strip_unstorable};

use crate::config::{ClientDirectives, Policy};
use crate::entry::Entry;
use crate::fields::CacheControl;
use crate::time::Time;

/// What to do for a request that may be answered from the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The entry answers, without asking the origin.
    Serve(Serve),
    /// The entry has to be confirmed by the origin first.
    Revalidate { why: Forward, stand_in: StandIn },
    /// The origin is asked; the entry, if there is one, is of no use.
    Fetch(Forward),
    /// `only-if-cached`, and nothing that may be used is (RFC 9111, section 5.2.1.7).
    GatewayTimeout,
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

/// Decides for a shareable request. `missed` says what `fwd` is where there is no entry: [`Forward::UriMiss`] or
/// [`Forward::VaryMiss`].
pub fn decide(request: &Directives, entry: Option<&Entry>, missed: Forward, now: Time) -> Decision {
    let decision = match entry {
        None => Decision::Fetch(missed),
        Some(entry) => decide_on(request, entry, now),
    };
    match decision {
        Decision::Revalidate { .. } | Decision::Fetch(_) if request.cache_control.only_if_cached => {
            Decision::GatewayTimeout
        }
        decision => decision,
    }
}

fn decide_on(request: &Directives, entry: &Entry, now: Time) -> Decision {
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
    let ask = |why| Decision::Revalidate { why, stand_in };
    if freshness.always_validate {
        return ask(Forward::Stale);
    }
    if request.asks_origin(age, left) {
        return ask(Forward::Request);
    }
    if fresh {
        return Decision::Serve(Serve::Fresh);
    }
    if staleness < freshness.while_revalidate {
        return Decision::Serve(Serve::WhileRevalidate);
    }
    if request.accepts_stale(staleness) && freshness.may_be_stale {
        return Decision::Serve(Serve::MaxStale);
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

    fn entry(cache_control: &str) -> Entry {
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
        Entry::new(parts, &Policy::default())
    }

    fn after(seconds: u64, request: &str, response: &str) -> Decision {
        let policy = Policy { client_directives: ClientDirectives::Honour, ..Policy::default() };
        let mut fields = HeaderMap::new();
        if !request.is_empty() {
            fields.insert("cache-control", request.parse().unwrap());
        }
        let directives = Directives::read(&fields, &policy);
        decide(&directives, Some(&entry(response)), Forward::UriMiss, START + Duration::from_secs(seconds))
    }

    const FRESH: Decision = Decision::Serve(Serve::Fresh);

    fn revalidate(why: Forward, on_error: bool) -> Decision {
        let stand_in = if on_error { StandIn::OnError } else { StandIn::Never };
        Decision::Revalidate { why, stand_in }
    }

    #[test]
    fn fresh_then_stale_by_permission_then_not() {
        let response = "max-age=10, stale-while-revalidate=5, stale-if-error=60";
        assert_eq!(after(9, "", response), FRESH);
        assert_eq!(after(10, "", response), Decision::Serve(Serve::WhileRevalidate));
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
        assert_eq!(after(15, "max-stale=5", "max-age=10"), Decision::Serve(Serve::MaxStale));
        assert_eq!(after(16, "max-stale=5", "max-age=10"), revalidate(Forward::Stale, false));
        assert_eq!(after(11, "only-if-cached", "max-age=10"), Decision::GatewayTimeout);
        assert_eq!(after(1, "only-if-cached", "max-age=10"), FRESH);
    }

    #[test]
    fn a_client_that_is_ignored_does_not() {
        let mut fields = HeaderMap::new();
        fields.insert("cache-control", "no-cache, max-age=0".parse().unwrap());
        fields.insert("pragma", "no-cache".parse().unwrap());
        let directives = Directives::read(&fields, &Policy::default());
        assert_eq!(decide(&directives, Some(&entry("max-age=10")), Forward::UriMiss, START), FRESH);
    }

    proptest! {
        /// Once it is not fresh it never becomes fresh again by waiting.
        #[test]
        fn freshness_is_monotonic(max_age in 0u64..50, swr in 0u64..50, sie in 0u64..50, a in 0u64..200, b in 0u64..200) {
            let response = format!("max-age={max_age}, stale-while-revalidate={swr}, stale-if-error={sie}");
            let rank = |decision: &Decision| match decision {
                Decision::Serve(Serve::Fresh) => 0,
                Decision::Serve(_) => 1,
                Decision::Revalidate { stand_in: StandIn::OnError, .. } => 2,
                _ => 3,
            };
            let (early, late) = (a.min(b), a.max(b));
            // With swr longer than sie, serving stale may be followed directly by no permission at all.
            prop_assert!(rank(&after(early, "", &response)) <= rank(&after(late, "", &response)));
        }
    }
}
