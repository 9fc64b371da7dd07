//! From a request to its answer, and the log's line.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use levee::Edge;

use super::{Options, request};
use crate::app::App;
use crate::body::Body;
use crate::platform::Native;

/// The log's target of the lines that tell of single requests: `RUST_LOG=levee_native::request=debug`.
const REQUESTS: &str = "levee_native::request";

/// What one connection's requests need.
pub(super) struct Service<A> {
    pub(super) edge: Arc<Edge>,
    pub(super) platform: Native<A>,
    pub(super) options: Rc<Options>,
    pub(super) peer: IpAddr,
}

impl<A: App> Service<A> {
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if tracing::enabled!(target: REQUESTS, tracing::Level::DEBUG) {
            return Ok(self.answer_and_log(request).await);
        }
        Ok(self.handle(request).await)
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let request = match request::translate(request, self.peer, &self.options.trusted_proxies) {
            Ok(request) => request,
            Err(malformed) => return problem(StatusCode::BAD_REQUEST, &malformed.to_string()),
        };
        let handled = levee::pipeline::handle(&self.edge, &self.platform, request);
        // A panic ends one request; its state goes with it, and what is shared recovers from poisoned locks.
        AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "The edge failed while it worked on this request.")
        })
    }

    async fn answer_and_log(&self, request: Request<Incoming>) -> Response<Body> {
        let start = Instant::now();
        let method = request.method().clone();
        let target = request.uri().clone();
        let response = self.handle(request).await;
        let field = |name| response.headers().get(name).and_then(|value| HeaderValue::to_str(value).ok());
        tracing::debug!(
            target: REQUESTS,
            client = %self.peer,
            %method,
            %target,
            status = response.status().as_u16(),
            micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
            cache = field("cache-status").unwrap_or("-"),
            "request"
        );
        response
    }
}

/// An error of the edge itself (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let text = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{},"detail":"{detail}"}}"#,
        status.as_u16()
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
