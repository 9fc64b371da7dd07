//! From a request to its answer, and the log's line.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
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
        let request = request::translate(request, self.peer, &self.options.trusted_proxies);
        let handled = levee::pipeline::handle(&self.edge, &self.platform, request);
        // A panic ends one request; its state goes with it, and what is shared recovers from poisoned locks.
        AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            panicked()
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

/// The pipeline is gone with the request: this says in its form (RFC 9457) what it no longer can.
fn panicked() -> Response<Body> {
    let mut response = Response::new(Body::from(
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"The edge failed."}"#,
    ));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    for (name, value) in [
        (CONTENT_TYPE, "application/problem+json"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cache-status"), "levee; detail=panic"),
        (HeaderName::from_static("server-timing"), "cache;desc=\"error\""),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
