//! Freshness and age (RFC 9111, section 4.2), computed once from a response's fields.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::errors::is_of_one_request;
use super::storable::is_heuristically_cacheable;
use crate::config::Policy;
use crate::fields::{self, CacheControl, cache_control::Qualified};
use crate::time::Time;

/// What one response's fields say about its reuse, under one policy. With it, a decision is arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Its age when it came (section 4.2.3).
    pub initial_age: Duration,
    pub lifetime: Duration,
    /// What the lifetime was taken from.
    pub source: Source,
    /// How long past its lifetime it may be served while a new one is fetched. Zero where the response forbids it.
    pub while_revalidate: Duration,
    /// How long past its lifetime it may be served in place of an error. Zero where the response forbids it.
    pub if_error: Duration,
    /// How long past its lifetime it may be served when the origin does not answer at all (section 4.2.4).
    pub disconnected: Duration,
    /// Whether it may be served stale at all (section 4.2.4).
    pub may_be_stale: bool,
    /// `no-cache`: never served without asking.
    pub always_validate: bool,
    /// Whether the origin says that it is for everyone: `public` or `s-maxage`.
    pub public: bool,
    /// Whether the response says that it may be shared although its request carried credentials (section 3.5).
    pub shared_with_credentials: bool,
}

/// Where a lifetime comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `ttl.override` of the policy.
    Override,
    SMaxAge,
    MaxAge,
    Expires,
    /// A tenth of the time since `Last-Modified`, or nothing where that is missing (section 4.2.2).
    Heuristic,
    /// `negative` of the policy, for this status.
    Negative,
    /// `ttl.default` of the policy.
    Default,
    /// Nothing says anything.
    Silent,
}

impl Source {
    /// Whether the origin itself named a lifetime.
    pub const fn is_explicit(self) -> bool {
        matches!(self, Self::SMaxAge | Self::MaxAge | Self::Expires)
    }
}

/// The directives that hold for this edge: those of the first targeted field that is there (RFC 9213, section 2.2),
/// else of `Cache-Control`; and whether they come from a targeted one.
pub(super) fn directives(response: &HeaderMap, policy: &Policy) -> (CacheControl, bool) {
    for name in &policy.targeted {
        if let Some(targeted) = CacheControl::read_targeted(response, name) {
            return (targeted, true);
        }
    }
    (CacheControl::read(response, "cache-control").unwrap_or_default(), false)
}

impl Freshness {
    /// Reads the fields of a response that was asked for at `requested` and whose head came at `received`.
    pub fn compute(
        status: StatusCode,
        response: &HeaderMap,
        requested: Time,
        received: Time,
        policy: &Policy,
    ) -> Self {
        let (directives, targeted) = directives(response, policy);
        let date = fields::text(response, "date").and_then(fields::date::parse);
        let (lifetime, source) =
            lifetime(status, response, &directives, targeted, date.unwrap_or(received), policy);
        let lifetime = policy.ttl.max.map_or(lifetime, |max| lifetime.min(max));
        let seconds =
            |delta: Option<u32>, otherwise| delta.map_or(otherwise, |s| Duration::from_secs(s.into()));
        let no_stale = directives.must_revalidate
            || directives.proxy_revalidate
            || directives.no_cache == Qualified::Yes
            || (directives.s_maxage.is_some() && !policy.stale.beside_s_maxage);
        let window = |delta, otherwise| if no_stale { Duration::ZERO } else { seconds(delta, otherwise) };
        let if_error = window(directives.stale_if_error, policy.stale.if_error);
        Self {
            initial_age: initial_age(response, requested, received, date),
            lifetime,
            source,
            while_revalidate: window(directives.stale_while_revalidate, policy.stale.while_revalidate),
            if_error,
            disconnected: window(None, policy.stale.disconnected).max(if_error),
            may_be_stale: !no_stale,
            always_validate: directives.no_cache == Qualified::Yes,
            public: directives.public || directives.s_maxage.is_some(),
            shared_with_credentials: directives.public
                || directives.s_maxage.is_some()
                || directives.must_revalidate,
        }
    }
}

/// Section 4.2.1.
fn lifetime(
    status: StatusCode,
    response: &HeaderMap,
    directives: &CacheControl,
    targeted: bool,
    date: Time,
    policy: &Policy,
) -> (Duration, Source) {
    // For what succeeds alone: an error is not kept for as long as the page that it stands in for.
    if let Some(overriding) = policy.ttl.overrides.filter(|_| status.is_success()) {
        return (overriding, Source::Override);
    }
    let seconds = |s: u32| Duration::from_secs(s.into());
    if let Some(s_maxage) = directives.s_maxage {
        return (seconds(s_maxage), Source::SMaxAge);
    }
    if let Some(max_age) = directives.max_age {
        return (seconds(max_age), Source::MaxAge);
    }
    // A targeted field replaces `Expires` too (RFC 9213, section 2.2).
    if !targeted && response.contains_key("expires") {
        // An `Expires` that cannot be read is in the past (RFC 9111, section 5.3); so are two that differ.
        let mut lines = response.get_all("expires").into_iter();
        let expires = lines.next().and_then(|line| line.to_str().ok()).and_then(fields::date::parse);
        let alone = lines.next().is_none();
        let lifetime = expires.filter(|_| alone).map_or(Duration::ZERO, |expires| expires.since(date));
        return (lifetime, Source::Expires);
    }
    if let Some(negative) = policy.negative.iter().find(|negative| negative.status == status.as_u16())
        && !is_of_one_request(status)
    {
        return (negative.ttl, Source::Negative);
    }
    if !is_heuristically_cacheable(status) && !directives.public {
        return (Duration::ZERO, Source::Silent);
    }
    if policy.heuristic
        && let Some(modified) = fields::text(response, "last-modified").and_then(fields::date::parse)
    {
        return (date.since(modified) / 10, Source::Heuristic);
    }
    match policy.ttl.default {
        Duration::ZERO if policy.heuristic => (Duration::ZERO, Source::Heuristic),
        Duration::ZERO => (Duration::ZERO, Source::Silent),
        default if status.is_success() || status.is_redirection() => (default, Source::Default),
        _ => (Duration::ZERO, Source::Silent),
    }
}

/// Section 4.2.3. `Date` is cut to the second, so that up to a second of what it seems to tell is not true.
fn initial_age(response: &HeaderMap, requested: Time, received: Time, date: Option<Time>) -> Duration {
    const CUT: Duration = Duration::from_millis(999);
    let apparent = date.map_or(Duration::ZERO, |date| received.since(date + CUT));
    // Of a list the first counts (section 5.1); what cannot be read is left out.
    let age_value = fields::text(response, "age")
        .and_then(|value| fields::list::elements(value).next())
        .and_then(fields::delta_seconds)
        .map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds.into()));
    apparent.max(age_value + received.since(requested))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;
    use crate::config::{Negative, Stale, Ttl};

    const NOW: Time = Time(1_700_000_000_000);

    fn compute(fields: &[(&'static str, &str)], policy: &Policy) -> Freshness {
        let fields: HeaderMap =
            fields.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Freshness::compute(StatusCode::OK, &fields, NOW, NOW, policy)
    }

    fn lifetime_of(fields: &[(&'static str, &str)], policy: &Policy) -> (u64, Source) {
        let freshness = compute(fields, policy);
        (freshness.lifetime.as_secs(), freshness.source)
    }

    #[test]
    fn precedence_of_lifetimes() {
        let policy = Policy::default();
        let later = (NOW + Duration::from_secs(90)).to_http_date();
        let date = NOW.to_http_date();
        let expires = ("expires", later.as_str());
        let dated = ("date", date.as_str());
        let cc = |value| ("cache-control", value);
        assert_eq!(
            lifetime_of(&[cc("max-age=1, s-maxage=2"), expires, dated], &policy),
            (2, Source::SMaxAge)
        );
        assert_eq!(lifetime_of(&[cc("max-age=1"), expires, dated], &policy), (1, Source::MaxAge));
        assert_eq!(lifetime_of(&[expires, dated], &policy), (90, Source::Expires));
        assert_eq!(lifetime_of(&[("expires", "0"), dated], &policy), (0, Source::Expires));
        assert_eq!(lifetime_of(&[], &policy), (0, Source::Silent));
        let targeted = ("cdn-cache-control", "max-age=7");
        assert_eq!(lifetime_of(&[cc("no-store"), targeted, expires], &policy), (7, Source::MaxAge));
    }

    #[test]
    fn the_policy_speaks_where_the_origin_is_silent() {
        let policy = Policy {
            ttl: Ttl { default: Duration::from_secs(5), max: Some(Duration::from_secs(60)), overrides: None },
            negative: vec![Negative { status: 404, ttl: Duration::from_secs(3) }],
            ..Policy::default()
        };
        assert_eq!(lifetime_of(&[], &policy), (5, Source::Default));
        assert_eq!(lifetime_of(&[("cache-control", "max-age=600")], &policy), (60, Source::MaxAge));
        let missing = Freshness::compute(StatusCode::NOT_FOUND, &HeaderMap::new(), NOW, NOW, &policy);
        assert_eq!((missing.lifetime.as_secs(), missing.source), (3, Source::Negative));
        let broken = Freshness::compute(StatusCode::BAD_GATEWAY, &HeaderMap::new(), NOW, NOW, &policy);
        assert_eq!(broken.source, Source::Silent);
    }

    #[test]
    fn errors_get_no_lifetime_that_was_meant_for_others() {
        let policy = Policy {
            ttl: Ttl { overrides: Some(Duration::from_secs(3600)), ..Ttl::default() },
            negative: [404, 431, 400, 503]
                .map(|status| Negative { status, ttl: Duration::from_secs(3) })
                .to_vec(),
            ..Policy::default()
        };
        let source = |status| {
            let status = StatusCode::from_u16(status).unwrap();
            Freshness::compute(status, &HeaderMap::new(), NOW, NOW, &policy).source
        };
        assert_eq!([source(200), source(206)], [Source::Override; 2]);
        assert_eq!([source(404), source(503)], [Source::Negative; 2]);
        for silent in [301, 400, 403, 429, 431, 500] {
            assert_eq!(source(silent), Source::Silent, "{silent}");
        }
    }

    #[test]
    fn s_maxage_forbids_stale_answers_unless_the_policy_lifts_it() {
        let both = [("cache-control", "s-maxage=1, stale-while-revalidate=30, stale-if-error=60")];
        let strict = compute(&both, &Policy::default());
        assert_eq!((strict.while_revalidate, strict.if_error), (Duration::ZERO, Duration::ZERO));
        let stale = Stale { beside_s_maxage: true, ..Stale::default() };
        let lifted = compute(&both, &Policy { stale, ..Policy::default() });
        assert_eq!((lifted.while_revalidate.as_secs(), lifted.if_error.as_secs()), (30, 60));
    }

    #[test]
    fn age_counts_what_others_held_and_what_the_way_took() {
        let fields: HeaderMap = [("age", "10")]
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let received = NOW + Duration::from_secs(2);
        let freshness = Freshness::compute(StatusCode::OK, &fields, NOW, received, &Policy::default());
        assert_eq!(freshness.initial_age.as_secs(), 12);
        let cut = compute(&[("date", &(Time(NOW.0 - 900)).to_http_date())], &Policy::default());
        assert!(cut.initial_age < Duration::from_secs(1));
    }
}
