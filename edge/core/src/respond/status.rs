//! `/.levee/`: a first look at one instance of the edge.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::problem::{Problem, escape, json_string, page};
use super::{Answer, Report};
use crate::config::{Policy, Route};
use crate::edge::{Access, Edge};
use crate::fields::{accept, list};
use crate::time::Time;

/// Answers the status page, or says why not. `path` lies below `/.levee`.
pub fn answer(edge: &Edge, path: &str, request: &HeaderMap, now: Time) -> Result<Answer, Problem> {
    if !matches!(path, "/.levee" | "/.levee/" | "/.levee/status") {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no-such-page",
            "No such page of the edge",
            "below /.levee/ the edge answers /.levee/ alone",
        ));
    }
    check_access(&edge.setup.access, request)?;
    let html = list::joined(request, "accept")
        .is_some_and(|accept| accept::prefers_html(&String::from_utf8_lossy(&accept)));
    let (content_type, body) = if html {
        ("text/html; charset=utf-8", status_html(edge, now))
    } else {
        ("application/json", status_json(edge, now))
    };
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    fields.insert(header::CONTENT_LENGTH, body.len().into());
    Ok(Answer { status: StatusCode::OK, fields, body: Bytes::from(body) })
}

fn check_access(access: &Access, request: &HeaderMap) -> Result<(), Problem> {
    let token = match access {
        Access::Local => return Ok(()),
        Access::Token(Some(token)) if !token.is_empty() => token,
        Access::Token(_) => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "status-off",
                "The status page is off",
                "set the secret LEVEE_STATUS_TOKEN to turn it on",
            ));
        }
    };
    let shown = crate::fields::text(request, "authorization").unwrap_or("");
    if shows(shown, token) {
        return Ok(());
    }
    Err(Problem {
        authenticate: Some("Basic realm=\"Levee\", charset=\"UTF-8\""),
        ..Problem::new(
            StatusCode::UNAUTHORIZED,
            "token-needed",
            "A token is needed",
            "send `Authorization: Bearer TOKEN` with the value of LEVEE_STATUS_TOKEN; a browser asks: any name, the token as password",
        )
    })
}

/// Whether `Authorization` shows the token: as a bearer, or as the password of Basic, which browsers ask for.
fn shows(authorization: &str, token: &str) -> bool {
    let (scheme, credentials) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(credentials.as_bytes(), token.as_bytes());
    }
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(decoded) = base64(credentials)
        && let Some(at) = decoded.iter().position(|&b| b == b':')
    {
        return same(&decoded[at + 1..], token.as_bytes());
    }
    false
}

/// Compares in a time that depends on the lengths alone.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// Base64 (RFC 4648, section 4), of what a browser sends as Basic.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0u32, 0);
    for b in text.trim_end_matches('=').bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

const HONEST: &str = "counted since the start of this instance; other instances count for themselves";

fn status_json(edge: &Edge, now: Time) -> String {
    let mut out = format!(
        "{{\"version\":\"{}\",\"runtime\":{},\"uptime_ms\":{},\"counters_are\":{},\"counters\":{{",
        env!("CARGO_PKG_VERSION"),
        json_string(edge.setup.runtime),
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
        "}},\"memory\":{{\"entries\":{},\"bytes\":{},\"budget_bytes\":{}}},\"origins\":[",
        memory.len(),
        memory.bytes(),
        memory.budget()
    );
    for (at, origin) in edge.config.origins.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(
            out,
            "{comma}{{\"name\":{},\"url\":{}}}",
            json_string(&origin.name),
            json_string(&origin.url)
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_as_bearer_or_as_password() {
        assert!(shows("Bearer s3cret", "s3cret"));
        assert!(shows("Basic YW55OnMzY3JldA==", "s3cret"));
        for wrong in ["", "Bearer", "Bearer s3cre", "Basic YW55OnMzY3JlZA==", "Basic !!", "Digest s3cret"] {
            assert!(!shows(wrong, "s3cret"), "{wrong}");
        }
    }
}
