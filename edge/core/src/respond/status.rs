//! `/.levee/`: a first look at one instance of the edge.

use std::fmt::Write;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::access::{self, Visitor};
use super::problem::{Problem, escape, json_string, page};
use super::{Answer, Report, own_page};
use crate::config::{Policy, Route};
use crate::edge::Edge;
use crate::fields::accept;
use crate::time::Time;

/// Answers the status page, or says why not. `path` lies below `/.levee`.
pub fn answer(edge: &Edge, path: &str, visitor: &Visitor<'_>, now: Time) -> Result<Answer, Problem> {
    if !matches!(path, "/.levee" | "/.levee/" | "/.levee/status") {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no-such-page",
            "No such page of the edge",
            "below /.levee/ the edge answers /.levee/ and /.levee/explain?url=PATH",
        ));
    }
    access::check(&edge.setup.access, visitor)?;
    let html = accept::wants_html(visitor.fields);
    let (content_type, body) = if html {
        ("text/html; charset=utf-8", status_html(edge, now))
    } else {
        ("application/json", status_json(edge, now))
    };
    Ok(inside(content_type, body))
}

/// An answer that shows what is inside the edge. No page of another site may load it, not even to look at its size.
pub(crate) fn inside(content_type: &'static str, body: String) -> Answer {
    let mut answer = own_page(StatusCode::OK, content_type, body);
    answer.fields.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    answer
}

const HONEST: &str = "counted since the start of this instance; other instances count for themselves";

fn status_json(edge: &Edge, now: Time) -> String {
    let mut out = format!(
        "{{\"version\":\"{}\",\"runtime\":{},\"deployment\":{},\"uptime_ms\":{},\"counters_are\":{},\"counters\":{{",
        env!("CARGO_PKG_VERSION"),
        json_string(edge.setup.runtime),
        json_string(&edge.identity),
        now.since(edge.setup.now).as_millis(),
        json_string(HONEST),
    );
    for (at, (name, count)) in edge.counters.snapshot().each().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}\"{name}\":{count}");
    }
    let memory = &edge.memory;
    let _ = write!(
        out,
        "}},\"flights\":{},\"memory\":{{\"entries\":{},\"bytes\":{},\"budget_bytes\":{}}},\"origins\":[",
        edge.flights.len(),
        memory.len(),
        memory.bytes(),
        memory.budget()
    );
    for (at, origin) in edge.config.origins.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(
            out,
            "{comma}{{\"name\":{},\"url\":{},\"inflight\":{}}}",
            json_string(&origin.name),
            json_string(&origin.url),
            edge.origins.inflight(at)
        );
    }
    out.push_str("],\"warnings\":[");
    if let Some(warning) = forwarding_warning(edge) {
        out.push_str(&json_string(&warning));
    }
    out.push_str("],\"routes\":[");
    for (at, route) in edge.config.routes.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(
            out,
            "{comma}{{\"name\":{},\"path\":{},\"policy\":{}}}",
            json_string(&route.name),
            json_string(route.path.as_str()),
            json_string(&summary(&route.policy))
        );
    }
    let _ = writeln!(out, "],\"defaults\":{}}}", json_string(&summary(&edge.config.defaults)));
    out
}

fn status_html(edge: &Edge, now: Time) -> String {
    let mut out = format!(
        "<h1>Levee {}</h1><p>On {}, for {}. Memory tier: {} entries, {} of {} KiB.</p>",
        env!("CARGO_PKG_VERSION"),
        escape(edge.setup.runtime),
        human(now.since(edge.setup.now)),
        edge.memory.len(),
        edge.memory.bytes() >> 10,
        edge.memory.budget() >> 10,
    );
    if let Some(warning) = forwarding_warning(edge) {
        let _ = write!(out, "<p><strong>Warning:</strong> {}</p>", escape(&warning));
    }
    let _ = write!(out, "<h2>Counters</h2><p>{HONEST}.</p><table>");
    for (name, count) in edge.counters.snapshot().each() {
        let _ = write!(out, "<tr><td>{}<td class=\"n\">{count}", name.replace('_', " "));
    }
    out.push_str("</table><h2>Origins</h2><table>");
    for origin in &edge.config.origins {
        let backup = if origin.backup { ", backup" } else { "" };
        let _ =
            write!(out, "<tr><td>{}<td><code>{}</code>{backup}", escape(&origin.name), escape(&origin.url));
    }
    out.push_str("</table><h2>Routes</h2><p>The first that matches gives the policy.</p><table>");
    for Route { name, path, methods, policy } in &edge.config.routes {
        let _ = write!(
            out,
            "<tr><td>{}<td><code>{} {}</code><td>{}",
            escape(name),
            escape(&methods.join(" ")),
            escape(path.as_str()),
            escape(&summary(policy))
        );
    }
    let _ = write!(
        out,
        "<tr><td>defaults<td>all others<td>{}</table><p class=\"by\">As JSON: <code>curl …/.levee/</code></p>",
        escape(&summary(&edge.config.defaults))
    );
    page("Levee status", &out)
}

/// What the operator should know where clients, or proxies that nobody named, say whom they speak for.
fn forwarding_warning(edge: &Edge) -> Option<String> {
    let count = edge.counters.snapshot().forwarding_not_trusted;
    (count > 0).then(|| {
        format!(
            "{count} requests came with fields such as X-Forwarded-For from addresses that are no trusted proxies, so these \
             fields are not believed. Where they are proxies of yours, name them when the server starts (--trusted-proxy); else \
             there is nothing to do"
        )
    })
}

/// A policy in a line.
fn summary(policy: &Policy) -> String {
    if !policy.cache {
        return "not cached".to_owned();
    }
    let mut out = "cached as the origin says".to_owned();
    if !policy.ttl.default.is_zero() {
        let _ = write!(out, ", {} where it is silent", human(policy.ttl.default));
    }
    if let Some(max) = policy.ttl.max {
        let _ = write!(out, ", {} at most", human(max));
    }
    if let Some(overriding) = policy.ttl.overrides {
        out = format!("cached for {} whatever the origin says", human(overriding));
    }
    let _ = write!(
        out,
        "; stale for {} while revalidating, {} on error",
        human(policy.stale.while_revalidate),
        human(policy.stale.if_error)
    );
    out.push_str(match policy.credentials {
        crate::config::Credentials::Pass => "; credentials pass",
        crate::config::Credentials::Authorization => "; Authorization passes",
        crate::config::Credentials::Strip => "; credentials stripped",
        crate::config::Credentials::Key { .. } => "; credentials keyed",
    });
    out
}

fn human(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{} s", millis / 1_000),
        120_000..7_200_000 => format!("{} min", millis / 60_000),
        _ => format!("{} h", millis / 3_600_000),
    }
}

/// The report of a status page: the edge answers by itself, without the cache.
pub fn report() -> Report {
    Report { detail: Some("status-page"), ..Report::new(super::Outcome::Pass) }
}
