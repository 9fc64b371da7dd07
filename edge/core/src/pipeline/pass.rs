//! Requests that go through whole, streamed both ways.

use std::rc::Rc;

use http::{Extensions, HeaderMap, Method, Response, StatusCode, header};

use super::cached::{Request, fill_of};
use super::fill::{Answered, Asking, Fill};
use super::{BodyOf, Exchange, ask_origin, explain, finish, reply};
use crate::decide::{Facts, Forward, NoStore, PassReason};
use crate::fields::{self, connection};
use crate::key::{self, Key, Selection};
use crate::origin::{shared_fields, whole_fields};
use crate::platform::Platform;
use crate::purge::url_of;
use crate::respond::{Outcome, Report, strip_for_client};
use crate::route::Target;
use crate::store;

/// Sends the request on as it came, but for what belongs to one connection.
pub(super) async fn whole<P: Platform>(
    exchange: &Rc<Exchange<P>>,
    body: BodyOf<P>,
    reason: PassReason,
) -> Response<BodyOf<P>> {
    let asked = exchange.platform.now();
    let purge_mark = exchange.edge.purges.mark();
    // Without it no adapter can hand the connection over, whatever the origin answers.
    let extensions = match connection::may_be_upgraded(&exchange.fields) {
        true => exchange.extensions.clone(),
        false => Extensions::default(),
    };
    let answer = ask_origin(
        exchange,
        exchange.method.clone(),
        exchange.target.as_str(),
        whole_fields(&exchange.fields, exchange.policy(), &exchange.hop()),
        extensions,
        body,
    )
    .await;
    let report = Report {
        forward: Some(if reason == PassReason::Method { Forward::Method } else { Forward::Bypass }),
        detail: (reason != PassReason::Method).then_some(reason.as_str()),
        origin: Some(exchange.platform.now().since(asked)),
        ..Report::new(Outcome::Pass)
    };
    match answer {
        Err(error) => exchange.origin_failed(&error, report),
        Ok(mut response) => {
            let own = invalidate(exchange, &response);
            // The answer to a write is not older than the write; but it is older than another's that came in between.
            let now = exchange.edge.purges.mark();
            let purge_mark = if now.seq == purge_mark.seq + own { now } else { purge_mark };
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                connection::strip(response.headers_mut());
            }
            if let Some(fill) = stores_post(exchange, &response) {
                let answered =
                    Answered { response, requested: asked, received: exchange.platform.now(), purge_mark };
                if fill.is_explicit(&answered) {
                    return fill.answer(answered, None, None, Asking::Whole, report).await;
                }
                response = answered.response;
            }
            strip_for_client(response.headers_mut(), exchange.policy());
            if reason == PassReason::Credentials {
                let answer = (response.status(), response.headers(), None);
                exchange.trace.note(|| explain::not_stored_step(exchange, &NoStore::Credentials, answer));
            }
            let report = Report { forward_status: Some(response.status().as_u16()), ..report };
            if reason == PassReason::Precondition {
                // The origin may have overlooked the condition for which it was asked.
                return reply::to_client(exchange, response, &report);
            }
            finish(&exchange.edge, response, &report)
        }
    }
}

/// The answer to a POST is one for a later GET where it names the same URL in `Content-Location` and its lifetime
/// (RFC 9110, section 9.3.3). Only in a plain shared cache: a POST may say what no GET does.
fn stores_post<P: Platform, B>(exchange: &Rc<Exchange<P>>, response: &Response<B>) -> Option<Fill<P>> {
    let policy = exchange.policy();
    if exchange.method != Method::POST
        || response.status() != StatusCode::OK
        || !policy.cache
        || policy.selects()
    {
        return None;
    }
    let location = fields::text(response.headers(), "content-location")?;
    let named = same_host_target(exchange, location)?;
    if Target::normalise(&named).ok()?.as_str() != exchange.target.as_str() {
        return None;
    }
    let forwarded = shared_fields(&exchange.fields, policy, &exchange.hop());
    let key = Key::new(
        exchange.scheme,
        &exchange.authority,
        &exchange.target,
        &forwarded,
        policy,
        (&Selection::default(), &exchange.edge.seal),
    );
    let request = Request::new(key, Facts::read(&exchange.fields, policy, false), forwarded);
    Some(fill_of(exchange, &Rc::new(request), Method::GET))
}

/// A successful unsafe request makes what is stored for its URL invalid, and what `Location` and `Content-Location` name
/// on the same host (RFC 9111, section 4.4).
///
/// Returns how many purges that took.
fn invalidate<P: Platform, B>(exchange: &Exchange<P>, response: &Response<B>) -> u64 {
    if exchange.method.is_safe() || !(response.status().is_success() || response.status().is_redirection()) {
        return 0;
    }
    let named = [header::LOCATION, header::CONTENT_LOCATION];
    let named = named.iter().filter_map(|name| fields::text(response.headers(), name.as_str()));
    let targets = named.filter_map(|location| same_host_target(exchange, location));
    let mut urls: Vec<Vec<String>> = targets
        .chain([exchange.target.as_str().to_owned()])
        .map(|target| get_keys(exchange, &target))
        .filter(|keys| !keys.is_empty())
        .collect();
    urls.sort_unstable();
    urls.dedup();
    let (edge, platform) = (exchange.edge.clone(), exchange.platform.clone());
    let mut forgotten = Vec::new();
    for keys in &urls {
        // At once, so that the client that wrote reads what it wrote, and for all variants.
        if !edge.purges.by_client(url_of(&keys[0]), platform.now()) {
            edge.counters.invalidation_limited();
        }
        // Of what is told apart by the facts of its requests, the stores are told what is known here.
        for (at, key) in keys.iter().enumerate() {
            if edge.memory.remove(key) || at == 0 {
                forgotten.push(key.clone());
            }
        }
    }
    exchange.platform.spawn(async move {
        for key in forgotten {
            store::forget(&edge, &platform, &key).await;
        }
    });
    urls.len() as u64
}

/// The keys that GETs of this target have without particular fields, the usual one first. None where its route does not cache.
fn get_keys<P: Platform>(exchange: &Exchange<P>, target: &str) -> Vec<String> {
    let Ok(target) = Target::normalise(target) else { return Vec::new() };
    let config = &exchange.edge.config;
    let policy = crate::route::find(config, Method::GET.as_str(), target.path()).policy(config);
    if !policy.cache {
        return Vec::new();
    }
    let key = |selection: &Selection| {
        let (scheme, authority) = (exchange.scheme, exchange.authority.as_str());
        Key::new(scheme, authority, &target, &HeaderMap::new(), policy, (selection, &exchange.edge.seal))
    };
    let every = Selection::every_general(policy);
    every.map(|selection| key(&selection).as_str().to_owned()).collect()
}

/// Path and query of a reference to the host that was asked; `None` for another host. A reference relative to a folder is
/// not followed: origins send absolute paths or URLs.
fn same_host_target<P>(exchange: &Exchange<P>, location: &str) -> Option<String> {
    let location = location.split('#').next().unwrap_or(location);
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(location.to_owned());
    }
    let rest = location.strip_prefix("http://").or_else(|| location.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = key::authority(exchange.scheme, &rest[..end])?;
    (authority == exchange.authority).then(|| {
        let target = &rest[end..];
        if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }
    })
}
