//! The short way of a hit: no promise, and no request built that nobody reads.
//!
//! It decides by the functions that [`super::handle`] decides by, and only where that would answer a fresh entry out of
//! memory, or out of what the caller has read from a store, those before it having nothing; `None` is everything else, and
//! says nothing. What depends on the request alone is worked out once, as a [`Plan`], which equal requests share; what
//! depends on the moment is worked out each time.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};

use super::{admit, cached, remove_named_by_connection};
use crate::config::Policy;
use crate::decide::{Decision, Facts, Serve, Sharing, sharing};
use crate::edge::Edge;
use crate::entry::{Decoded, Entry, Slot, decode};
use crate::fields::{self, credentials, vary};
use crate::guard;
use crate::key::{Key, Selection, Standing, digest, selection};
use crate::lookup::{self, Found};
use crate::origin::{Hop, shared_fields};
use crate::platform::Platform;
use crate::request::Scheme;
use crate::respond::conditional::{self, Condition};
use crate::respond::{Report, access, add_particular, from_entry};
use crate::route::{self, RouteId, Target};
use crate::store;
use crate::time::Time;

/// A request as it arrived, without its fields. It has no body.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub method: &'a Method,
    pub scheme: Scheme,
    pub authority: &'a str,
    pub target: &'a str,
}

/// Fields that no policy makes harmless: loops, other protocols, bodies, directives, conditions, ranges.
const ALWAYS: [HeaderName; 14] = [
    HeaderName::from_static("cdn-loop"),
    header::CONNECTION,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CACHE_CONTROL,
    header::PRAGMA,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
    HeaderName::from_static(access::TOKEN),
];

/// With one of these a request is never answered here: it has a body, wants a part, or wants to know more.
const NEVER: [HeaderName; 4] = [
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::RANGE,
    HeaderName::from_static(access::TOKEN),
];

/// The request fields that may change how a memory hit is answered, for requests of this line. `None`: they are never answered
/// here. A URL that varies needs more ([`Plan::lacks`]).
///
/// Returns the route too, by which [`standing`] judges all other fields.
pub fn fields_that_matter(edge: &Edge, line: &Line<'_>) -> Option<(RouteId, Vec<HeaderName>)> {
    let (target, _, policy) = admitted(edge, line, &HeaderMap::new())?;
    let mut names = ALWAYS.to_vec();
    if policy.selects() {
        // By these every entry is told apart.
        names.extend([header::ACCEPT, header::ORIGIN]);
    }
    names.extend(policy.key.fields.iter().filter_map(|name| name.parse().ok()));
    names.extend(credentials::read_by(policy).filter_map(|name| name.parse().ok()));
    Some((route_of(edge, line.method, &target), names))
}

/// Whether a field with this one value changes a memory hit on a route, where its name is not among those that matter. Two lines of
/// one field may, though each of them does not.
pub fn standing(edge: &Edge, route: RouteId, name: &HeaderName, value: &HeaderValue) -> Standing {
    selection::standing(name, value, route.policy(&edge.config))
}

/// What the steps before the look-up come to, where they let the request pass to the cache.
fn admitted<'a, 'e>(
    edge: &'e Edge,
    line: &Line<'a>,
    fields: &HeaderMap,
) -> Option<(Target<'a>, String, &'e Policy)> {
    let (target, authority) = admit(edge, line.scheme, line.authority, line.target, fields).ok()?;
    let policy = route_of(edge, line.method, &target).policy(&edge.config);
    let here = policy.cache && policy.rate_limit.is_none() && !guard::is_reserved(target.path());
    here.then_some((target, authority, policy))
}

fn route_of(edge: &Edge, method: &Method, target: &Target<'_>) -> RouteId {
    route::find(&edge.config, method.as_str(), target.path())
}

/// What is the same for all requests that agree in their [`Line`] and in the fields that matter.
#[derive(Debug)]
pub struct Plan {
    method: Method,
    route: RouteId,
    /// The request's fields, of those in `told`.
    fields: HeaderMap,
    /// The names of the fields that the plan was told about, be they there or not.
    told: Vec<HeaderName>,
    request: cached::Request,
}

impl Plan {
    /// `fields`: all lines of the request whose names are among `told`, which holds at least [`fields_that_matter`], and all others
    /// whose [`standing`] is that they select.
    /// `None`: such requests are never answered here.
    pub fn new(edge: &Edge, line: &Line<'_>, mut fields: HeaderMap, told: &[HeaderName]) -> Option<Self> {
        let (target, authority, policy) = admitted(edge, line, &fields)?;
        if NEVER.iter().any(|name| fields.contains_key(name)) {
            return None;
        }
        remove_named_by_connection(&mut fields);
        let credentials = match sharing(line.method, &fields, false, policy) {
            Sharing::Private(_) => return None,
            Sharing::WithCredentials(_) => true,
            Sharing::Shareable => false,
        };
        let hop = Hop {
            scheme: line.scheme,
            authority: &authority,
            client: None,
            trusted: false,
            identity: &edge.identity,
        };
        let forwarded = shared_fields(&fields, policy, &hop);
        let keyed = if cached::keys_fields(policy) { &forwarded } else { &fields };
        let selection = Selection::of(&fields, policy, &edge.seal).ok()?;
        let key = Key::new(line.scheme, &authority, &target, keyed, policy, (&selection, &edge.seal));
        let facts = Facts::read(&fields, policy, credentials);
        Some(Self {
            method: line.method.clone(),
            route: route_of(edge, line.method, &target),
            request: cached::Request::new(key, facts, forwarded),
            fields,
            told: told.to_vec(),
        })
    }

    /// Fields that the URL varies on by now and that this plan was not told about. Until another is, nothing is answered.
    pub fn lacks(&self, edge: &Edge) -> Vec<HeaderName> {
        match edge.memory.get(self.request.key.as_str()) {
            Some(Slot::Vary(index)) => {
                let names = index.sets.iter().flatten();
                let read = names.flat_map(vary::read_for);
                read.filter(|name| !self.told.contains(name)).cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Bytes it takes, roughly.
    pub fn weight(&self) -> usize {
        let fields = [&self.fields, self.request.known_forwarded()].map(fields::weight);
        let told = self.told.len() * size_of::<HeaderName>();
        size_of::<Self>() + self.request.key.as_str().len() + told + fields.iter().sum::<usize>()
    }

    fn policy<'e>(&self, edge: &'e Edge) -> &'e Policy {
        self.route.policy(&edge.config)
    }
}

/// A fresh entry that answers.
#[derive(Debug)]
pub struct Hit {
    entry: Arc<Entry>,
    tier: &'static str,
    /// The client has it already: the answer is 304.
    pub not_modified: bool,
    /// What `Age` says, in seconds. As long as entry, `not_modified` and age are the same, so is the answer.
    pub age: u64,
}

/// Answers out of memory where [`super::handle`] would, and counts it. `fields_size`: at least what all of the request's
/// fields count for in `limits.fields`.
pub fn hit(edge: &Edge, plan: &Plan, fields_size: usize, now: Time) -> Option<Hit> {
    guard::check_fields_size(&edge.config, fields_size).ok()?;
    let varies = Cell::new(false);
    let found = lookup::in_memory(edge, &plan.request.key, || {
        varies.set(true);
        plan.request.known_forwarded()
    });
    if varies.get() && !plan.lacks(edge).is_empty() {
        return None;
    }
    answered(edge, plan, &found, now)
}

fn answered(edge: &Edge, plan: &Plan, found: &Found, now: Time) -> Option<Hit> {
    let Decision::Serve { entry, serve: Serve::Fresh } = plan.request.decide(found, now) else { return None };
    let tier = found.tier()?;
    let condition = conditional::evaluate(&plan.fields, entry.status, &entry.fields);
    let (not_modified, age) = (condition == Condition::NotModified, entry.age(now).as_secs());
    edge.counters.answered(&report(entry, tier, now));
    Some(Hit { entry: entry.clone(), tier, not_modified, age })
}

/// Whether memory knows nothing of the URL, so that the stores are asked.
pub fn is_unknown(edge: &Edge, plan: &Plan) -> bool {
    edge.memory.get(plan.request.key.as_str()).is_none()
}

/// Whether a store that may rest is to be asked, by its name.
pub fn is_awake(edge: &Edge, tier: &str, now: Time) -> bool {
    edge.rests.is_awake_by_name(tier, now)
}

/// The name under which a store holds the answer, if it holds one.
pub fn name_in_stores(plan: &Plan) -> String {
    digest(plan.request.key.as_str())
}

/// Answers out of what a store holds under [`name_in_stores`], where [`super::handle`] would, remembers it and counts it.
/// `tier`: the store's name. The nearer ones have been asked, and had nothing: [`Hit::promote`] is for them.
pub fn stored(
    edge: &Edge,
    plan: &Plan,
    value: &Bytes,
    tier: &'static str,
    fields_size: usize,
    now: Time,
) -> Option<Hit> {
    guard::check_fields_size(&edge.config, fields_size).ok()?;
    let key = plan.request.key.as_str();
    // Memory may have learnt more meanwhile.
    if !is_unknown(edge, plan) {
        return None;
    }
    let Ok(Decoded::Entry(mut parts)) = decode(value, key) else { return None };
    parts.body = edge.bodies.count(parts.body);
    let entry = Entry::new(parts, plan.policy(edge));
    if lookup::is_purged(edge, &entry) {
        return None;
    }
    let found = Found::Entry { entry: Arc::new(entry), tier };
    let hit = answered(edge, plan, &found, now)?;
    store::remember(edge, key, &hit.entry, now);
    edge.counters.store_read(true);
    edge.rests.keeps(tier);
    Some(hit)
}

/// To the second, as the whole answer is.
fn report(entry: &Entry, tier: &'static str, now: Time) -> Report {
    let report = cached::hit_report(entry, Serve::Fresh, tier, now);
    Report { age: report.age.map(|age| Duration::from_secs(age.as_secs())), ..report }
}

impl Hit {
    /// The entry, by identity: what replaces it is another one.
    pub const fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Writes what the store at `from` had to the nearer ones, behind the answer.
    pub fn promote<P: Platform>(&self, edge: &Arc<Edge>, platform: &P, plan: &Plan, from: usize) {
        // An answer that varies is not found the short way, so that there is no index.
        store::promote(edge, platform, from, plan.request.key.as_str(), &self.entry, None);
    }

    /// The whole answer, by the plan and at the time that the hit was found by.
    pub fn answer(&self, edge: &Edge, plan: &Plan, now: Time) -> Response<Bytes> {
        let entry = &*self.entry;
        let answer = from_entry(&plan.method, &plan.fields, entry, plan.policy(edge), now);
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.fields;
        report(entry, self.tier, now).write(response.headers_mut());
        if let Some(name) = plan.request.key.particular() {
            add_particular(response.headers_mut(), name);
        }
        response
    }
}
