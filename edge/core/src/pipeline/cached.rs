//! Requests that the cache may answer.

use std::cell::OnceCell;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, header};

use super::fill::{Asked, Confirmed, Fill};
use super::{BodyOf, Exchange, answer_problem, respond};
use crate::config;
use crate::decide::{Decision, Directives, Forward, NoStore, Serve, StandIn, decide};
use crate::entry::{Entry, Slot};
use crate::fields::vary;
use crate::key::Key;
use crate::lookup::{self, Found};
use crate::origin::{OriginError, shared_fields};
use crate::platform::Platform;
use crate::respond::problem::Problem;
use crate::respond::{Answer, Outcome, Report, from_entry};
use crate::shield::{Entered, Failure, Landing, Obligation};
use crate::store;

/// A request is behind another's flight at most so often before it goes by itself.
const MOST_FLIGHTS: usize = 4;

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
    if !matches!(decision, Decision::Serve(_)) && is_worth_a_read(exchange, found.entry()) {
        let far =
            lookup::in_stores(exchange.edge, exchange.platform, &request.key, forwarded(), policy).await;
        if is_newer(&far, &found) {
            found = far;
            decision = request.decide(&found, exchange.platform.now());
        }
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
    credentials: bool,
}

impl Request {
    pub(super) fn new(key: Key, fields: &HeaderMap, policy: &config::Policy, credentials: bool) -> Self {
        let directives = Directives::read(fields, policy);
        Self { key, directives, forwarded: OnceCell::new(), credentials }
    }

    fn forwarded<P: Platform>(&self, exchange: &Exchange<'_, P>) -> &HeaderMap {
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
    fn selects<P: Platform>(&self, exchange: &Exchange<'_, P>, entry: &Entry) -> bool {
        if entry.vary.is_empty() {
            return entry.key == self.key.as_str();
        }
        entry.key == self.key.variant(&vary::selector(self.forwarded(exchange), &entry.vary))
    }
}

/// A store is asked where memory has nothing, or something that was worth writing there: what is useful only for a moment
/// is not looked for in a tier that costs more than it saves.
fn is_worth_a_read<P: Platform>(exchange: &Exchange<'_, P>, near: Option<&Entry>) -> bool {
    let stores = exchange.platform.stores();
    match near {
        None => !stores.is_empty(),
        Some(entry) => stores.iter().any(|store| store::is_worth(store, entry)),
    }
}

fn is_newer(far: &Found, near: &Found) -> bool {
    match (far.entry(), near.entry()) {
        (Some(far), Some(near)) => far.received > near.received,
        (Some(_), None) => true,
        // Only a farther tier may know that the URL varies.
        (None, None) => matches!(far, Found::Missing(Forward::VaryMiss)),
        (None, Some(_)) => false,
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
fn from_cache<P: Platform>(exchange: &Exchange<'_, P>, entry: &Entry, report: Report) -> Response<BodyOf<P>> {
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

fn fill_of<P: Platform>(exchange: &Exchange<'_, P>, request: &Request, method: Method) -> Fill<P> {
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

/// Asks the origin, or waits for a request that does.
async fn through_shield<P: Platform>(
    exchange: &Exchange<'_, P>,
    request: &Request,
    found: &Found,
    why: Forward,
    stand_in: StandIn,
) -> Response<BodyOf<P>> {
    let edge = exchange.edge;
    let key = request.key.as_str();
    let collapses = P::COLLAPSES
        && exchange.method == Method::GET
        && !request.credentials
        && why != Forward::Request
        && !edge.hit_for_miss.holds(key, exchange.platform.now());
    let mut obligation = None;
    for _ in 0..if collapses { MOST_FLIGHTS } else { 0 } {
        match edge.flights.enter(key, exchange.platform.now(), edge.purges.last_for(key)) {
            Entered::Lead(lead) => {
                // A fill that has ended between look-up and here is as good as one that ends later.
                let again = lookup::in_memory(edge, &request.key, || request.forwarded(exchange));
                if is_newer(&again, found)
                    && let Decision::Serve(_) = request.decide(&again, exchange.platform.now())
                    && let Found::Entry { slot, .. } = &again
                    && let Some(entry) = again.entry()
                {
                    lead.filled(slot.clone());
                    return from_cache(exchange, entry, collapsed(why));
                }
                obligation = Some(lead);
                break;
            }
            Entered::Wait(waiting) => match waiting.await {
                Landing::Filled(slot) => {
                    let Slot::Entry(entry) = &*slot else { continue };
                    if !request.selects(exchange, entry) {
                        continue;
                    }
                    let now = exchange.platform.now();
                    let brought = Found::Entry { slot: slot.clone(), tier: lookup::MEMORY };
                    if let Decision::Serve(_) = request.decide(&brought, now) {
                        return from_cache(exchange, entry, collapsed(why));
                    }
                    break;
                }
                Landing::Failed(failure) => {
                    let entry = found.entry().filter(|_| stands_in(stand_in, &failure));
                    return failed(exchange, entry, &failure, collapsed(why));
                }
                Landing::Unshareable => break,
                Landing::Abandoned => {}
            },
        }
    }
    from_origin(exchange, request, found, why, stand_in, obligation).await
}

fn collapsed(why: Forward) -> Report {
    Report { forward: Some(why), collapsed: true, ..Report::new(Outcome::Miss) }
}

async fn from_origin<P: Platform>(
    exchange: &Exchange<'_, P>,
    request: &Request,
    found: &Found,
    why: Forward,
    stand_in: StandIn,
    obligation: Option<Obligation>,
) -> Response<BodyOf<P>> {
    let fill = fill_of(exchange, request, exchange.method.clone());
    let stale = match found {
        Found::Entry { slot, .. } => Some(slot),
        Found::Missing(_) => None,
    };
    let asked = exchange.platform.now();
    let answer = if is_range_not_to_be_stored(exchange, request) {
        fill.ask_for_range().await
    } else {
        fill.ask(stale).await
    };
    let report = Report {
        forward: Some(why),
        origin: Some(exchange.platform.now().since(asked)),
        ..Report::new(Outcome::Miss)
    };
    let stands_in = |failure: &Failure| found.entry().filter(|_| stands_in(stand_in, failure));
    match answer {
        Err(error) => {
            let failure = Failure::Origin(error);
            let response = failed(exchange, stands_in(&failure), &failure, report);
            if let Some(obligation) = obligation {
                obligation.failed(failure);
            }
            response
        }
        Ok(Asked::Confirmed(Confirmed { slot, refused })) => {
            match obligation {
                Some(obligation) if refused.is_none() => obligation.filled(slot.clone()),
                Some(obligation) => obligation.unshareable(),
                None => {}
            }
            let Slot::Entry(entry) = &*slot else {
                return exchange
                    .origin_failed(&OriginError::Handler("no entry was confirmed".to_owned()), report);
            };
            let report = Report {
                outcome: Outcome::Revalidated,
                forward_status: Some(304),
                stored: refused.is_none(),
                detail: refused.as_ref().map(NoStore::as_str),
                ..report
            };
            from_cache(exchange, entry, report)
        }
        Ok(Asked::Answered(answered)) => {
            let status = answered.response.status();
            let failure = Failure::Status(status.as_u16());
            if is_failure(status)
                && let Some(entry) = stands_in(&failure)
            {
                let response = failed(exchange, Some(entry), &failure, report);
                if let Some(obligation) = obligation {
                    obligation.failed(failure);
                }
                return response;
            }
            if let Some(Slot::Entry(entry)) = stale.map(|slot| &**slot)
                && exchange.method == Method::HEAD
                && status == StatusCode::OK
            {
                fill.update_from_head(entry, &answered);
            }
            fill.answer(exchange, answered, obligation, stale.is_some(), report).await
        }
    }
}

/// A part of what cannot be stored anyway is asked for as a part.
fn is_range_not_to_be_stored<P: Platform>(exchange: &Exchange<'_, P>, request: &Request) -> bool {
    exchange.fields.contains_key(header::RANGE)
        && exchange.edge.hit_for_miss.holds(request.key.as_str(), exchange.platform.now())
}

/// Whether a stale entry may answer after this failure.
fn stands_in(allowed: StandIn, failure: &Failure) -> bool {
    match failure {
        Failure::Origin(_) => allowed >= StandIn::Disconnected,
        Failure::Status(_) => allowed >= StandIn::OnError,
    }
}

/// Statuses for which a stale entry may stand in (RFC 5861, section 4).
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// The origin failed: the stale entry where it may stand in, else the edge's own answer.
fn failed<P: Platform>(
    exchange: &Exchange<'_, P>,
    stand_in: Option<&Entry>,
    failure: &Failure,
    report: Report,
) -> Response<BodyOf<P>> {
    let forward_status = match failure {
        Failure::Origin(_) => None,
        Failure::Status(status) => Some(*status),
    };
    if let Some(entry) = stand_in {
        let report =
            Report { outcome: Outcome::Stale, forward_status, detail: Some("stale-if-error"), ..report };
        return from_cache(exchange, entry, report);
    }
    let error = match failure {
        Failure::Origin(error) => error.clone(),
        Failure::Status(status) => OriginError::Handler(format!("the origin answered {status}")),
    };
    exchange.origin_failed(&error, report)
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
