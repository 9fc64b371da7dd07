//! From a request to its answer, and the log's line.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Ready;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::Either;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use levee::Edge;
use levee::body::Pace;
use levee::pipeline::shortcuts::{Asked, Shortcuts};

use super::{Options, request};
use crate::app::App;
use crate::body::Body;
use crate::platform::Native;

/// The log's target of the lines that tell of single requests: `RUST_LOG=levee_native::request=debug`.
const REQUESTS: &str = "levee_native::request";

/// What one connection's requests need.
pub(super) struct Service<A> {
    pub(super) edge: Arc<Edge>,
    /// Of this thread.
    pub(super) shortcuts: Rc<RefCell<Shortcuts>>,
    pub(super) platform: Native<A>,
    pub(super) options: Rc<Options>,
    pub(super) peer: IpAddr,
}

/// An answer that is there at once, or one that the whole pipeline is asked for.
type Answering = Either<
    Ready<Result<Response<Body>, Infallible>>,
    Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>>>>,
>;

impl<A: App> hyper::service::Service<Request<Incoming>> for Connected<A> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let service = &self.0;
        let logs = tracing::enabled!(target: REQUESTS, tracing::Level::DEBUG);
        // The log tells of every request alike, so it goes by the one way.
        if !logs && let Some(response) = service.shortcut(&request) {
            return Either::Left(std::future::ready(Ok(response)));
        }
        let service = service.clone();
        Either::Right(Box::pin(async move {
            Ok(if logs { service.answer_and_log(request).await } else { service.handle(request).await })
        }))
    }
}

/// What one connection's requests need, shared by those that are under way.
pub(super) struct Connected<A>(pub(super) Rc<Service<A>>);

impl<A: App> Service<A> {
    /// The answer of a memory hit, where there is a short way to it.
    fn shortcut(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        if *request.method() != Method::GET || !request.body().is_end_stream() {
            return None;
        }
        let (authority, target, scheme) = request::line(request, self.peer, &self.options.trusted_proxies)?;
        let asked = Asked { scheme, authority, target, fields: request.headers() };
        let answered = catch_unwind(AssertUnwindSafe(|| {
            self.shortcuts.borrow_mut().answer(&self.edge, &asked, crate::platform::now())
        }));
        match answered {
            Ok(answered) => Some(answered?.map(Body::from)),
            Err(_) => {
                tracing::error!("a request panicked");
                Some(panicked())
            }
        }
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let limits = &self.edge.config().limits;
        let pace = Pace { idle: limits.body_idle, rate: u64::from(limits.body_rate) };
        let request = request::translate(request, self.peer, &self.options.trusted_proxies, pace);
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
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cache-status"), "levee; detail=panic"),
        (HeaderName::from_static("server-timing"), "cache;desc=\"error\""),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
