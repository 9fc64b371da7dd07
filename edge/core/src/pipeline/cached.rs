//! Requests that the cache may answer.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, header};

use super::fill::Fill;
use super::miss::{Why, through_shield};
use super::{BodyOf, Exchange, explain, pass, respond};
use crate::body::Body;
use crate::config::{Credentials, Policy};
use crate::decide::{Decision, Facts, PassReason, Serve, StandIn, decide};
use crate::entry::Entry;
use crate::fields::vary;
use crate::key::{Key, Selection, TooParticular};
use crate::lookup::{self, Found};
use crate::origin::shared_fields;
use crate::platform::Platform;
use crate::respond::access::{self, Visitor};
use crate::respond::problem::Problem;
use crate::respond::{Answer, Outcome, Report, add_key, add_particular, from_entry, range};

/// Answers from the cache, or by filling it. `credentials`: the request carries some.
pub(super) async fn answer<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    credentials: bool,
) -> Response<BodyOf<P>> {
    let request = match Request::of(exchange, credentials) {
        Ok(request) => Rc::new(request),
        Err(TooParticular) => {
            exchange.edge.counters.too_particular();
            exchange.trace.note(|| explain::passed_step(exchange, PassReason::Particular));
            return pass::whole(exchange, BodyOf::<P>::empty(), PassReason::Particular).await;
        }
    };
    exchange.trace.note(|| explain::key_step(exchange, &request.key));
    let visitor =
        Visitor { scheme: exchange.scheme, authority: &exchange.authority, fields: &exchange.fields };
    let shows_key = access::is_debug(&exchange.edge.setup.access, &visitor);
    let found = look_up(exchange, &request).await;
    let decision = request.decide(&found, exchange.platform.now());
    exchange.trace.note(|| explain::lookup_step(&found, exchange.platform.now()));
    exchange.trace.note(|| explain::decision_step(&decision));
    let mut response = match decision {
        Decision::Serve { entry, serve } => {
            if serve == Serve::WhileRevalidate {
                revalidate_behind(exchange, &request, entry);
            }
            serve_entry(exchange, entry, serve, found.tier().unwrap_or(lookup::MEMORY))
        }
        Decision::Pass(reason) => pass::whole(exchange, BodyOf::<P>::empty(), reason).await,
        Decision::GatewayTimeout => only_if_cached(exchange),
        Decision::Fetch(why) => {
            through_shield(exchange, &request, &found, Why { why, stand_in: StandIn::Never }).await
        }
        Decision::Revalidate { why, stand_in, .. } => {
            through_shield(exchange, &request, &found, Why { why, stand_in }).await
        }
    };
    let is_passed = matches!(decision, Decision::Pass(_));
    if let Some(name) = request.key.particular().filter(|_| !is_passed) {
        add_particular(response.headers_mut(), name);
    }
    if shows_key {
        add_key(response.headers_mut(), request.key.as_str());
    }
    response
}

/// The tiers from near to far, until what is found answers. Where nothing that the particular fields select does, what is for all
/// may: a response to a request without such fields that the origin marks as public.
async fn look_up<P: Platform>(exchange: &Exchange<P>, request: &Request) -> Found {
    let answers = |found: &Found| request.decide(found, exchange.platform.now()).is_serve();
    let found = look_up_key(exchange, request, &request.key, answers).await;
    let Some(general) = request.key.general().filter(|_| !answers(&found)) else { return found };
    // Fresh: nothing that is for all is refreshed on behalf of some.
    let answers_all = |found: &Found| {
        let decision = request.decide(found, exchange.platform.now());
        matches!(decision, Decision::Serve { entry, serve: Serve::Fresh } if entry.freshness.public)
    };
    let for_all = look_up_key(exchange, request, &general, answers_all).await;
    if answers_all(&for_all) { for_all } else { found }
}

async fn look_up_key<P: Platform>(
    exchange: &Exchange<P>,
    request: &Request,
    key: &Key,
    answers: impl Fn(&Found) -> bool,
) -> Found {
    let (edge, platform) = (&exchange.edge, &exchange.platform);
    let found = lookup::in_memory(edge, key, || request.forwarded(exchange));
    if answers(&found) || platform.stores().is_empty() {
        return found;
    }
    let forwarded = request.forwarded(exchange);
    lookup::in_stores(edge, platform, key, forwarded, exchange.policy(), found, answers).await
}

/// What the steps of one cacheable request share.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) key: Key,
    pub(super) facts: Facts,
    /// As the origin would get them: not needed for most hits.
    forwarded: OnceCell<HeaderMap>,
}

impl Request {
    fn of<P: Platform>(exchange: &Exchange<P>, credentials: bool) -> Result<Self, TooParticular> {
        let (policy, seal) = (exchange.policy(), &exchange.edge.seal);
        let selection = Selection::of(&exchange.fields, policy, seal)?;
        let facts = Facts::read(&exchange.fields, policy, credentials);
        let key = |fields| {
            let (scheme, authority, target) = (exchange.scheme, &exchange.authority, &exchange.target);
            Key::new(scheme, authority, target, fields, policy, (&selection, seal))
        };
        if !keys_fields(policy) {
            return Ok(Self { key: key(&exchange.fields), facts, forwarded: OnceCell::new() });
        }
        let forwarded = shared_fields(&exchange.fields, policy, &exchange.hop());
        Ok(Self { key: key(&forwarded), facts, forwarded: OnceCell::from(forwarded) })
    }

    /// `forwarded`: the request's fields as the origin would get them.
    pub(super) fn new(key: Key, facts: Facts, forwarded: HeaderMap) -> Self {
        Self { key, facts, forwarded: OnceCell::from(forwarded) }
    }

    /// The request's fields as the origin would get them, where they are known ([`Request::new`]).
    pub(super) fn known_forwarded(&self) -> &HeaderMap {
        static NONE: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
        self.forwarded.get().unwrap_or(&NONE)
    }

    pub(super) fn forwarded<P: Platform>(&self, exchange: &Exchange<P>) -> &HeaderMap {
        self.forwarded.get_or_init(|| shared_fields(&exchange.fields, exchange.policy(), &exchange.hop()))
    }

    pub(super) fn decide<'a>(&self, found: &'a Found, now: crate::Time) -> Decision<'a> {
        decide(&self.facts, found.entry(), found.forward(), now)
    }

    /// Whether this request selects an entry that another request has just brought.
    pub(super) fn selects<P: Platform>(&self, exchange: &Exchange<P>, entry: &Entry) -> bool {
        if entry.vary.is_empty() {
            return entry.key == self.key.as_str();
        }
        entry.key
            == self.key.variant(&vary::selector(self.forwarded(exchange), &entry.vary, &exchange.edge.seal))
    }
}

/// Whether the key holds more than the URL. Then it is taken from the fields as the origin gets them.
pub(super) const fn keys_fields(policy: &Policy) -> bool {
    !policy.key.fields.is_empty() || matches!(policy.credentials, Credentials::Key { .. })
}

fn serve_entry<P: Platform>(
    exchange: &Exchange<P>,
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
    exchange: &Exchange<P>,
    entry: &Entry,
    report: Report,
) -> Response<BodyOf<P>> {
    let now = exchange.platform.now();
    answer_from(exchange, entry, &with_age(entry, now, report), now)
}

fn answer_from<P: Platform>(
    exchange: &Exchange<P>,
    entry: &Entry,
    report: &Report,
    now: crate::Time,
) -> Response<BodyOf<P>> {
    respond(&exchange.edge, answer_of(exchange, entry, now), report)
}

/// What an entry answers. Several parts are a copy, which counts like any body that is held; where there is no room for it the
/// whole is sent, which is there (RFC 9110, section 14.2).
pub(super) fn answer_of<P: Platform>(exchange: &Exchange<P>, entry: &Entry, now: crate::Time) -> Answer {
    let (method, fields, policy) = (&exchange.method, &exchange.fields, exchange.policy());
    let bodies = &exchange.edge.bodies;
    let is_copied = range::asks_for_several(fields);
    if is_copied && !bodies.has_room_for(entry.body.len() as u64) {
        let mut whole = fields.clone();
        whole.remove(header::RANGE);
        return from_entry(method, &whole, entry, policy, now);
    }
    let mut answer = from_entry(method, fields, entry, policy, now);
    if is_copied && answer.status == StatusCode::PARTIAL_CONTENT {
        answer.body = bodies.count(answer.body);
    }
    answer
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// 504: the client wants a stored response, and none may be used.
pub(super) fn only_if_cached<P: Platform>(exchange: &Exchange<P>) -> Response<BodyOf<P>> {
    let problem = Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "only-if-cached",
        "Not in the cache",
        "the request says `only-if-cached`, and nothing that may be used is stored",
    );
    exchange.problem(&problem, Report::new(Outcome::Error))
}

pub(super) fn fill_of<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    request: &Rc<Request>,
    method: Method,
) -> Fill<P> {
    Fill { exchange: exchange.clone(), request: request.clone(), method, lease: Cell::new(None) }
}

/// Fetches a new answer behind the one that is being served, unless that is under way or has just failed.
fn revalidate_behind<P: Platform>(exchange: &Rc<Exchange<P>>, request: &Rc<Request>, stale: &Arc<Entry>) {
    let (edge, now) = (&exchange.edge, exchange.platform.now());
    let key = lookup::flight_key(edge, &request.key, || request.forwarded(exchange));
    if edge.backoff.holds(&key, now) {
        return;
    }
    if let Some(obligation) = edge.flights.try_lead(&key, now, edge.purges.last_for(&key)) {
        fill_of(exchange, request, Method::GET).behind(stale.clone(), key, obligation);
    }
}
