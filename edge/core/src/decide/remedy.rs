//! What to write into `levee.toml` so that a response like this one is stored.
//!
//! A line replaces the one of its key, so it also holds what the policy has there already.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::storable::is_heuristically_cacheable;
use super::{NoStore, PassReason, is_of_one_request};
use crate::classes::is_request_identifier;
use crate::config::{Credentials, Limits, NamePattern, Policy, QueryPolicy};
use crate::fields::{CacheControl, cache_control::Qualified, cookies, credentials};
use crate::key::selection;

/// The largest `limits.object`, in bytes.
const LARGEST: u64 = 1 << 30;
/// What is proposed where the origin names no lifetime.
const LIFETIME: Duration = Duration::from_secs(10);

/// One change of the configuration that is enough by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    pub table: Table,
    /// Each is a whole line of that table.
    pub lines: Vec<String>,
    /// When it is right, or what comes with it.
    pub about: &'static str,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The request's route, or `[defaults]`.
    Policy,
    Limits,
}

impl Remedy {
    fn policy(line: String, about: &'static str) -> Self {
        Self { table: Table::Policy, lines: vec![line], about }
    }
}

/// What a remedy depends on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub policy: &'a Policy,
    pub limits: &'a Limits,
    /// The fields that the client sent.
    pub request: &'a HeaderMap,
    pub status: StatusCode,
    pub response: &'a HeaderMap,
    /// The body's length in bytes, where it is known.
    pub length: Option<u64>,
}

/// The remedies where a response is not stored. None: the origin has to change something, or the reason is a good one.
pub fn for_response(reason: &NoStore, case: &Case<'_>) -> Vec<Remedy> {
    let Case { policy, .. } = *case;
    match reason {
        NoStore::Credentials => for_credentials(policy, case.request),
        NoStore::SetCookie => {
            vec![Remedy::policy("set_cookie = \"strip\"".to_owned(), "no client is sent the cookie then")]
        }
        NoStore::ParticularOnce(_) | NoStore::ParticularFull(_) => for_particular(policy, case.request),
        NoStore::Repeats(names) => {
            // Each request has another identifier.
            let names: Vec<String> = names
                .iter()
                .filter(|name| !is_request_identifier(name))
                .map(|name| name.as_str().to_owned())
                .collect();
            if names.is_empty() { vec![] } else { vec![keyed(policy, &names)] }
        }
        NoStore::Silent => for_silent(case).into_iter().collect(),
        NoStore::TooLarge => for_length(case).into_iter().collect(),
        NoStore::RequestNoStore => vec![Remedy::policy(
            "client_directives = \"ignore\"".to_owned(),
            "what clients ask of caches moves none",
        )],
        NoStore::NoStore
        | NoStore::Private
        | NoStore::VaryAny
        | NoStore::Useless
        | NoStore::Status
        | NoStore::Method
        | NoStore::EventStream
        | NoStore::LeavesEntry => vec![],
    }
}

/// The remedies where a request goes through whole.
pub fn for_pass(reason: PassReason, policy: &Policy, request: &HeaderMap) -> Vec<Remedy> {
    match reason {
        PassReason::Route => vec![Remedy::policy("cache = true".to_owned(), "its responses may be shared")],
        PassReason::Credentials => for_credentials(policy, request),
        PassReason::Particular => for_particular(policy, request),
        PassReason::Method
        | PassReason::Upgrade
        | PassReason::Body
        | PassReason::Precondition
        | PassReason::LostBytes => vec![],
    }
}

/// All of a request's credentials at once: one that is left would be the next reason.
fn for_credentials(policy: &Policy, request: &HeaderMap) -> Vec<Remedy> {
    let strip = Remedy::policy("credentials = \"strip\"".to_owned(), "the content is the same for all");
    let is_counted = |name: &&http::HeaderName| {
        credentials::is_credential(name.as_str(), &policy.credential_fields) && **name != header::COOKIE
    };
    let fields: Vec<String> =
        request.keys().filter(is_counted).map(|name| name.as_str().to_owned()).collect();
    let names = cookies::names_that_count(request, policy);
    if fields.is_empty() && names.is_empty() {
        return vec![strip];
    }
    let key = Remedy {
        table: Table::Policy,
        lines: vec!["credentials = \"key\"".to_owned(), key_line(policy, &fields, &names)],
        about: "each value has responses of its own, and other credentials are removed",
    };
    vec![strip, key]
}

fn for_particular(policy: &Policy, request: &HeaderMap) -> Vec<Remedy> {
    let names = selection::particular_names(request, policy);
    let forward = format!("forward = {}", list(union(&policy.forward, &names)));
    vec![Remedy::policy(forward, "no response depends on them"), keyed(policy, &names)]
}

fn keyed(policy: &Policy, names: &[String]) -> Remedy {
    Remedy::policy(key_line(policy, names, &[]), "each value has responses of its own")
}

/// A lifetime where the origin is silent, as far as the policy can give one.
fn for_silent(case: &Case<'_>) -> Option<Remedy> {
    let &Case { policy, status, response, .. } = case;
    let cache_control = CacheControl::read(response, "cache-control").unwrap_or_default();
    if cache_control.no_cache == Qualified::Yes {
        // It has to be confirmed before each use, and there is nothing to confirm it with.
        return None;
    }
    if status.is_client_error() || status.is_server_error() {
        let by_status = || {
            let known = policy.negative.iter().filter(|known| known.status != status.as_u16());
            let known = known.map(|known| format!("{} = {}", known.status, time(known.ttl)));
            let all: Vec<String> =
                known.chain([format!("{} = {}", status.as_u16(), time(LIFETIME))]).collect();
            Remedy::policy(format!("negative = {{ {} }}", all.join(", ")), "for this status")
        };
        return (!is_of_one_request(status)).then(by_status);
    }
    let lifetime = policy.ttl.max.filter(|max| !max.is_zero()).map_or(LIFETIME, |max| max.min(LIFETIME));
    let may_be_assigned = is_heuristically_cacheable(status) || cache_control.public;
    let (name, about) = match () {
        () if may_be_assigned => ("default", "where the origin is silent"),
        () if status.is_success() => ("override", "for all that succeeds, whatever the origin says"),
        () => return None,
    };
    let of = |own: &str, known: Option<Duration>| {
        let ttl = if own == name { Some(lifetime) } else { known };
        ttl.map(|ttl| format!("{own} = {}", time(ttl)))
    };
    let default = Some(policy.ttl.default).filter(|ttl| !ttl.is_zero());
    let parts = [of("default", default), of("max", policy.ttl.max), of("override", policy.ttl.overrides)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(Remedy::policy(format!("ttl = {{ {} }}", parts.join(", ")), about))
}

/// Room for this body, in the memory tier too.
fn for_length(case: &Case<'_>) -> Option<Remedy> {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20).max(1);
    let object = mebibytes(case.length?);
    if object << 20 > LARGEST {
        return None;
    }
    let mut lines = vec![format!("object = \"{object}MiB\"")];
    // Several, so that one does not push all others out.
    let memory = object * 4;
    if case.limits.memory >> 20 < memory {
        lines.push(format!("memory = \"{memory}MiB\""));
    }
    Some(Remedy { table: Table::Limits, lines, about: "larger bodies are stored" })
}

/// The whole of `key`, with these fields and cookies added.
fn key_line(policy: &Policy, fields: &[String], cookies: &[String]) -> String {
    let key = &policy.key;
    let (known_cookies, known_fields): (&[String], &[String]) = match &policy.credentials {
        Credentials::Key { cookies, fields } => (cookies, fields),
        _ => (&[], &[]),
    };
    let mut parts = Vec::new();
    let patterns = |patterns: &[NamePattern]| list(patterns.iter().map(|p| p.as_str().to_owned()).collect());
    match &key.query {
        QueryPolicy::Drop(none) if none.is_empty() => {}
        QueryPolicy::Drop(these) => parts.push(format!("query = {{ drop = {} }}", patterns(these))),
        QueryPolicy::Keep(these) => parts.push(format!("query = {{ keep = {} }}", patterns(these))),
    }
    for (name, is_on) in [("sort", key.sort), ("sort_languages", key.sort_languages)] {
        if is_on {
            parts.push(format!("{name} = true"));
        }
    }
    let headers = union(&union(&key.fields, known_fields), fields);
    for (name, names) in [("headers", headers), ("cookies", union(known_cookies, cookies))] {
        if !names.is_empty() {
            parts.push(format!("{name} = {}", list(names)));
        }
    }
    format!("key = {{ {} }}", parts.join(", "))
}

fn union(known: &[String], more: &[String]) -> Vec<String> {
    let mut all = known.to_vec();
    all.extend(more.iter().filter(|name| !known.contains(name)).cloned());
    all
}

/// A TOML array. The names are tokens or in the normal form of a query, so that none needs an escape.
fn list(names: Vec<String>) -> String {
    format!("[{}]", names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
}

fn time(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) { format!("\"{}s\"", millis / 1000) } else { format!("\"{millis}ms\"") }
}
