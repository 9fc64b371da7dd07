//! Requests that what is stored does not answer: behind the shield, or to the origin.

use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, header};

use super::cached::{Request, fill_of, from_cache};
use super::fill::{Asking, Fetched, Fill, copy_conditions};
use super::lease::{self, Entered as Leased};
use super::{BodyOf, Exchange};
use crate::decide::{Credentials, Forward, NoStore, StandIn};
use crate::entry::Entry;
use crate::fields::list;
use crate::lookup::{self, Found, is_newer};
use crate::origin::OriginError;
use crate::platform::Platform;
use crate::respond::problem::Problem;
use crate::respond::{Outcome, Report};
use crate::shield::lease::Ended;
use crate::shield::{Entered, Failure, Landing, Obligation};
use crate::time::Time;

/// A request is behind another's flight at most so often before it goes by itself.
const MOST_FLIGHTS: usize = 4;

/// Why the origin is asked, and whether what is stored may answer where it fails.
#[derive(Clone, Copy)]
pub(super) struct Why {
    pub(super) why: Forward,
    pub(super) stand_in: StandIn,
}

/// Asks the origin, or waits for a request that does.
pub(super) async fn through_shield<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    request: &Rc<Request>,
    found: &Found,
    why: Why,
) -> Response<BodyOf<P>> {
    let fill = fill_of(exchange, request, exchange.method.clone());
    if !collapses(exchange, request, why) {
        let asking = asking(exchange, request, found);
        return lead(fill, found.clone(), asking, why, None).await;
    }
    let mut waiter = Waiter { arrived: exchange.platform.now(), keeps_apart: false };
    for _ in 0..MOST_FLIGHTS {
        let asking = asking(exchange, request, found);
        match enter(exchange, request, found, asking, why, &mut waiter).await {
            Turn::Answered(response) => return response,
            Turn::Again => {}
            Turn::Alone => break,
            Turn::Lead(obligation, held) => {
                fill.lease.set(held);
                // The fill belongs to the edge: it goes on when the client that caused it has gone.
                let work = lead(fill, found.clone(), asking, why, Some(obligation));
                return exchange.platform.detached(work).await;
            }
        }
    }
    let asking = asking(exchange, request, found);
    lead(fill, found.clone(), asking, why, None).await
}

/// Whether the request may lead or join a flight.
fn collapses<P: Platform>(exchange: &Exchange<P>, request: &Request, Why { why, .. }: Why) -> bool {
    let (edge, now) = (&exchange.edge, exchange.platform.now());
    P::COLLAPSES
        && exchange.method == Method::GET
        && request.facts.credentials == Credentials::None
        && why != Forward::Request
        && !request.facts.directives.no_store()
        && !edge.hit_for_miss.holds(request.key.as_str(), now)
}

/// What the origin is asked for. The client's own range and conditions go there until the URL is known to be worth fetching as
/// a whole.
fn asking<P: Platform>(exchange: &Exchange<P>, request: &Request, found: &Found) -> Asking {
    const OWN: [header::HeaderName; 5] = [
        header::RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ];
    let (edge, key, now) = (&exchange.edge, request.key.as_str(), exchange.platform.now());
    let known = (found.entry().is_some() || edge.whole.holds(key, now)) && !edge.hit_for_miss.holds(key, now);
    let asks = OWN.iter().any(|name| exchange.fields.contains_key(name));
    if asks && !known { Asking::AsTheClient } else { Asking::Whole }
}

/// A request on its way through flights.
struct Waiter {
    arrived: Time,
    /// Another request's failure was none of its own: from now on it joins only those who ask for the very same.
    keeps_apart: bool,
}

/// What comes of waiting.
enum Turn<P: Platform> {
    Answered(Response<BodyOf<P>>),
    Lead(Obligation, Option<crate::shield::lease::Held<P>>),
    /// The flight brought nothing, or nothing for this request: it looks for another one.
    Again,
    Alone,
}

/// Leads a flight of the key, or waits for the one under way.
async fn enter<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    request: &Rc<Request>,
    found: &Found,
    asking: Asking,
    Why { why, stand_in }: Why,
    waiter: &mut Waiter,
) -> Turn<P> {
    let (edge, platform) = (&exchange.edge, &exchange.platform);
    let mut key = lookup::flight_key(edge, &request.key, || request.forwarded(exchange));
    let purged = edge.purges.last_for(&key);
    // A request that wants a part of what is not known yet holds up none that wants the whole; but it joins them.
    if asking == Asking::AsTheClient && !edge.flights.is_open(&key, platform.now(), purged) {
        key.push_str("\npart");
        push_fields(&mut key, &asked(exchange, request, asking));
    } else if waiter.keeps_apart {
        key.push_str("\nasked");
        push_fields(&mut key, &asked(exchange, request, asking));
    }
    let waiting = match edge.flights.enter(&key, platform.now(), purged) {
        Entered::Lead(lead) => return lead_or_answer(exchange, request, found, &key, lead, why).await,
        Entered::Wait(waiting) => waiting,
    };
    let since = platform.now();
    let Some(landing) = platform.wait(waiting).await else {
        // Nobody is to wait for that one any more.
        edge.flights.lose(&key, since);
        return Turn::Again;
    };
    match landing {
        Landing::Filled(entry) => {
            if !request.selects(exchange, &entry) {
                return Turn::Again;
            }
            let brought = Found::Entry { entry: entry.clone(), tier: lookup::MEMORY };
            // What has come since is as new as what this request would fetch itself, however short its lifetime is.
            if entry.received >= waiter.arrived || request.decide(&brought, platform.now()).is_serve() {
                return Turn::Answered(from_cache(exchange, &entry, collapsed(why)));
            }
            Turn::Alone
        }
        // Another request's own fields may have made it fail.
        Landing::Failed { asked: theirs, .. } if *theirs != asked(exchange, request, asking) => {
            waiter.keeps_apart = true;
            Turn::Again
        }
        Landing::Failed { failure, .. } => {
            let entry = found.entry().filter(|_| stands_in(stand_in, &failure));
            Turn::Answered(failed(exchange, entry, &failure, collapsed(why)))
        }
        Landing::Unshareable => Turn::Alone,
        Landing::Abandoned => Turn::Again,
    }
}

/// What a leader does before it asks the origin: a fill that has ended between look-up and here, in this instance or another,
/// is as good as one that ends later.
async fn lead_or_answer<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    request: &Rc<Request>,
    found: &Found,
    key: &str,
    lead: Obligation,
    why: Forward,
) -> Turn<P> {
    let again = lookup::in_memory(&exchange.edge, &request.key, || request.forwarded(exchange));
    if is_newer(&again, found)
        && request.decide(&again, exchange.platform.now()).is_serve()
        && let Found::Entry { entry, .. } = again
    {
        lead.filled(entry.clone());
        return Turn::Answered(from_cache(exchange, &entry, collapsed(why)));
    }
    match lease::enter(exchange, request, key, found).await {
        Leased::Brought(entry) => {
            lead.filled(entry.clone());
            Turn::Answered(from_cache(exchange, &entry, collapsed(why)))
        }
        Leased::Lead(held) => Turn::Lead(lead, Some(held)),
        Leased::Alone => Turn::Lead(lead, None),
    }
}

fn collapsed(why: Forward) -> Report {
    Report { forward: Some(why), collapsed: true, ..Report::new(Outcome::Miss) }
}

/// Asks the origin, and answers by what it says. It owns what it needs, so that it can outlive its client.
async fn lead<P: Platform>(
    fill: Fill<P>,
    found: Found,
    asking: Asking,
    Why { why, stand_in }: Why,
    obligation: Option<Obligation>,
) -> Response<BodyOf<P>> {
    let exchange = fill.exchange.clone();
    let stale = found.entry();
    let asked = exchange.platform.now();
    let fetched = fill.ask(stale, asking).await;
    let report = Report {
        forward: Some(why),
        origin: Some(exchange.platform.now().since(asked)),
        ..Report::new(Outcome::Miss)
    };
    let stands_in = |failure: &Failure| stale.filter(|_| stands_in(stand_in, failure));
    match fetched {
        Err(error) => {
            fill.release(Ended::Alone);
            let is_clients_own = error == OriginError::ClientShare;
            let failure = Failure::Origin(error);
            let response = failed(&exchange, stands_in(&failure), &failure, report);
            match obligation {
                // Others have a share of their own: dropped, the obligation lets one of them lead.
                Some(obligation) if !is_clients_own => fill.failed(obligation, failure, asking),
                _ => {}
            }
            response
        }
        Ok(Fetched::Freshened(freshened)) => {
            match obligation {
                Some(obligation) if freshened.refused.is_none() => obligation.filled(freshened.entry.clone()),
                Some(obligation) => obligation.unshareable(),
                None => {}
            }
            fill.release(Ended::Alone);
            let report = Report {
                outcome: Outcome::Revalidated,
                forward_status: Some(304),
                stored: freshened.refused.is_none(),
                detail: freshened.refused.as_ref().map(NoStore::as_str),
                ..report
            };
            from_cache(&exchange, &freshened.own, report)
        }
        Ok(Fetched::Response(answered)) => {
            let status = answered.response.status();
            let failure = Failure::Status(status);
            if is_failure(status)
                && let Some(entry) = stands_in(&failure)
            {
                fill.release(Ended::Alone);
                let response = failed(&exchange, Some(entry), &failure, report);
                if let Some(obligation) = obligation {
                    fill.failed(obligation, failure, asking);
                }
                return response;
            }
            if let Some(entry) = stale
                && exchange.method == Method::HEAD
                && fill.request.facts.credentials == Credentials::None
                && status == StatusCode::OK
            {
                fill.update_from_head(entry, &answered);
            }
            fill.answer(answered, obligation, stale, asking, report).await
        }
    }
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
    exchange: &Exchange<P>,
    stand_in: Option<&Arc<Entry>>,
    failure: &Failure,
    report: Report,
) -> Response<BodyOf<P>> {
    let forward_status = match failure {
        Failure::Origin(_) => None,
        Failure::Status(status) => Some(status.as_u16()),
    };
    if let Some(entry) = stand_in {
        let report =
            Report { outcome: Outcome::Stale, forward_status, detail: Some("stale-if-error"), ..report };
        return from_cache(exchange, entry, report);
    }
    let report = Report { forward_status, ..report };
    match failure {
        Failure::Origin(error) => exchange.origin_failed(error, report),
        Failure::Status(status) => {
            let problem = Problem::from_status(*status, exchange.platform.random());
            exchange.problem(&problem, Report { outcome: Outcome::Error, ..report })
        }
    }
}

impl<P: Platform> Fill<P> {
    /// Shares a failure with the requests that wait and have asked for the same.
    pub(super) fn failed(&self, obligation: Obligation, failure: Failure, asking: Asking) {
        obligation.failed(failure, Arc::new(asked(&self.exchange, &self.request, asking)));
    }
}

/// Fields that change how an origin fails, beside those that the key tells apart.
const SHAPES_FAILURE: [header::HeaderName; 3] =
    [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::ORIGIN];

/// What the origin is asked with on behalf of a request, of what may make a difference: the key tells particular fields apart, and
/// what ordinary ones say makes none.
fn asked<P: Platform>(exchange: &Exchange<P>, request: &Request, asking: Asking) -> HeaderMap {
    let mut fields = request.forwarded(exchange).clone();
    if exchange.policy().selects() {
        let others: Vec<_> = fields.keys().filter(|name| !SHAPES_FAILURE.contains(name)).cloned().collect();
        for name in others {
            fields.remove(name);
        }
    }
    if asking == Asking::AsTheClient {
        copy_conditions(&exchange.fields, &mut fields);
    }
    fields
}

/// Adds fields to the key of a flight, each with its length: no two sets are one.
fn push_fields(key: &mut String, fields: &HeaderMap) {
    let mut lines: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // The lines of one name stay in their order.
    lines.sort_by_key(|(name, _)| *name);
    for (name, value) in lines {
        let _ = write!(key, "\n{name}={}:", value.len());
        key.push_str(&list::latin1(value));
    }
}

impl From<OriginError> for Failure {
    fn from(error: OriginError) -> Self {
        Self::Origin(error)
    }
}
