//! The life of a request, as one function: route, guard, key, lookup, decide, shield, origin, store, respond.

mod cached;
mod explain;
mod fill;
mod freshen;
pub mod hit;
mod judge;
mod keep;
mod lease;
mod miss;
mod ordinary;
mod pass;
mod refuse;
mod reply;
pub mod shortcuts;

pub use refuse::refuse;

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Response, StatusCode, header};

use crate::body::Body;
use crate::config::Policy;
use crate::decide::{Directives, PassReason, Sharing, sharing};
use crate::edge::Edge;
use crate::fields::connection;
use crate::guard;
use crate::origin::{Hop, OriginError, Upstream};
use crate::platform::{Fetch, FetchError, Platform};
use crate::request::{LostBytes, Request, Scheme, TrustedPeer};
use crate::respond::access::Visitor;
use crate::respond::problem::Problem;
use crate::respond::{Answer, Outcome, Report, status};
use crate::route::{self, RouteId, Target};
use crate::trace::Trace;

type BodyOf<P> = <P as Fetch>::Body;

/// Answers one request. Never fails: what goes wrong becomes an answer.
pub async fn handle<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    request: Request<BodyOf<P>>,
) -> Response<BodyOf<P>> {
    let Request { method, scheme, authority, target, mut fields, body, client, extensions } = request;
    let admitted =
        guard::check_method(&method).and_then(|()| admit(edge, scheme, &authority, &target, &fields));
    let (target, authority) = match admitted {
        Ok(admitted) => admitted,
        Err(problem) => return answer_problem(edge, &fields, &problem, Report::new(Outcome::Error)),
    };
    if guard::is_reserved(target.path()) {
        if target.path() == explain::PATH {
            let explained = explain::Explained { scheme, authority, query: target.query(), fields, client };
            return Box::pin(explain::answer(edge, platform, explained)).await;
        }
        let visitor = Visitor { scheme, authority: &authority, fields: &fields };
        return match status::answer(edge, target.path(), &visitor, platform.now()) {
            Ok(answer) => respond(edge, answer, &status::report()),
            Err(problem) => answer_problem(edge, &fields, &problem, Report::new(Outcome::Error)),
        };
    }
    remove_named_by_connection(&mut fields);
    let exchange = Exchange {
        route: route::find(&edge.config, method.as_str(), target.path()),
        edge: edge.clone(),
        platform: platform.clone(),
        method,
        scheme,
        authority,
        target: target.into_owned(),
        fields,
        client,
        extensions,
        trace: Trace::default(),
    };
    answer(Rc::new(exchange), body).await
}

/// The steps of a request that has been let in.
async fn answer<P: Platform>(exchange: Rc<Exchange<P>>, body: BodyOf<P>) -> Response<BodyOf<P>> {
    exchange.trace.note(|| explain::route_step(&exchange));
    let sharing =
        match sharing(&exchange.method, &exchange.fields, body.length() != Some(0), exchange.policy()) {
            Sharing::Shareable | Sharing::WithCredentials(_)
                if exchange.extensions.get::<LostBytes>().is_some() =>
            {
                Sharing::Private(PassReason::LostBytes)
            }
            sharing => sharing,
        };
    exchange.trace.note(|| explain::sharing_step(&exchange, &sharing));
    match sharing {
        Sharing::Private(reason) => {
            let wants_stored = Directives::read(&exchange.fields, exchange.policy()).only_if_cached();
            if wants_stored && exchange.method.is_safe() {
                return cached::only_if_cached(&exchange);
            }
            pass::whole(&exchange, body, reason).await
        }
        sharing => cached::answer(&exchange, matches!(sharing, Sharing::WithCredentials(_))).await,
    }
}

/// The normalised target and authority of a request that is not refused.
fn admit<'a>(
    edge: &Edge,
    scheme: Scheme,
    authority: &str,
    target: &'a str,
    fields: &HeaderMap,
) -> Result<(Target<'a>, String), Problem> {
    guard::check_size(&edge.config, target, fields)?;
    let target = Target::normalise(target).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-target",
            "The request target cannot be read",
            error.to_string(),
        )
    })?;
    let authority = guard::check_host(&edge.config, scheme, authority)?;
    guard::check_loop(&edge.identity, fields)?;
    Ok((target, authority))
}

/// Removes what `Connection` names, before anything looks at the fields: what is not forwarded is neither keyed nor decided
/// on. An upgrade is still to be seen.
fn remove_named_by_connection(fields: &mut HeaderMap) {
    let kept = [header::CONNECTION, header::UPGRADE]
        .map(|name| fields.get(&name).cloned().map(|value| (name, value)));
    if kept[0].is_some() {
        connection::strip(fields);
        fields.extend(kept.into_iter().flatten());
    }
}

/// One request under way, with what the steps before have found out. It may outlive its client.
struct Exchange<P> {
    edge: Arc<Edge>,
    platform: P,
    route: RouteId,
    method: Method,
    scheme: Scheme,
    /// Normalised.
    authority: String,
    /// Normalised.
    target: Target<'static>,
    /// As the client sent them, but for what `Connection` names.
    fields: HeaderMap,
    client: Option<IpAddr>,
    extensions: Extensions,
    trace: Trace,
}

impl<P: Platform> Exchange<P> {
    fn policy(&self) -> &Policy {
        self.route.policy(&self.edge.config)
    }

    fn hop(&self) -> Hop<'_> {
        Hop {
            scheme: self.scheme,
            authority: &self.authority,
            client: self.client,
            trusted: self.extensions.get::<TrustedPeer>().is_some(),
            identity: &self.edge.identity,
        }
    }

    fn upstream(&self) -> Upstream<'_, P> {
        Upstream {
            edge: &self.edge,
            platform: &self.platform,
            policy: self.policy(),
            authority: &self.authority,
            client: self.client,
        }
    }

    /// The edge's own answer where no origin gave one.
    fn origin_failed(&self, error: &OriginError, report: Report) -> Response<BodyOf<P>> {
        let problem = Problem::from_origin(error, self.platform.random());
        self.problem(&problem, Report { outcome: Outcome::Error, ..report })
    }

    fn problem(&self, problem: &Problem, report: Report) -> Response<BodyOf<P>> {
        answer_problem(&self.edge, &self.fields, problem, report)
    }
}

/// Asks the handler behind the cache, and counts.
async fn ask_origin<P: Platform>(
    exchange: &Exchange<P>,
    method: Method,
    target: &str,
    fields: HeaderMap,
    extensions: Extensions,
    body: BodyOf<P>,
) -> Result<Response<BodyOf<P>>, OriginError> {
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.headers_mut() = fields;
    *request.extensions_mut() = extensions;
    let uri = http::uri::PathAndQuery::try_from(target).map(http::Uri::from);
    *request.uri_mut() =
        uri.map_err(|error| FetchError::Internal(format!("the target `{target}` is no URI: {error}")))?;
    let answer = exchange.platform.origin(request, &exchange.upstream()).await;
    let is_clients = matches!(answer, Err(OriginError::Fetch(FetchError::Client(_))));
    exchange.edge.counters.origin_asked(answer.is_ok() || is_clients);
    answer
}

fn respond<B: Body>(edge: &Edge, answer: Answer, report: &Report) -> Response<B> {
    let body = if answer.body.is_empty() { B::empty() } else { B::full(answer.body) };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.fields;
    finish(edge, response, report)
}

fn answer_problem<B: Body>(
    edge: &Edge,
    request: &HeaderMap,
    problem: &Problem,
    report: Report,
) -> Response<B> {
    respond(edge, problem.answer(request), &Report { detail: Some(problem.code), ..report })
}

/// The last step of every answer.
fn finish<B>(edge: &Edge, mut response: Response<B>, report: &Report) -> Response<B> {
    edge.counters.answered(report);
    report.write(response.headers_mut());
    response
}
