//! Requests that what is stored does not answer: behind the shield, or to the origin.

use http::{Method, Response, StatusCode, header};

use super::across::{self, Across};
use super::cached::{Request, fill_of, from_cache};
use super::fill::{Asked, Confirmed, Fill};
use super::{BodyOf, Exchange};
use crate::decide::{Decision, Forward, NoStore, StandIn};
use crate::entry::{Entry, Slot};
use crate::lookup::{self, Found, is_newer};
use crate::origin::OriginError;
use crate::platform::Platform;
use crate::respond::{Outcome, Report};
use crate::shield::{Entered, Failure, Landing, Obligation};

/// A request is behind another's flight at most so often before it goes by itself.
const MOST_FLIGHTS: usize = 4;

/// Asks the origin, or waits for a request that does.
pub(super) async fn through_shield<P: Platform>(
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
    let (mut obligation, mut lease) = (None, None);
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
                let across = across::enter(exchange, request, found).await;
                if let Across::Brought(slot) = &across
                    && let Slot::Entry(entry) = &**slot
                {
                    lead.filled(slot.clone());
                    return from_cache(exchange, entry, collapsed(why));
                }
                if let Across::Lead(held) = across {
                    lease = Some(held);
                }
                obligation = Some(lead);
                break;
            }
            Entered::Wait(waiting) => {
                let since = exchange.platform.now();
                let Some(landing) = exchange.platform.wait(waiting).await else {
                    // Nobody is to wait for that one any more.
                    edge.flights.lose(key, since);
                    continue;
                };
                match landing {
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
                }
            }
        }
    }
    let fill = fill_of(exchange, request, exchange.method.clone());
    fill.lease.set(lease);
    from_origin(exchange, request, found, fill, Why { why, stand_in }, obligation).await
}

/// Why the origin is asked, and whether what is stored may answer where it fails.
#[derive(Clone, Copy)]
struct Why {
    why: Forward,
    stand_in: StandIn,
}

fn collapsed(why: Forward) -> Report {
    Report { forward: Some(why), collapsed: true, ..Report::new(Outcome::Miss) }
}

async fn from_origin<P: Platform>(
    exchange: &Exchange<'_, P>,
    request: &Request,
    found: &Found,
    fill: Fill<P>,
    Why { why, stand_in }: Why,
    obligation: Option<Obligation>,
) -> Response<BodyOf<P>> {
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
            fill.release();
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
            fill.release();
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
                fill.release();
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
