//! Generated origins and clients, for properties of the whole pipeline.
//!
//! The origin answers what it was asked by: every answer carries a mark of its own (`<7>`: the answer to its eighth request) in
//! its body and in fields, so that whatever reaches the wrong client can be seen and traced.

use std::cell::RefCell;
use std::rc::Rc;

use levee::testing::{Ask, Reply};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// How an origin answers for one path.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) status: u16,
    pub(crate) cache_control: String,
    /// Fields that it varies on and says so.
    pub(crate) vary: Vec<&'static str>,
    /// Names the asking origin in `Access-Control-Allow-Origin`.
    pub(crate) cors: bool,
    pub(crate) set_cookie: bool,
    pub(crate) etag: bool,
    /// Fails (503) at every so many-th request.
    pub(crate) fails: Option<usize>,
    /// What answers without a body (304, and to HEAD) say of caching and of themselves. `None`: they leave out what is
    /// personal.
    pub(crate) update: Option<String>,
}

/// Fields that a resource may vary on.
const VARIED: [&str; 5] = ["accept", "accept-encoding", "accept-language", "x-variant", "cookie"];

pub(crate) fn cache_control() -> impl Strategy<Value = String> {
    let lifetime = prop_oneof![
        1 => Just(String::new()),
        4 => select(vec![0u32, 1, 5, 20]).prop_map(|n| format!("max-age={n}")),
        2 => select(vec![0u32, 3, 20]).prop_map(|n| format!("s-maxage={n}")),
    ];
    let others = subsequence(
        vec![
            "public",
            "no-store",
            "private",
            "no-cache",
            "must-revalidate",
            "proxy-revalidate",
            "stale-while-revalidate=10",
            "stale-if-error=15",
            "private=\"x-mark\"",
            "no-cache=\"x-mark\"",
            "must-understand",
        ],
        0..4,
    );
    (lifetime, prop_oneof![2 => Just(vec![]), 3 => others]).prop_map(|(lifetime, mut all)| {
        if !lifetime.is_empty() {
            all.insert(0, lifetime.as_str());
        }
        all.join(", ")
    })
}

pub(crate) fn resource() -> impl Strategy<Value = Resource> {
    (
        select(vec![200u16, 200, 200, 200, 404, 301]),
        cache_control(),
        prop_oneof![2 => Just(vec![]), 1 => subsequence(VARIED.to_vec(), 1..3)],
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        any::<bool>(),
        prop_oneof![4 => Just(None), 1 => (2usize..5).prop_map(Some)],
    )
        .prop_map(|(status, cache_control, vary, cors, set_cookie, etag, fails)| Resource {
            status,
            cache_control,
            vary,
            cors,
            set_cookie,
            etag,
            fails,
            update: None,
        })
}

/// One whose answers without a body say of caching and of themselves what they like.
pub(crate) fn resource_with_updates() -> impl Strategy<Value = Resource> {
    (resource(), cache_control()).prop_map(|(resource, update)| Resource { update: Some(update), ..resource })
}

/// One answer of the origin, by its mark.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) ask: Ask,
    pub(crate) cache_control: String,
    pub(crate) resource: Resource,
    pub(crate) status: u16,
}

/// What an origin has answered, in the order of its marks.
pub(crate) type Log = Rc<RefCell<Vec<Given>>>;

/// What an answer of one resource says in its body beside its mark: what it depends on.
pub(crate) fn content(resource: &Resource, ask: &Ask) -> String {
    let mut fields: Vec<&str> = resource.vary.clone();
    if resource.cors {
        fields.push("origin");
    }
    let seen: Vec<String> = fields.iter().map(|name| format!("{name}={:?}", ask.field(name))).collect();
    format!("{} [{}]", ask.uri, seen.join(" "))
}

/// Serves `resources` by the digit in the path.
pub(crate) fn origin(resources: Vec<Resource>, log: Log) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        let at = ask.uri.bytes().rev().find(u8::is_ascii_digit).map_or(0, |digit| usize::from(digit - b'0'));
        let resource = &resources[at % resources.len()];
        let mark = log.borrow().len();
        let content = content(resource, ask);
        let tag = format!("\"{:08x}\"", content.bytes().fold(7u32, |h, b| h.wrapping_mul(31) ^ u32::from(b)));
        let (status, cache_control) = if resource.fails.is_some_and(|every| mark % every == every - 1) {
            (503, String::new())
        } else if resource.etag && ask.field("if-none-match").contains(&tag) {
            (304, resource.update.clone().unwrap_or_else(|| resource.cache_control.clone()))
        } else if ask.method == "HEAD" {
            (resource.status, resource.update.clone().unwrap_or_else(|| resource.cache_control.clone()))
        } else {
            (resource.status, resource.cache_control.clone())
        };
        let has_body = status != 304 && ask.method != "HEAD";
        let body = if has_body { format!("<{mark}> {content}") } else { String::new() };
        let mut reply = Reply::new(&cache_control, &body).status(status);
        let personal = has_body || resource.update.is_some();
        if personal {
            reply = reply.field("x-mark", format!("<{mark}>"));
        }
        if cache_control.is_empty() {
            reply.fields.retain(|(name, _)| name != "cache-control");
        }
        if resource.etag && status != 503 {
            reply = reply.field("etag", tag);
        }
        if resource.set_cookie && personal {
            reply = reply.field("set-cookie", format!("sid=<{mark}>"));
        }
        if !resource.vary.is_empty() {
            reply = reply.field("vary", resource.vary.join(", "));
        }
        if resource.cors && !ask.field("origin").is_empty() {
            reply = reply.field("access-control-allow-origin", ask.field("origin"));
        }
        log.borrow_mut().push(Given { ask: ask.clone(), cache_control, resource: resource.clone(), status });
        reply
    }
}

/// The marks in a text.
pub(crate) fn marks(text: &str) -> Vec<usize> {
    text.split('<').skip(1).filter_map(|rest| rest.split('>').next()?.parse().ok()).collect()
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    /// Milliseconds that pass before.
    pub(crate) after: u64,
}

/// What clients send beside the line. `x-variant` counts for nothing but by `Vary`, `x-tenant` is keyed.
const SENT: [(&str, &str); 25] = [
    ("accept", "text/html"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, br"),
    ("accept-encoding", "br"),
    ("accept-language", "de"),
    ("accept-language", "en"),
    ("origin", "https://b.example"),
    ("origin", "https://c.example"),
    ("authorization", "Basic YQ=="),
    ("authorization", "Basic Yg=="),
    ("cookie", "sid=1"),
    ("cookie", "sid=2; lang=de"),
    ("x-api-key", "secret"),
    ("x-variant", "ann"),
    ("x-variant", "bob"),
    ("x-forwarded-host", "evil.example"),
    ("x-original-url", "/admin"),
    ("x-tenant", "1"),
    ("x-tenant", "2"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"),
    ("user-agent", "curl/8.16.0"),
    ("user-agent", "<script>alert(1)</script>"),
    ("hx-request", "true"),
    ("x-version", "1"),
    ("x-version", "2"),
];

const DIRECTIVES: [(&str, &str); 6] = [
    ("cache-control", "no-cache"),
    ("cache-control", "max-stale=30"),
    ("cache-control", "max-age=3"),
    ("cache-control", "no-store"),
    ("cache-control", "only-if-cached"),
    ("pragma", "no-cache"),
];

pub(crate) fn fields() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let once = |mut fields: Vec<(&'static str, &'static str)>| {
        fields.dedup_by_key(|(name, _)| *name);
        fields
    };
    let sent = prop_oneof![
        2 => Just(vec![]),
        3 => subsequence(SENT.to_vec(), 0..4).prop_map(once),
    ];
    let directives =
        prop_oneof![5 => Just(vec![]), 1 => select(DIRECTIVES.to_vec()).prop_map(|one| vec![one])];
    (sent, directives).prop_map(|(a, b)| [a, b].concat())
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    (
        prop_oneof![8 => Just("GET"), 2 => Just("HEAD"), 1 => Just("POST")],
        select(vec!["/0", "/0", "/1", "/1?q=1", "/1?q=1&utm_source=x", "/a/../0"]),
        fields(),
        select(vec![0u64, 0, 1, 500, 1_000, 4_000, 6_000, 15_000, 40_000]),
    )
        .prop_map(|(method, target, fields, after)| Step { method, target, fields, after })
}
