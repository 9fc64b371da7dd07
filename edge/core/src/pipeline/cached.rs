//! Requests that the cache may answer.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode};

use super::fill::Fill;
use super::missed::through_shield;
use super::{BodyOf, Exchange, answer_problem, respond};
use crate::config;
use crate::decide::{Decision, Directives, Forward, Serve, StandIn, decide};
use crate::entry::{Entry, Slot};
use crate::fields::vary;
use crate::key::Key;
use crate::lookup::{self, Found};
use crate::origin::shared_fields;
use crate::platform::Platform;
use crate::respond::problem::Problem;
use crate::respond::{Answer, Outcome, Report, from_entry};

/// Answers from the cache, or by filling it. `None`: the request carries credentials and nothing that may be shared with
/// them is stored, so it must go through whole.
pub(super) async fn answer<P: Platform>(
    exchange: &Exchange<'_, P>,
    key: Key,
    credentials: bool,
) -> Option<Response<BodyOf<P>>> {
    let policy = exchange.policy();
    let request = Request {
        directives: Directives::read(&exchange.fields, policy),
        forwarded: OnceCell::new(),
        key,
        credentials,
    };
    let forwarded = || request.forwarded(exchange);
    let now = exchange.platform.now();
    let mut found = lookup::in_memory(exchange.edge, &request.key, forwarded);
    let mut decision = request.decide(&found, now);
    if !matches!(decision, Decision::Serve(_)) && !exchange.platform.stores().is_empty() {
        let (edge, platform, key) = (exchange.edge, exchange.platform, &request.key);
        let is_enough = |found: &Found| matches!(request.decide(found, platform.now()), Decision::Serve(_));
        found = lookup::in_stores(edge, platform, key, forwarded(), policy, found, is_enough).await;
        decision = request.decide(&found, platform.now());
    }
    if let (Decision::Serve(serve), Found::Entry { tier, .. }) = (&decision, &found)
        && let Some(entry) = found.entry()
    {
        if *serve == Serve::WhileRevalidate {
            revalidate_behind(exchange, &request, &found);
        }
        return Some(serve_entry(exchange, entry, *serve, tier));
    }
    if credentials && policy.forward != config::Forward::All {
        return None;
    }
    Some(match decision {
        Decision::GatewayTimeout => only_if_cached(exchange),
        Decision::Fetch(why) => through_shield(exchange, &request, &found, why, StandIn::Never).await,
        Decision::Revalidate { why, stand_in } => {
            through_shield(exchange, &request, &found, why, stand_in).await
        }
        Decision::Serve(_) => {
            through_shield(exchange, &request, &found, Forward::UriMiss, StandIn::Never).await
        }
    })
}

/// What the steps of one cacheable request share.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) key: Key,
    directives: Directives,
    /// As the origin would get them: not needed for most hits.
    forwarded: OnceCell<HeaderMap>,
    pub(super) credentials: bool,
}

impl Request {
    pub(super) fn new(key: Key, fields: &HeaderMap, policy: &config::Policy, credentials: bool) -> Self {
        let directives = Directives::read(fields, policy);
        Self { key, directives, forwarded: OnceCell::new(), credentials }
    }

    pub(super) fn forwarded<P: Platform>(&self, exchange: &Exchange<'_, P>) -> &HeaderMap {
        self.forwarded.get_or_init(|| shared_fields(&exchange.fields, exchange.policy(), &exchange.hop()))
    }

    pub(super) fn decide(&self, found: &Found, now: crate::Time) -> Decision {
        let missed = match found {
            Found::Missing(why) => *why,
            Found::Entry { .. } => Forward::UriMiss,
        };
        match decide(&self.directives, found.entry(), missed, now) {
            // What was stored for those without credentials is for those with them only where the response says so.
            Decision::Serve(_) | Decision::Revalidate { .. }
                if self.credentials
                    && found.entry().is_some_and(|e| !e.freshness.shared_with_credentials) =>
            {
                Decision::Fetch(Forward::Request)
            }
            decision => decision,
        }
    }

    /// Whether this request selects an entry that another request has just brought.
    pub(super) fn selects<P: Platform>(&self, exchange: &Exchange<'_, P>, entry: &Entry) -> bool {
        if entry.vary.is_empty() {
            return entry.key == self.key.as_str();
        }
        entry.key == self.key.variant(&vary::selector(self.forwarded(exchange), &entry.vary))
    }
}

fn serve_entry<P: Platform>(
    exchange: &Exchange<'_, P>,
    entry: &Entry,
    serve: Serve,
    tier: &'static str,
) -> Response<BodyOf<P>> {
    let now = exchange.platform.now();
    answer_from(exchange, entry, &hit_report(entry, serve, tier, now), now)
}

/// What is said of an answer out of a tier.
pub(super) fn hit_report(entry: &Entry, serve: Serve, tier: &'static str, now: crate::Time) -> Report {
    let (outcome, detail) = match serve {
        Serve::Fresh => (Outcome::Hit, None),
        Serve::WhileRevalidate => (Outcome::Stale, Some("stale-while-revalidate")),
        Serve::MaxStale => (Outcome::Stale, Some("max-stale")),
    };
    with_age(entry, now, Report { detail, tier: Some(tier), ..Report::new(outcome) })
}

/// Adds how old the entry is and what it spared.
fn with_age(entry: &Entry, now: crate::Time, report: Report) -> Report {
    let age = entry.age(now);
    Report {
        ttl: Some(seconds(entry.freshness.lifetime) - seconds(age)),
        age: Some(age),
        saved: report.origin.is_none().then(|| entry.origin_time()),
        ..report
    }
}

/// Answers from an entry, and says how old it is and what it spared.
pub(super) fn from_cache<P: Platform>(
    exchange: &Exchange<'_, P>,
    entry: &Entry,
    report: Report,
) -> Response<BodyOf<P>> {
    let now = exchange.platform.now();
    answer_from(exchange, entry, &with_age(entry, now, report), now)
}

fn answer_from<P: Platform>(
    exchange: &Exchange<'_, P>,
    entry: &Entry,
    report: &Report,
    now: crate::Time,
) -> Response<BodyOf<P>> {
    let answer = from_entry(&exchange.method, &exchange.fields, entry, exchange.policy(), now);
    respond(exchange.edge, answer, report)
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn only_if_cached<P: Platform>(exchange: &Exchange<'_, P>) -> Response<BodyOf<P>> {
    let problem = Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "only-if-cached",
        "Not in the cache",
        "the request says `only-if-cached`, and nothing that may be used is stored",
    );
    answer_problem(exchange.edge, &exchange.fields, &problem, Report::new(Outcome::Error))
}

pub(super) fn fill_of<P: Platform>(exchange: &Exchange<'_, P>, request: &Request, method: Method) -> Fill<P> {
    Fill {
        edge: exchange.edge.clone(),
        platform: exchange.platform.clone(),
        route: exchange.route,
        method,
        key: request.key.clone(),
        authority: exchange.authority.clone(),
        client: exchange.fields.clone(),
        forwarded: request.forwarded(exchange).clone(),
        no_store: request.directives.no_store(),
        lease: Cell::new(None),
    }
}

/// Fetches a new answer behind the one that is being served, unless that is under way or has just failed.
fn revalidate_behind<P: Platform>(exchange: &Exchange<'_, P>, request: &Request, found: &Found) {
    let now = exchange.platform.now();
    let key = request.key.as_str();
    if exchange.edge.backoff.holds(key, now) {
        return;
    }
    let (Some(obligation), Found::Entry { slot, .. }) =
        (exchange.edge.flights.try_lead(key, now, exchange.edge.purges.last_for(key)), found)
    else {
        return;
    };
    fill_of(exchange, request, Method::GET).behind(slot.clone(), obligation);
}

/// The answer and the slot it came from.
pub(super) fn answer_of<P: Platform>(exchange: &Exchange<'_, P>, slot: &Arc<Slot>) -> Option<Answer> {
    match &**slot {
        Slot::Entry(entry) => Some(from_entry(
            &exchange.method,
            &exchange.fields,
            entry,
            exchange.policy(),
            exchange.platform.now(),
        )),
        Slot::Vary(_) => None,
    }
}
