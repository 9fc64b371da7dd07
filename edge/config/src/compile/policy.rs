//! The policy of `[defaults]` and of each route: what it sets itself over what it inherits.

use std::time::Duration;

use levee::config::{
    ClientDirectives, NamePattern, Negative, Policy, QueryPolicy, RateLimit, SetCookie, Stale, Ttl,
};

use super::names_help;
use crate::read::{At, List, Off, Reader, Section};
use crate::source::{self, FieldName};

/// `own` over `base`. What `own` sets is checked against what then holds; what it inherits and has no use for is left out.
pub(super) fn compile(
    own: &source::Policy,
    base: &source::Policy,
    origins: &[&str],
    reader: &mut Reader<'_>,
) -> Policy {
    let merged = own.clone().over(base.clone());
    super::fields::check(own, &merged, reader);
    check_query(own, reader);
    check_lifetimes(own, &merged, reader);
    let usual = Policy::default();
    let (credentials, key) = super::fields::key(&merged);
    Policy {
        cache: plain(merged.cache.as_ref(), usual.cache),
        origins: indices(&merged, own, origins, reader),
        ttl: ttl(merged.ttl.as_ref()),
        stale: stale(merged.stale.as_ref()),
        credentials,
        credential_fields: merged.credential_fields.as_ref().map_or(usual.credential_fields, names),
        ignored_cookies: merged.ignored_cookies.as_ref().map_or(usual.ignored_cookies, |list| {
            list.value.iter().map(|at| NamePattern::new(at.value.0.as_str())).collect()
        }),
        set_cookie: match merged.set_cookie.as_ref().map(|at| at.value) {
            Some(source::SetCookie::Refuse) | None => SetCookie::Refuse,
            Some(source::SetCookie::Strip) => SetCookie::Strip,
            Some(source::SetCookie::Store) => SetCookie::Store,
        },
        key,
        forward: super::fields::forward(&merged),
        ordinary: super::fields::ordinary(&merged),
        particular: super::fields::particular(&merged),
        via: plain(merged.via.as_ref(), usual.via),
        client_directives: match merged.client_directives.as_ref().map(|at| at.value) {
            Some(source::ClientDirectives::Ignore) | None => ClientDirectives::Ignore,
            Some(source::ClientDirectives::Honour) => ClientDirectives::Honour,
        },
        targeted: merged.targeted.as_ref().map_or(usual.targeted, names),
        pass_targeted: plain(merged.pass_targeted.as_ref(), usual.pass_targeted),
        heuristic: plain(merged.heuristic.as_ref(), usual.heuristic),
        negative: negative(merged.negative.as_ref()),
        rate_limit: merged.rate_limit.as_ref().and_then(|at| rate_limit(&at.value)),
    }
}

fn plain(value: Option<&At<bool>>, usual: bool) -> bool {
    value.map_or(usual, |at| at.value)
}

fn names(list: &At<List<FieldName>>) -> Vec<String> {
    super::fields::unique(&list.value)
}

fn indices(
    merged: &source::Policy,
    own: &source::Policy,
    origins: &[&str],
    reader: &mut Reader<'_>,
) -> Vec<u16> {
    let Some(At { value: list, .. }) = &merged.origins else { return Vec::new() };
    let mut indices = Vec::new();
    for At { value: name, span } in list.iter() {
        match origins.iter().position(|origin| *origin == name.0).map(u16::try_from) {
            Some(Ok(index)) if !indices.contains(&index) => indices.push(index),
            Some(_) => {}
            // What is inherited has been said where it stands.
            None if own.origins.is_none() || origins.is_empty() => {}
            None => {
                let message = format!("no origin is named `{}`", name.0);
                reader.error(span, message).help(names_help(&name.0, origins));
            }
        }
    }
    indices
}

fn ttl(source: Option<&At<source::Ttl>>) -> Ttl {
    let Some(At { value: source, .. }) = source else { return Ttl::default() };
    let on = |at: &At<Off<source::Time>>| at.value.on().map(|time| time.0);
    Ttl {
        default: source.default.as_ref().map_or(Duration::ZERO, |at| at.value.0),
        max: source.max.as_ref().and_then(on),
        overrides: source.r#override.as_ref().and_then(on),
    }
}

fn stale(source: Option<&At<source::Stale>>) -> Stale {
    let Some(At { value: source, .. }) = source else { return Stale::default() };
    let time = |at: Option<&At<source::Time>>| at.map_or(Duration::ZERO, |at| at.value.0);
    Stale {
        while_revalidate: time(source.while_revalidate.as_ref()),
        if_error: time(source.if_error.as_ref()),
        disconnected: time(source.disconnected.as_ref()),
        beside_s_maxage: plain(source.beside_s_maxage.as_ref(), false),
    }
}

fn negative(source: Option<&At<source::Negative>>) -> Vec<Negative> {
    let lifetimes = source.iter().flat_map(|at| at.value.0.iter());
    let mut lifetimes: Vec<_> =
        lifetimes.map(|(status, ttl)| Negative { status: *status, ttl: ttl.0 }).collect();
    lifetimes.sort_by_key(|negative| negative.status);
    lifetimes
}

fn rate_limit(source: &source::RateLimitSwitch) -> Option<RateLimit> {
    let source = &source.on()?.0;
    Some(RateLimit {
        limit: super::small(source.limit.as_ref()?.value.0),
        window: source.window.as_ref()?.value.0,
    })
}

fn check_query(own: &source::Policy, reader: &mut Reader<'_>) {
    let query = own.key.as_ref().and_then(|key| key.value.query.as_ref());
    if let Some(At { value: query, .. }) = query
        && let (Some(keep), Some(drop)) = (&query.0.keep, &query.0.drop)
    {
        let later = if keep.span.start > drop.span.start { keep } else { drop };
        reader
            .error(&later.span, "`key.query` has both `keep` and `drop`")
            .help("`keep` names the parameters that count, `drop` those that do not: take one");
    }
}

/// The patterns of a query policy; `keep` where both stand, which has been refused.
pub(super) fn query(source: Option<&At<crate::read::Whole<source::Query>>>) -> QueryPolicy {
    let Some(At { value: query, .. }) = source else { return QueryPolicy::default() };
    let patterns = |list: &At<List<source::ParameterPattern>>| {
        list.value.iter().map(|at| NamePattern::new(at.value.0.as_str())).collect()
    };
    match (&query.0.keep, &query.0.drop) {
        (Some(keep), _) => QueryPolicy::Keep(patterns(keep)),
        (None, Some(drop)) => QueryPolicy::Drop(patterns(drop)),
        (None, None) => QueryPolicy::default(),
    }
}

fn check_lifetimes(own: &source::Policy, merged: &source::Policy, reader: &mut Reader<'_>) {
    if let Some(At { value: ttl, .. }) = &own.ttl {
        let then = merged.ttl.as_ref().map(|at| &at.value);
        let default = then.and_then(|ttl| ttl.default.as_ref());
        let max = then.and_then(|ttl| ttl.max.as_ref()).and_then(|at| at.value.on());
        let own_span = ttl.default.as_ref().map(|at| &at.span).or(ttl.max.as_ref().map(|at| &at.span));
        if let (Some(default), Some(max), Some(span)) = (default, max, own_span)
            && default.value.0 > max.0
        {
            reader
                .warning(span, "`ttl.default` is longer than `ttl.max`")
                .help("`ttl.max` is what then holds");
        }
    }
}
