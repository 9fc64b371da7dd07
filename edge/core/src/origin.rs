//! Step 7: toward the origin. Which one, with what fields, how often, and what counts as a failure.

mod permits;
mod pool;
mod request;

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};

pub(crate) use request::{CONDITIONS, is_keyed, is_named};
pub use request::{Hop, is_forwarded, shared_fields, unkeyed, whole_fields};

use crate::body::Body;
use crate::config::{OriginHost, Policy};
use crate::edge::Edge;
use crate::platform::{Deadlines, Fetch, FetchError, FetchOptions, Platform};

/// Why no origin answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// As many requests as `shield.max_inflight` allows are under way to every origin.
    #[error("too many requests are under way to the origin")]
    Saturated,
    /// The last places are kept for other clients than the one that holds so many of them.
    #[error("this client has as many requests under way to the origin as one client may have")]
    ClientShare,
    /// The handler behind the cache failed.
    #[error("the handler failed: {0}")]
    Handler(String),
}

/// The way from the cache to `[origins]`, for one request.
#[derive(Debug)]
pub struct Upstream<'a, P> {
    pub(crate) edge: &'a Arc<Edge>,
    pub(crate) platform: &'a P,
    pub(crate) policy: &'a Policy,
    /// What the client asked for as `Host`.
    pub(crate) authority: &'a str,
    /// On whose behalf it asks.
    pub(crate) client: Option<IpAddr>,
}

impl<P: Platform> Upstream<'_, P> {
    /// Sends a request whose URI holds path and query to an origin of the route, and returns its response.
    ///
    /// A response, whatever its status, is an answer. Where an origin gives none, the request is sent again if that is safe:
    /// to the next origin if it is idempotent or nothing of it was sent, and once to the same one, on a fresh connection, if
    /// it is idempotent and a kept-alive connection was closed under it. What has a body is never sent twice.
    pub async fn forward(
        &self,
        request: Request<<P as Fetch>::Body>,
    ) -> Result<Response<<P as Fetch>::Body>, OriginError> {
        let (parts, body) = request.into_parts();
        let has_body = body.length() != Some(0);
        let (body, is_there) =
            if has_body { body.primed().await.map_err(FetchError::from)? } else { (body, true) };
        let idempotent = parts.method.is_idempotent();
        let mut body = Some(body);
        let mut failed = OriginError::Saturated;
        let (origins, now) = (&self.edge.origins, self.platform.now());
        let is_ill = |index| origins.is_ill(index, idempotent && !has_body, now);
        for index in pool::order(&self.edge.config, self.policy, self.platform.random(), is_ill) {
            let most = self.edge.config.shield.max_inflight;
            let _permit = match origins.permit(index, most, self.client, !is_there) {
                Ok(permit) => permit,
                Err(refused) => {
                    if refused == Refused::Share && failed == OriginError::Saturated {
                        failed = OriginError::ClientShare;
                    }
                    continue;
                }
            };
            let mut fresh_connection = false;
            let error = loop {
                let body = body.take().unwrap_or_else(Body::empty);
                let attempt = self.attempt(&parts, body, index)?;
                let options = FetchOptions { deadlines: self.deadlines(), fresh_connection };
                let fetched = self.platform.fetch(attempt, options).await;
                origins.asked(index, &fetched, idempotent && !has_body, self.platform.now());
                match fetched {
                    Ok(response) => return Ok(response),
                    Err(FetchError::KeptAliveClosed) if idempotent && !has_body && !fresh_connection => {
                        self.edge.counters.origin_retried();
                        fresh_connection = true;
                    }
                    Err(error) => break error,
                }
            };
            let may_go_elsewhere = !has_body && (idempotent || error.is_unsent());
            failed = error.into();
            if !may_go_elsewhere {
                break;
            }
        }
        Err(failed)
    }

    /// One try: the request for an origin.
    fn attempt<B>(
        &self,
        parts: &http::request::Parts,
        body: B,
        index: usize,
    ) -> Result<Request<B>, FetchError> {
        let mut attempt = Request::new(body);
        *attempt.method_mut() = parts.method.clone();
        *attempt.headers_mut() = parts.headers.clone();
        *attempt.extensions_mut() = parts.extensions.clone();
        let target = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        self.aim(&mut attempt, index, target)?;
        Ok(attempt)
    }

    fn deadlines(&self) -> Deadlines {
        let (shield, limits) = (&self.edge.config.shield, &self.edge.config.limits);
        Deadlines {
            connect: shield.connect_timeout,
            first_byte: shield.first_byte_timeout,
            idle: limits.body_idle,
            rate: limits.body_rate.into(),
        }
    }

    /// Gives a request the URI and `Host` of an origin.
    fn aim<B>(&self, request: &mut Request<B>, index: usize, target: &str) -> Result<(), FetchError> {
        let origin = &self.edge.config.origins[index];
        let uri = format!("{}{target}", origin.url.trim_end_matches('/'));
        *request.uri_mut() =
            uri.parse().map_err(|_| FetchError::Internal(format!("`{uri}` is not a URI")))?;
        let host = match origin.host {
            OriginHost::Client => self.authority,
            OriginHost::Origin => request.uri().authority().map_or("", http::uri::Authority::as_str),
        };
        if let Ok(host) = HeaderValue::from_str(host) {
            request.headers_mut().insert(header::HOST, host);
        }
        Ok(())
    }
}

use permits::Refused;
pub(crate) use pool::Origins;
