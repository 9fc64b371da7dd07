//! Step 7: toward the origin. Which one, with what fields, how often, and what counts as a failure.

mod pool;
mod request;

use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};

pub use request::{Hop, is_forwarded, shared_fields, whole_fields};

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
}

impl<P: Platform> Upstream<'_, P> {
    /// Sends a request whose URI holds path and query to an origin of the route, and returns its response.
    ///
    /// Where an origin cannot be reached the next one is tried, if the request is safe to send again (GET, HEAD or
    /// OPTIONS without a body). A response, whatever its status, is an answer and is not tried again.
    pub async fn forward(
        &self,
        request: Request<<P as Fetch>::Body>,
    ) -> Result<Response<<P as Fetch>::Body>, OriginError> {
        let (parts, body) = request.into_parts();
        let repeatable = parts.method.is_safe() && body.length() == Some(0);
        let mut body = Some(body);
        let mut failed = OriginError::Saturated;
        let (origins, now) = (&self.edge.origins, self.platform.now());
        let is_ill = |index| origins.is_ill(index, repeatable, now);
        for index in pool::order(&self.edge.config, self.policy, self.platform.random(), is_ill) {
            let Some(_permit) = origins.permit(index, self.edge.config.shield.max_inflight) else {
                continue;
            };
            let body = match body.take() {
                Some(body) => body,
                None if repeatable => Body::empty(),
                None => break,
            };
            let mut attempt = Request::new(body);
            *attempt.method_mut() = parts.method.clone();
            *attempt.headers_mut() = parts.headers.clone();
            *attempt.extensions_mut() = parts.extensions.clone();
            self.aim(&mut attempt, index, parts.uri.path_and_query().map_or("/", |target| target.as_str()))?;
            let options = FetchOptions { deadlines: self.deadlines(), fresh_connection: false };
            let fetched = self.platform.fetch(attempt, options).await;
            if !matches!(fetched, Err(FetchError::Internal(_))) {
                origins.asked(index, fetched.is_ok(), self.platform.now());
            }
            match fetched {
                Ok(response) => return Ok(response),
                Err(error) => failed = error.into(),
            }
            if !repeatable {
                break;
            }
        }
        Err(failed)
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

pub(crate) use pool::Origins;
