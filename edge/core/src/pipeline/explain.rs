//! `/.levee/explain?url=PATH`: what each step of the pipeline found and decided for a request, with the rule that decided it.
//!
//! The request is really made, once, and its steps write down what they do: nothing is decided again. The request's own fields
//! are those of the one that is explained; the token is shown by `Levee-Token`.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderName, Method, Response, StatusCode, header};

use super::{
    BodyOf, Exchange, admit, answer as answer_request, answer_problem, remove_named_by_connection, respond,
};
use crate::body::Body;
use crate::decide::remedy::{self, Remedy, Table};
use crate::decide::{Decision, Forward, NoStore, PassReason, Serve, Sharing, Source};
use crate::edge::Edge;
use crate::entry::Entry;
use crate::guard;
use crate::key::{Key, selection};
use crate::lookup::Found;
use crate::platform::Platform;
use crate::request::Scheme;
use crate::respond::access::{self, Visitor};
use crate::respond::problem::{Problem, json_string};
use crate::respond::{Answer, Outcome, Report, status};
use crate::route;
use crate::time::Time;
use crate::trace::{Step, Trace};

pub(super) const PATH: &str = "/.levee/explain";

/// A request to explain another.
pub(super) struct Explained<'a> {
    pub(super) scheme: Scheme,
    pub(super) authority: String,
    pub(super) query: Option<&'a str>,
    pub(super) fields: HeaderMap,
    pub(super) client: Option<IpAddr>,
}

/// Fields of the request to explain that are not the explained request's: it has no body, and stays on this connection.
const OWN: [HeaderName; 7] = [
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::UPGRADE,
    header::CONNECTION,
    HeaderName::from_static(access::TOKEN),
];

pub(super) async fn answer<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    explained: Explained<'_>,
) -> Response<BodyOf<P>> {
    let fields = explained.fields.clone();
    match request_of(edge, platform, explained) {
        Ok(exchange) => {
            let trace = exchange.trace.clone();
            let response = answer_request(Rc::new(exchange), BodyOf::<P>::empty()).await;
            trace.note(|| outcome(&response));
            respond(edge, written(&trace.steps()), &status::report())
        }
        Err(problem) => answer_problem(edge, &fields, &problem, Report::new(Outcome::Error)),
    }
}

/// The request that is explained.
fn request_of<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    explained: Explained<'_>,
) -> Result<Exchange<P>, Problem> {
    let Explained { scheme, authority, query, mut fields, client } = explained;
    access::check(&edge.setup.access, &Visitor { scheme, authority: &authority, fields: &fields })?;
    let bad =
        |code, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, "No request to explain", detail);
    let url = query.and_then(url_of).ok_or_else(|| {
        let how =
            "say which: /.levee/explain?url=PATH, with `?`, `&`, `%` and `#` of the path percent-encoded";
        bad("no-url", how.to_owned())
    })?;
    if !fields.contains_key(access::TOKEN) {
        // The token was in `Authorization`, which is then not the explained request's.
        fields.remove(header::AUTHORIZATION);
    }
    remove_named_by_connection(&mut fields);
    for name in OWN {
        fields.remove(name);
    }
    let (target, authority) = admit(edge, scheme, &authority, &url, &fields)?;
    if guard::is_reserved(target.path()) {
        let what =
            format!("`{}` is a page of the edge's own, which no route and no origin answers", target.path());
        return Err(bad("reserved", what));
    }
    Ok(Exchange {
        route: route::find(&edge.config, Method::GET.as_str(), target.path()),
        edge: edge.clone(),
        platform: platform.clone(),
        method: Method::GET,
        scheme,
        authority,
        target: target.into_owned(),
        fields,
        client,
        extensions: Extensions::default(),
        trace: Trace::on(),
    })
}

pub(super) fn route_step<P: Platform>(exchange: &Exchange<P>) -> Step {
    let config = &exchange.edge.config;
    let name = exchange.route.name(config);
    let rule = match config.routes.iter().find(|route| route.name == name) {
        Some(route) => {
            format!("levee.toml: [[routes]] `{name}`, the first whose path matches: {}", route.path.as_str())
        }
        None => "levee.toml: [defaults], because no route matches".to_owned(),
    };
    Step::new("route", format!("{} `{}`: route `{name}`", exchange.method, exchange.target.as_str()), rule)
}

pub(super) fn sharing_step<P: Platform>(exchange: &Exchange<P>, sharing: &Sharing) -> Step {
    let (what, rule) = match sharing {
        Sharing::Shareable => {
            ("its answer may be shared".to_owned(), "RFC 9111, section 3; levee.toml: `cache`, `credentials`")
        }
        Sharing::WithCredentials(name) => (
            format!(
                "it carries credentials (`{name}`): only what says that it may be shared with such requests answers it"
            ),
            "RFC 9111, section 3.5; levee.toml: `credentials`",
        ),
        Sharing::Private(reason) => return passed_step(exchange, *reason),
    };
    Step::new("guard", what, rule)
}

pub(super) fn key_step<P: Platform>(exchange: &Exchange<P>, key: &Key) -> Step {
    let policy = exchange.policy();
    let mut what = format!("`{}`", key.as_str().replace('\n', " | "));
    let names = exchange.fields.keys().filter(|name| **name != header::HOST);
    let classes: Vec<String> = names
        .map(|name| format!("`{name}` {}", selection::class_in(&exchange.fields, name, policy)))
        .collect();
    if !classes.is_empty() {
        what.push_str("; fields: ");
        what.push_str(&classes.join(", "));
    }
    Step::new(
        "key",
        what,
        "levee.toml: `key`, `forward`, `ordinary`, `particular`, `credentials`; docs/fields.md",
    )
}

pub(super) fn lookup_step(found: &Found, now: Time) -> Step {
    let what = match (found, found.entry()) {
        (Found::Entry { tier, .. }, Some(entry)) => format!("found in {tier}: {}", described(entry, now)),
        (Found::Missing(Forward::VaryMiss), _) => "the URL is stored, this variant is not".to_owned(),
        _ => "nothing is stored".to_owned(),
    };
    Step::new("lookup", what, "RFC 9111, section 4 and 4.1")
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

pub(super) fn decision_step(decision: &Decision<'_>) -> Step {
    let (what, rule) = match decision {
        Decision::Serve { serve: Serve::Fresh, .. } => ("serve it: it is fresh", "RFC 9111, section 4.2"),
        Decision::Serve { serve: Serve::WhileRevalidate, .. } => (
            "serve it stale, and fetch a new one behind",
            "RFC 5861, section 3; levee.toml: `stale.while_revalidate`",
        ),
        Decision::Serve { serve: Serve::MaxStale, .. } => (
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
        Decision::Pass(PassReason::Credentials) => (
            "pass it on whole: it carries credentials, and nothing that is stored may be shared with them",
            "RFC 9111, section 3.5; levee.toml: `credentials`",
        ),
        Decision::Pass(_) => (
            "pass it on whole: what is stored does not meet its `If-Match` or `If-Unmodified-Since`",
            "RFC 9111, section 4.3.2",
        ),
        Decision::GatewayTimeout => {
            ("504: the client wants a stored response or none", "RFC 9111, section 5.2.1.7")
        }
    };
    Step::new("decide", what, rule)
}

/// Why a response was not stored. `length`: the body's, in bytes, where it is known.
pub(super) fn not_stored_step<P: Platform>(
    exchange: &Exchange<P>,
    reason: &NoStore,
    (status, response, length): (StatusCode, &HeaderMap, Option<u64>),
) -> Step {
    let edge = &exchange.edge;
    let case = remedy::Case {
        policy: exchange.policy(),
        limits: &edge.config.limits,
        request: &exchange.fields,
        status,
        response,
        length,
    };
    let rule = match &remedy::for_response(reason, &case)[..] {
        [] => format!("RFC 9111, section 3: the origin's answer says so (`{}`)", reason.as_str()),
        remedies => remedied(exchange, remedies),
    };
    Step::new("store", format!("not stored: {}", reason.as_str()), rule)
}

/// Why a request goes through whole.
pub(super) fn passed_step<P: Platform>(exchange: &Exchange<P>, reason: PassReason) -> Step {
    let rule = match &remedy::for_pass(reason, exchange.policy(), &exchange.fields)[..] {
        [] => "levee.toml: `cache`, `credentials`".to_owned(),
        remedies => remedied(exchange, remedies),
    };
    Step::new("guard", format!("it goes through whole: {}", reason.as_str()), rule)
}

/// Remedies as lines that the configuration takes as they are, each alternative with its table.
fn remedied<P: Platform>(exchange: &Exchange<P>, remedies: &[Remedy]) -> String {
    let config = &exchange.edge.config;
    let route = match exchange.route.name(config) {
        name if config.routes.iter().any(|route| route.name == name) => format!("[[routes]] {name}"),
        _ => "[defaults]".to_owned(),
    };
    let each = remedies.iter().map(|Remedy { table, lines, about }| {
        let table = match table {
            Table::Policy => &route,
            Table::Limits => "[limits]",
        };
        let lines: Vec<String> = lines.iter().map(|line| format!("`{line}`")).collect();
        format!("{table}: {} ({about})", lines.join(" and "))
    });
    format!("what would change it in levee.toml: {}", each.collect::<Vec<_>>().join(", or "))
}

/// What became of the request.
fn outcome<B>(response: &Response<B>) -> Step {
    let cache_status = crate::fields::text(response.headers(), "cache-status").unwrap_or("");
    Step::new("respond", format!("{}; {cache_status}", response.status().as_u16()), "RFC 9211")
}

fn written(steps: &[Step]) -> Answer {
    let row = |Step { name, what, rule }: &Step| {
        format!("{{\"step\":\"{name}\",\"what\":{},\"rule\":{}}}", json_string(what), json_string(rule))
    };
    let rows: Vec<String> = steps.iter().map(row).collect();
    let body = format!("[{}]\n", rows.join(",\n"));
    status::inside("application/json", body)
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
