//! Hits by the short way (`levee::pipeline::hit`): numbers go in, and a number comes back.
//!
//! `js/hits.mjs` knows a *page* by its URL, and under it a *plan* by the fields that matter; here both are looked up by their
//! place. What an entry answers is a *view*: its `Response` parts live in JavaScript, and are made anew here when the second
//! changes or another entry has taken the entry's place.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use js_sys::Uint8Array;
use levee::key::Standing;
use levee::pipeline::hit::{
    Line, Plan, fields_that_matter, hit, is_awake, is_unknown, name_in_stores, standing, stored,
};
use levee::route::RouteId;
use levee::{Edge, Scheme, Time};
use wasm_bindgen::JsValue;

use crate::platform::Workers;
use crate::views::{ONCE, Shown, Views};
use crate::{Env, entry, fields, isolate, kv, local, request};

thread_local! {
    static HITS: RefCell<Hits> = RefCell::new(Hits::new());
}

#[derive(Debug)]
struct Hits {
    pages: Vec<Page>,
    plans: Vec<Planned>,
    views: Views,
}

impl Hits {
    fn new() -> Self {
        Self { pages: vec![], plans: vec![], views: Views::new(|handle| isolate::host().release(handle)) }
    }
}

#[derive(Debug)]
struct Page {
    edge: Arc<Edge>,
    scheme: Scheme,
    authority: String,
    target: String,
    route: RouteId,
    told: Vec<HeaderName>,
}

#[derive(Debug)]
struct Planned {
    edge: Arc<Edge>,
    plan: Plan,
    /// Of its host in the data centre's cache, if that keeps anything for it.
    place: Option<String>,
    /// Where its hit was shown last.
    view: u32,
}

impl Page {
    fn line(&self) -> Line<'_> {
        Line { method: &Method::GET, scheme: self.scheme, authority: &self.authority, target: &self.target }
    }
}

/// The page of a URL that is asked for by GET. `None`: it is never answered the short way.
#[doc(hidden)]
pub fn page(url: &str, env: &Env) -> Option<u32> {
    let (scheme, authority, target) = request::split(url).ok()?;
    let edge = isolate::edge(env).ok()?;
    let line = Line { method: &Method::GET, scheme, authority, target };
    let (route, told) = fields_that_matter(&edge, &line)?;
    let page = Page { scheme, authority: authority.to_owned(), target: target.to_owned(), route, told, edge };
    HITS.with_borrow_mut(|hits| {
        hits.pages.push(page);
        u32::try_from(hits.pages.len() - 1).ok()
    })
}

/// The names of the request fields that a plan of this page has to know, separated by commas.
#[doc(hidden)]
pub fn names(page: u32) -> String {
    HITS.with_borrow(|hits| {
        let told =
            hits.pages.get(page as usize).map(|page| page.told.iter().map(HeaderName::as_str).collect());
        told.unwrap_or_else(Vec::new).join(",")
    })
}

/// How a field that is not among the [`names`] of a page stands with this value: 0, it selects, so that a plan has to know it; 1, with
/// this value it does not; 2, with no value it does. The same for all pages of one [`kind`]. A line of cookies is 1 where all of them are
/// ignored, also where `cookie` is among the names.
#[doc(hidden)]
pub fn field(page: u32, name: &str, value: &str) -> u8 {
    HITS.with_borrow(|hits| {
        let Some(page) = hits.pages.get(page as usize) else { return 0 };
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) else { return 0 };
        match standing(&page.edge, page.route, &name, &value) {
            Standing::Selects => 0,
            Standing::Ordinary => 1,
            Standing::Free => 2,
        }
    })
}

/// Pages of one kind are of one route.
#[doc(hidden)]
pub fn kind(page: u32) -> u32 {
    HITS.with_borrow(|hits| hits.pages.get(page as usize).map_or(0, |page| page.route.index()))
}

/// Such requests are never answered the short way.
const NEVER: i32 = -1;
/// The page has learnt more [`names`] that matter.
const MORE: i32 = -2;

/// The plan for requests of a page with these fields that matter (lines), or [`NEVER`], or [`MORE`].
#[doc(hidden)]
pub fn plan(page: u32, lines: &str) -> i32 {
    HITS.with_borrow_mut(|hits| {
        let Some(page) = hits.pages.get_mut(page as usize) else { return NEVER };
        // Requests that differed are one plan now.
        if lines.contains(fields::REPLACED) {
            return NEVER;
        }
        let Some(plan) = Plan::new(&page.edge, &page.line(), fields::parse(lines), &page.told) else {
            return NEVER;
        };
        let lacks = plan.lacks(&page.edge);
        if !lacks.is_empty() {
            page.told.extend(lacks);
            return MORE;
        }
        let place = local::place(page.scheme, &page.authority);
        hits.plans.push(Planned { edge: page.edge.clone(), plan, place, view: ONCE });
        i32::try_from(hits.plans.len() - 1).unwrap_or(NEVER)
    })
}

/// Forgets pages and plans; what they were called means nothing any more.
#[doc(hidden)]
pub fn forget() {
    HITS.with_borrow_mut(|hits| {
        hits.pages.clear();
        hits.plans.clear();
    });
}

/// Memory knows nothing, but KV may: [`name`] says under which key.
const FAR: i32 = -3;
/// As [`FAR`], but the data centre's cache is asked before KV, at its [`place`].
const NEAR: i32 = -4;

/// The handle of the view that answers, or [`NEVER`] for what has to go the whole way, or [`MORE`], [`FAR`] or [`NEAR`].
/// `size`: at least what the request's fields count for in `limits.fields`; `now` in milliseconds.
#[doc(hidden)]
pub fn answer(plan: u32, size: u32, now: f64) -> i32 {
    HITS.with_borrow_mut(|Hits { plans, views, .. }| {
        let Some(Planned { edge, plan, place, view }) = plans.get_mut(plan as usize) else { return NEVER };
        let now = Time::from_millis(now as u64);
        let Some(hit) = hit(edge, plan, size as usize, now) else {
            return match plan.lacks(edge).is_empty() {
                false => MORE,
                true if !is_unknown(edge, plan) => NEVER,
                true if place.is_some() && is_awake(edge, local::NAME, now) => NEAR,
                true => FAR,
            };
        };
        let (handle, body_is_there) = match views.find(*view, &hit) {
            Shown::AsItIs(handle) => (handle, None),
            Shown::Older(handle) => (handle, Some(true)),
            Shown::Not => (views.place(&hit, edge.config().limits.memory), Some(false)),
        };
        *view = handle;
        if let Some(body_is_there) = body_is_there {
            let answer = hit.answer(edge, plan, now);
            let body = match &answer.body()[..] {
                _ if body_is_there => JsValue::UNDEFINED,
                bytes if has_body(&answer) => Uint8Array::from(bytes).into(),
                _ => JsValue::NULL,
            };
            show(handle, answer, &body);
        }
        // There are a few hundred views.
        handle as i32
    })
}

/// Under which key the stores hold the answer.
#[doc(hidden)]
pub fn name(plan: u32) -> Option<String> {
    HITS.with_borrow(|hits| {
        let planned = hits.plans.get(plan as usize)?;
        Some(name_in_stores(&planned.plan))
    })
}

/// The place of its host in the data centre's cache.
#[doc(hidden)]
pub fn place(plan: u32) -> Option<String> {
    HITS.with_borrow(|hits| hits.plans.get(plan as usize)?.place.clone())
}

/// As [`answer`], out of what KV (`far`) or the data centre's cache holds under [`name`]: then it is shown [`ONCE`].
#[doc(hidden)]
pub fn found(
    plan: u32,
    size: u32,
    now: f64,
    value: &Uint8Array,
    far: bool,
    env: Env,
    context: JsValue,
) -> i32 {
    HITS.with_borrow(|hits| {
        let Some(Planned { edge, plan, place, .. }) = hits.plans.get(plan as usize) else { return NEVER };
        let now = Time::from_millis(now as u64);
        let bytes = Bytes::from(value.to_vec());
        let tier = if far { kv::NAME } else { local::NAME };
        let Some(hit) = stored(edge, plan, &bytes, tier, size as usize, now) else { return NEVER };
        if far && place.is_some() && is_awake(edge, local::NAME, now) {
            let platform = Workers::new(isolate::host(), isolate::hooks(), env, context, place.clone());
            hit.promote(edge, &platform, plan, 1);
        }
        let answer = hit.answer(edge, plan, now);
        let body = if has_body(&answer) { part(value, &bytes, answer.body()).into() } else { JsValue::NULL };
        show(ONCE, answer, &body);
        ONCE as i32
    })
}

/// The part of `value` that `body` is, where it is a slice of `bytes`, which are the same as in `value`.
fn part(value: &Uint8Array, bytes: &Bytes, body: &Bytes) -> Uint8Array {
    let start = (body.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    match start.checked_add(body.len()) {
        // Nothing is larger than 25 MiB here.
        Some(end) if end <= bytes.len() => value.subarray(start as u32, end as u32),
        _ => Uint8Array::from(&body[..]),
    }
}

fn has_body(answer: &Response<Bytes>) -> bool {
    !answer.body().is_empty() && !entry::is_bodiless(answer.status())
}

fn show(handle: u32, answer: Response<Bytes>, body: &JsValue) {
    let (mut head, _) = answer.into_parts();
    entry::frame(&mut head.headers, head.status, false);
    isolate::host().show(handle, head.status.as_u16(), &fields::write(&head.headers), body);
}
