//! Memory hits by the short way ([`super::hit`]), kept ready: what a request comes to is looked up by its line and by its
//! fields that matter, and what a hit says by its entry and its second. For one thread, which asks nobody else.
//!
//! A request that is answered here costs two look-ups by hash, the decision, and a copy of the answer's fields. Whatever else
//! it may be is left to [`super::handle`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, header};

use super::hit::{Hit, Line, Plan, fields_that_matter, hit};
use super::ordinary::Ordinary;
use crate::edge::Edge;
use crate::entry::Entry;
use crate::fields::{self, cookies};
use crate::request::Scheme;
use crate::route::RouteId;
use crate::time::Time;

/// The most that the shortcuts of all threads take, in bytes, roughly; less where the memory tier has little.
const BUDGET: u64 = 8 << 20;
/// What a page, and what an answer's fields take beside what is counted, in bytes.
const OVERHEAD: usize = 2 << 10;
/// Fields that matter and are longer are left to the whole way, in bytes.
const LONGEST: usize = 2 << 10;
/// Most kinds of requests for one URL.
const PLANS: usize = 8;
/// Places for URLs that were asked for once. A power of two.
const SEEN: usize = 4096;

/// A request by GET without a body.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub scheme: Scheme,
    /// As the client sent it.
    pub authority: &'a str,
    pub target: &'a str,
    pub fields: &'a HeaderMap,
}

/// The shortcuts of one thread. Bounded: what is full begins anew.
pub struct Shortcuts {
    pages: HashMap<Box<str>, Page, SeedableRandomState>,
    hasher: SeedableRandomState,
    /// Hashes of URLs that were asked for once: what nobody asks for again gets no page.
    seen: Box<[u64]>,
    bytes: usize,
    /// Ordinary fields that were seen.
    ordinary: Ordinary,
    /// A URL's name, and what its request says in the fields that matter; kept for their space.
    name: String,
    said: Vec<u8>,
}

/// What is kept of a URL.
struct Page {
    /// The fields that matter; `None`: requests for it are never answered here.
    told: Option<HashSet<HeaderName, SeedableRandomState>>,
    route: RouteId,
    plans: Vec<Planned>,
}

/// What is kept of requests that say the same in the fields that matter.
struct Planned {
    said: Box<[u8]>,
    /// `None`: they are never answered here.
    plan: Option<Plan>,
    shown: Option<Shown>,
}

/// The answer of an entry, but for its body, as of one second.
struct Shown {
    /// By identity; a weak pointer keeps the address from being used again, and nothing else.
    entry: Weak<Entry>,
    not_modified: bool,
    age: u64,
    status: StatusCode,
    fields: HeaderMap,
}

impl Shortcuts {
    /// `seed`: random bits, so that a client cannot aim at one bucket.
    pub fn new(seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        Self {
            pages: HashMap::with_hasher(hasher.clone()),
            ordinary: Ordinary::new(hasher.clone()),
            hasher,
            seen: vec![0; SEEN].into(),
            bytes: 0,
            name: String::new(),
            said: Vec::new(),
        }
    }

    /// Answers out of memory where [`super::handle`] would, and counts it. `None` says nothing about the request.
    pub fn answer(&mut self, edge: &Edge, asked: &Asked<'_>, now: Time) -> Option<Response<Bytes>> {
        self.name.clear();
        // Neither of the first two holds a line break.
        for part in [asked.scheme.as_str(), "\n", asked.authority, "\n", asked.target] {
            self.name.push_str(part);
        }
        let Some(page) = self.pages.get_mut(self.name.as_str()) else {
            self.meet(edge, asked);
            return None;
        };
        let told = page.told.as_ref()?;
        self.said.clear();
        let mut size = 0;
        let mut last = None;
        let ignores_cookies = page.ignores_cookies(edge, asked);
        for (name, value) in asked.fields {
            size += name.as_str().len() + value.len() + 4;
            if ignores_cookies && *name == header::COOKIE {
                continue;
            }
            let is_told = told.contains(name);
            if !is_told && last.replace(name) == Some(name) {
                // Of an ordinary field there is one line.
                return None;
            }
            if is_told || !self.ordinary.holds(edge, page.route, name, value) {
                for part in [name.as_str().as_bytes(), b"\n", value.as_bytes(), b"\n"] {
                    self.said.extend_from_slice(part);
                }
            }
        }
        let Some(planned) = page.plans.iter_mut().find(|planned| *planned.said == *self.said) else {
            if self.said.len() <= LONGEST {
                self.bytes += page.add(edge, asked, &self.said, &mut self.ordinary);
                self.bound(edge);
            }
            return None;
        };
        let plan = planned.plan.as_ref()?;
        let Some(hit) = hit(edge, plan, size, now) else {
            let lacks = plan.lacks(edge);
            if !lacks.is_empty() {
                page.learn(lacks);
            }
            return None;
        };
        let is_first = planned.shown.is_none();
        let response = answer(edge, plan, &mut planned.shown, &hit, now);
        if is_first {
            self.bytes += planned.shown.as_ref().map_or(0, |shown| fields::weight(&shown.fields));
        }
        Some(response)
    }

    /// Begins anew where all is full.
    fn bound(&mut self, edge: &Edge) {
        if self.bytes as u64 > BUDGET.min(edge.config.limits.memory / 4) / edge.setup.threads.max(1) as u64 {
            self.pages.clear();
            self.bytes = 0;
        }
    }

    /// Makes a page of a URL that is asked for a second time.
    fn meet(&mut self, edge: &Edge, asked: &Asked<'_>) {
        use std::hash::BuildHasher;
        let hash = self.hasher.hash_one(self.name.as_str()) | 1;
        let place = &mut self.seen[(hash >> 32) as usize & (SEEN - 1)];
        if std::mem::replace(place, hash) != hash {
            return;
        }
        self.bound(edge);
        let mut route = RouteId::default();
        let told = fields_that_matter(edge, &asked.line()).map(|(found, names)| {
            route = found;
            let mut told = HashSet::with_hasher(self.hasher.clone());
            told.extend(names);
            told
        });
        self.bytes += self.name.len() + OVERHEAD;
        self.pages.insert(self.name.as_str().into(), Page { told, route, plans: Vec::new() });
    }
}

impl Asked<'_> {
    fn line(&self) -> Line<'_> {
        Line { method: &Method::GET, scheme: self.scheme, authority: self.authority, target: self.target }
    }
}

impl Page {
    /// Whether the request's cookies count for nothing. They are another line for each visitor, so nothing is kept of them.
    fn ignores_cookies(&self, edge: &Edge, asked: &Asked<'_>) -> bool {
        asked.fields.contains_key(header::COOKIE)
            && cookies::are_ignored(asked.fields, self.route.policy(&edge.config))
    }

    /// Keeps a plan for such requests, and says how many bytes that takes.
    fn add(&mut self, edge: &Edge, asked: &Asked<'_>, said: &[u8], ordinary: &mut Ordinary) -> usize {
        let Some(told) = &self.told else { return 0 };
        if self.plans.len() >= PLANS {
            self.plans.clear();
        }
        let ignores_cookies = self.ignores_cookies(edge, asked);
        let mut fields = HeaderMap::new();
        for (name, value) in asked.fields {
            if ignores_cookies && *name == header::COOKIE {
                continue;
            }
            if told.contains(name) || !ordinary.holds(edge, self.route, name, value) {
                fields.append(name.clone(), value.clone());
            }
        }
        let names: Vec<HeaderName> = told.iter().cloned().collect();
        // The request's own are slices of what its connection has read.
        let plan = Plan::new(edge, &asked.line(), fields::owned(&fields), &names);
        let bytes = plan.as_ref().map_or(0, Plan::weight) + said.len() + OVERHEAD;
        self.plans.push(Planned { said: said.into(), plan, shown: None });
        bytes
    }

    /// The URL varies on more than the plans were told.
    fn learn(&mut self, names: Vec<HeaderName>) {
        if let Some(told) = &mut self.told {
            told.extend(names);
        }
        self.plans.clear();
    }
}

/// What a hit answers: copied where it was made within the same second.
fn answer(edge: &Edge, plan: &Plan, shown: &mut Option<Shown>, hit: &Hit, now: Time) -> Response<Bytes> {
    let same = shown.as_ref().filter(|shown| {
        shown.age == hit.age
            && shown.not_modified == hit.not_modified
            && std::ptr::eq(shown.entry.as_ptr(), Arc::as_ptr(hit.entry()))
    });
    if let Some(shown) = same {
        let body = if hit.not_modified { Bytes::new() } else { hit.entry().body.clone() };
        let mut response = Response::new(body);
        *response.status_mut() = shown.status;
        *response.headers_mut() = shown.fields.clone();
        return response;
    }
    let answer = hit.answer(edge, plan, now);
    *shown = Some(Shown {
        entry: Arc::downgrade(hit.entry()),
        not_modified: hit.not_modified,
        age: hit.age,
        status: answer.status(),
        // A copy of its own: to count who holds them, threads would wait for one another.
        fields: fields::owned(answer.headers()),
    });
    answer
}

impl std::fmt::Debug for Shortcuts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shortcuts").field("pages", &self.pages.len()).finish_non_exhaustive()
    }
}
