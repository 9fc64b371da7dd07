//! `/.levee/explain?url=PATH`: each step of the pipeline for a request, with the rule that decided it.
//!
//! The steps before the origin are gone through without it; then the request is really made, and what became of it is
//! told. The request's own fields are those of the one that is explained; the token is shown by `Levee-Token`.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::{BodyOf, answer_problem, handle, respond};
use crate::body::Body;
use crate::config::Config;
use crate::decide::{Decision, Directives, Forward, NoStore, Serve, Sharing, Source, decide, sharing};
use crate::edge::Edge;
use crate::entry::Entry;
use crate::key::Key;
use crate::lookup::{self, Found};
use crate::origin::{Hop, is_forwarded, shared_fields};
use crate::platform::Platform;
use crate::request::{Request, Scheme};
use crate::respond::problem::{Problem, json_string};
use crate::respond::{Answer, Outcome, Report, access, status};
use crate::route::{self, RouteId, Target};
use crate::time::Time;

pub(super) const PATH: &str = "/.levee/explain";

/// A request to explain another.
pub(super) struct Asked<'a> {
    pub(super) scheme: Scheme,
    pub(super) authority: String,
    pub(super) query: Option<&'a str>,
    pub(super) fields: HeaderMap,
    pub(super) client: Option<IpAddr>,
}

/// What one step came to.
struct Step {
    name: &'static str,
    what: String,
    /// The line of `levee.toml` or the section of an RFC that decided it.
    rule: String,
}

pub(super) async fn answer<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    asked: Asked<'_>,
) -> Response<BodyOf<P>> {
    match explained(edge, platform, &asked).await {
        Ok(steps) => respond(edge, written(&steps), &status::report()),
        Err(problem) => answer_problem(edge, &asked.fields, &problem, Report::new(Outcome::Error)),
    }
}

async fn explained<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    asked: &Asked<'_>,
) -> Result<Vec<Step>, Problem> {
    access::check(&edge.setup.access, &asked.fields)?;
    let bad =
        |code, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, "No request to explain", detail);
    let url = asked.query.and_then(url_of).ok_or_else(|| {
        let how =
            "say which: /.levee/explain?url=PATH, with `?`, `&`, `%` and `#` of the path percent-encoded";
        bad("no-url", how.to_owned())
    })?;
    let target = Target::normalise(&url).map_err(|error| bad("bad-target", error.to_string()))?;
    let mut fields = asked.fields.clone();
    if !fields.contains_key(access::TOKEN) {
        // The token was in `Authorization`, which is then not the explained request's.
        fields.remove(header::AUTHORIZATION);
    }
    fields.remove(access::TOKEN);
    let mut steps = before_origin(edge, platform, asked, &fields, &url, &target).await;
    let request = Request {
        method: Method::GET,
        scheme: asked.scheme,
        authority: asked.authority.clone(),
        target: url.clone(),
        fields,
        body: BodyOf::<P>::empty(),
        client: asked.client,
        extensions: http::Extensions::default(),
    };
    steps.push(outcome(&handle(edge, platform, request).await));
    Ok(steps)
}

async fn before_origin<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    asked: &Asked<'_>,
    fields: &HeaderMap,
    raw: &str,
    target: &Target<'_>,
) -> Vec<Step> {
    let config = &edge.config;
    let route = route::find(config, Method::GET.as_str(), target.path());
    let policy = route.policy(config);
    let sharing = sharing(&Method::GET, fields, false, policy);
    let mut steps = vec![route_step(config, route, raw, target), sharing_step(&sharing)];
    if matches!(sharing, Sharing::Private(_)) {
        return steps;
    }
    let key = Key::new(asked.scheme, &asked.authority, target, fields, policy);
    let unkeyed = fields.keys().map(HeaderName::as_str).filter(|name| *name != "host");
    let dropped: Vec<&str> = unkeyed.filter(|name| !is_forwarded(name, policy)).collect();
    steps.push(key_step(&key, &dropped));
    let hop = Hop { scheme: asked.scheme, authority: &asked.authority, client: asked.client };
    let forwarded = shared_fields(fields, policy, &hop);
    let mut found = lookup::in_memory(edge, &key, || &forwarded);
    if found.entry().is_none() {
        let any = |found: &Found| found.entry().is_some();
        found = lookup::in_stores(edge, platform, &key, &forwarded, policy, found, any).await;
    }
    let now = platform.now();
    steps.push(lookup_step(&found, now));
    let missed = match found {
        Found::Missing(why) => why,
        Found::Entry { .. } => Forward::UriMiss,
    };
    steps.push(decision_step(&decide(&Directives::read(fields, policy), found.entry(), missed, now)));
    steps
}

fn route_step(config: &Config, route: RouteId, raw: &str, target: &Target<'_>) -> Step {
    let name = route.name(config);
    let spelled = match target.as_str() {
        same if same == raw => "as it is".to_owned(),
        normal => format!("as `{normal}`"),
    };
    let rule = match config.routes.iter().find(|route| route.name == name) {
        Some(route) => {
            format!("levee.toml: [[routes]] `{name}`, the first whose path matches: {}", route.path.as_str())
        }
        None => "levee.toml: [defaults], because no route matches".to_owned(),
    };
    Step { name: "route", what: format!("GET `{raw}` is read {spelled}; route `{name}`"), rule }
}

fn sharing_step(sharing: &Sharing) -> Step {
    let (what, rule) = match sharing {
        Sharing::Shareable => {
            ("its answer may be shared".to_owned(), "RFC 9111, section 3; levee.toml: `cache`, `credentials`")
        }
        Sharing::WithCredentials(name) => (
            format!(
                "it carries credentials (`{name}`): only what says that it may be shared all the same answers it"
            ),
            "RFC 9111, section 3.5; levee.toml: `credentials`",
        ),
        Sharing::Private(reason) => {
            (format!("it goes through whole: {}", reason.as_str()), "levee.toml: `cache`, `credentials`")
        }
    };
    Step { name: "guard", what, rule: rule.to_owned() }
}

fn key_step(key: &Key, dropped: &[&str]) -> Step {
    let mut what = format!("`{}`", key.as_str().replace('\n', " | "));
    if !dropped.is_empty() {
        what.push_str("; not forwarded, because not keyed: ");
        what.push_str(&dropped.join(", "));
    }
    Step { name: "key", what, rule: "levee.toml: `key`, `forward`, `credentials`".to_owned() }
}

fn lookup_step(found: &Found, now: Time) -> Step {
    let what = match (found, found.entry()) {
        (Found::Entry { tier, .. }, Some(entry)) => format!("found in {tier}: {}", described(entry, now)),
        (Found::Missing(Forward::VaryMiss), _) => "the URL is stored, this variant is not".to_owned(),
        _ => "nothing is stored".to_owned(),
    };
    Step { name: "lookup", what, rule: "RFC 9111, section 4 and 4.1".to_owned() }
}

fn described(entry: &Entry, now: Time) -> String {
    let freshness = &entry.freshness;
    let source = match freshness.source {
        Source::Override => "levee.toml: ttl.override",
        Source::SMaxAge => "s-maxage",
        Source::MaxAge => "max-age",
        Source::Expires => "Expires",
        Source::Heuristic => "guessed from Last-Modified",
        Source::Negative => "levee.toml: negative",
        Source::Default => "levee.toml: ttl.default",
        Source::Silent => "nothing",
    };
    format!(
        "status {}, {} bytes, {} s old, lifetime {} s ({source}), stale for {} s while revalidating, {} s on error",
        entry.status.as_u16(),
        entry.body.len(),
        entry.age(now).as_secs(),
        freshness.lifetime.as_secs(),
        freshness.while_revalidate.as_secs(),
        freshness.if_error.as_secs()
    )
}

fn decision_step(decision: &Decision) -> Step {
    let (what, rule) = match decision {
        Decision::Serve(Serve::Fresh) => ("serve it: it is fresh", "RFC 9111, section 4.2"),
        Decision::Serve(Serve::WhileRevalidate) => (
            "serve it stale, and fetch a new one behind",
            "RFC 5861, section 3; levee.toml: `stale.while_revalidate`",
        ),
        Decision::Serve(Serve::MaxStale) => (
            "serve it stale: the client accepts that",
            "RFC 9111, section 5.2.1.2; levee.toml: `client_directives`",
        ),
        Decision::Revalidate { why: Forward::Request, .. } => (
            "ask the origin first: the client wants that",
            "RFC 9111, section 5.2.1; levee.toml: `client_directives`",
        ),
        Decision::Revalidate { .. } => {
            ("ask the origin whether it is still good: it is stale", "RFC 9111, section 4.3")
        }
        Decision::Fetch(_) => ("ask the origin", "RFC 9111, section 4"),
        Decision::GatewayTimeout => {
            ("504: the client wants what is cached or nothing", "RFC 9111, section 5.2.1.7")
        }
    };
    Step { name: "decide", what: what.to_owned(), rule: rule.to_owned() }
}

/// What became of the request when it was really made.
fn outcome<B>(response: &Response<B>) -> Step {
    let cache_status = crate::fields::text(response.headers(), "cache-status").unwrap_or("");
    let mut what = format!("{}; {cache_status}", response.status().as_u16());
    let rule = match response.extensions().get::<NoStore>() {
        None => "RFC 9211".to_owned(),
        Some(reason) => {
            what.push_str("; not stored");
            match reason.setting() {
                Some(setting) => format!("what would change it in levee.toml: {setting}"),
                None => format!("RFC 9111, section 3: the origin's answer says so (`{}`)", reason.as_str()),
            }
        }
    };
    Step { name: "respond", what, rule }
}

fn written(steps: &[Step]) -> Answer {
    let row = |Step { name, what, rule }: &Step| {
        format!("{{\"step\":\"{name}\",\"what\":{},\"rule\":{}}}", json_string(what), json_string(rule))
    };
    let rows: Vec<String> = steps.iter().map(row).collect();
    let body = format!("[{}]\n", rows.join(",\n"));
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    fields.insert(header::CONTENT_LENGTH, body.len().into());
    Answer { status: StatusCode::OK, fields, body: Bytes::from(body) }
}

/// The parameter `url`, decoded.
fn url_of(query: &str) -> Option<String> {
    let encoded = query.split('&').find_map(|pair| pair.strip_prefix("url="))?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => {
                let hex = [*high, *low];
                std::str::from_utf8(&hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).ok().filter(|url| !url.is_empty())
}
