//! The life of a request, as one function: route, guard, key, lookup, decide, shield, origin, store, respond.

mod across;
mod cached;
mod confirm;
mod explain;
mod fill;
pub mod hit;
mod keep;
mod missed;
mod pass;
pub mod shortcuts;

use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Response, StatusCode};

use crate::body::Body;
use crate::config::Policy;
use crate::decide::{PassReason, Sharing, sharing};
use crate::edge::Edge;
use crate::guard;
use crate::key::Key;
use crate::origin::{OriginError, Upstream};
use crate::platform::{Fetch, Platform};
use crate::request::{Request, Scheme};
use crate::respond::problem::Problem;
use crate::respond::{Answer, Outcome, Report, access, add_key, status};
use crate::route::{self, RouteId, Target};

type BodyOf<P> = <P as Fetch>::Body;

/// Answers one request. Never fails: what goes wrong becomes an answer.
pub async fn handle<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    request: Request<BodyOf<P>>,
) -> Response<BodyOf<P>> {
    let Request { method, scheme, authority, target, fields, body, client, extensions } = request;
    let (target, authority) = match admit(edge, scheme, &authority, &target, &fields) {
        Ok(admitted) => admitted,
        Err(problem) => return answer_problem(edge, &fields, &problem, Report::new(Outcome::Error)),
    };
    if guard::is_reserved(target.path()) {
        if target.path() == explain::PATH {
            let asked = explain::Asked { scheme, authority, query: target.query(), fields, client };
            return Box::pin(explain::answer(edge, platform, asked)).await;
        }
        return match status::answer(edge, target.path(), &fields, platform.now()) {
            Ok(answer) => respond(edge, answer, &status::report()),
            Err(problem) => answer_problem(edge, &fields, &problem, Report::new(Outcome::Error)),
        };
    }
    let route = route::find(&edge.config, method.as_str(), target.path());
    let exchange = Exchange { edge, platform, route, method, scheme, authority, fields, client, extensions };
    match sharing(&exchange.method, &exchange.fields, body.length() != Some(0), exchange.policy()) {
        Sharing::Private(reason) => pass::whole(exchange, &target, body, reason).await,
        sharing => {
            let key = Key::new(scheme, &exchange.authority, &target, &exchange.fields, exchange.policy());
            let credentials = matches!(sharing, Sharing::WithCredentials(_));
            let shown =
                access::is_debug(&edge.setup.access, &exchange.fields).then(|| key.as_str().to_owned());
            match cached::answer(&exchange, key, credentials).await {
                Some(mut response) => {
                    if let Some(key) = shown {
                        add_key(response.headers_mut(), &key);
                    }
                    response
                }
                None => pass::whole(exchange, &target, body, PassReason::Credentials).await,
            }
        }
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
    guard::check_loop(fields)?;
    Ok((target, authority))
}

/// One request under way, with what the steps before have found out.
struct Exchange<'a, P> {
    edge: &'a Arc<Edge>,
    platform: &'a P,
    route: RouteId,
    method: Method,
    scheme: Scheme,
    /// Normalised.
    authority: String,
    /// As the client sent them.
    fields: HeaderMap,
    client: Option<std::net::IpAddr>,
    extensions: Extensions,
}

impl<P: Platform> Exchange<'_, P> {
    fn policy(&self) -> &Policy {
        self.route.policy(&self.edge.config)
    }

    fn hop(&self) -> crate::origin::Hop<'_> {
        crate::origin::Hop { scheme: self.scheme, authority: &self.authority, client: self.client }
    }

    /// The edge's own answer where no origin gave one.
    fn origin_failed(&self, error: &OriginError, report: Report) -> Response<BodyOf<P>> {
        let problem = Problem::from_origin(error, self.platform.random());
        answer_problem(self.edge, &self.fields, &problem, Report { outcome: Outcome::Error, ..report })
    }
}

/// Asks the handler behind the cache, and counts.
async fn ask_origin<P: Platform>(
    upstream: &Upstream<'_, P>,
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
    *request.uri_mut() = uri.map_err(|error| {
        crate::platform::FetchError::Internal(format!("the target `{target}` is no URI: {error}"))
    })?;
    let answer = upstream.platform.origin(request, upstream).await;
    upstream.edge.counters.origin_asked(answer.is_ok());
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
