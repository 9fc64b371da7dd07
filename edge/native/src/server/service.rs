//! From a request to its answer, and the log's line.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::Ready;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::Either;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, UPGRADE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use levee::Edge;
use levee::body::Pace;
use levee::pipeline::shortcuts::{Asked, Shortcuts};

use super::answer::{Answer, close, frame};
use super::gate::{SMALL, Signals};
use super::places::Slot;
use super::{Options, request};
use crate::app::App;
use crate::body::{Body, Intake};
use crate::platform::Native;

/// The log's target of the lines that tell of single requests: `RUST_LOG=levee_native::request=debug`.
const REQUESTS: &str = "levee_native::request";

/// What one connection's requests need, shared by those that are under way.
pub(super) struct Service<A> {
    pub(super) edge: Arc<Edge>,
    /// Of this thread.
    pub(super) shortcuts: Rc<RefCell<Shortcuts>>,
    pub(super) platform: Native<A>,
    pub(super) options: Rc<Options>,
    pub(super) peer: IpAddr,
    /// The server's end of the connection.
    pub(super) local: SocketAddr,
    pub(super) slot: Arc<Slot>,
    pub(super) intake: Arc<Intake>,
}

/// One connection's requests in HTTP/1, one after the other.
pub(super) struct Connected<A> {
    pub(super) service: Rc<Service<A>>,
    signals: Arc<Signals>,
    /// How many there have been.
    count: Cell<u32>,
}

/// An answer that is there at once, or one that the whole pipeline is asked for.
type Answering = Either<
    Ready<Result<Response<Answer>, Infallible>>,
    Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>>>>,
>;

impl<A: App> Connected<A> {
    pub(super) fn new(service: Rc<Service<A>>, signals: Arc<Signals>) -> Self {
        Self { service, signals, count: Cell::new(0) }
    }
}

impl<A: App> hyper::service::Service<Request<Incoming>> for Connected<A> {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let service = &self.service;
        let number = self.count.get().wrapping_add(1);
        self.count.set(number);
        if let Some(fault) = self.signals.refused(number) {
            let mut response = levee::pipeline::refuse(&service.edge, &HeaderMap::new(), &fault.problem());
            frame(&Method::GET, &mut response);
            close(response.headers_mut());
            return Either::Left(std::future::ready(Ok(response.map(Answer::at_once))));
        }
        // The log tells of every request alike, so it goes by the one way.
        if !logs()
            && let Some(response) = service.shortcut(&request)
        {
            self.signals.share(true);
            return Either::Left(std::future::ready(Ok(response.map(Answer::at_once))));
        }
        let (service, signals) = (service.clone(), self.signals.clone());
        let busy = service.slot.busy();
        let mut held = service.slot.held();
        let size = size(request.headers());
        if size > SMALL {
            held.set(size);
        }
        Either::Right(Box::pin(async move {
            let (method, version) = (request.method().clone(), request.version());
            // As the gate sees it: it waits for the answer.
            let may_switch = version == Version::HTTP_11
                && (method == Method::CONNECT || request.headers().contains_key(UPGRADE));
            let mut response = service.answer(request).await;
            drop(held);
            let status = response.status();
            if may_switch {
                let has_switched = status == StatusCode::SWITCHING_PROTOCOLS
                    || method == Method::CONNECT && status.is_success();
                signals.switch(has_switched);
                // A client that takes a tunnel for granted has sent what is for its other end.
                if method == Method::CONNECT && !has_switched {
                    close(response.headers_mut());
                }
            }
            // What comes after a body that is malformed, or does not come, is no request.
            if signals.intake().is_broken() || status == StatusCode::REQUEST_TIMEOUT {
                close(response.headers_mut());
            }
            if version < Version::HTTP_11 && response.body().size_hint().exact().is_none() {
                signals.ends_by_close();
            }
            signals.share(response.body().is_full());
            Ok(response.map(|body| Answer::new(body, signals, busy)))
        }))
    }
}

/// What a request's fields take, in bytes.
pub(super) fn size(fields: &HeaderMap) -> usize {
    fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn logs() -> bool {
    tracing::enabled!(target: REQUESTS, tracing::Level::DEBUG)
}

impl<A: App> Service<A> {
    /// The answer of a memory hit, where there is a short way to it.
    fn shortcut(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        if *request.method() != Method::GET || !request.body().is_end_stream() {
            return None;
        }
        let (authority, target, scheme) = request::line(request, self.peer, &self.options.trusted_proxies)?;
        let asked = Asked { scheme, authority, target, fields: request.headers() };
        let now = crate::platform::now();
        let answered =
            catch_unwind(AssertUnwindSafe(|| self.shortcuts.borrow_mut().answer(&self.edge, &asked, now)));
        let response = match answered {
            Ok(answered) => answered?.map(Body::from),
            Err(_) => {
                tracing::error!("a request panicked");
                panicked()
            }
        };
        self.slot.touch(now);
        self.note_forwarding(request.headers());
        Some(response)
    }

    /// Counts what a client that is no trusted proxy says of another, and warns of the first.
    fn note_forwarding(&self, fields: &HeaderMap) {
        if let Some(field) = request::not_believed(self.peer, &self.options.trusted_proxies, fields)
            && self.edge.forwarding_not_trusted()
        {
            tracing::warn!(
                client = %self.peer,
                %field,
                "a client says whom it speaks for and is no trusted proxy: it is not believed. If it is a proxy of yours, name \
                 it (--trusted-proxy {}); the status page counts such requests, and this is not said again",
                self.peer
            );
        }
    }

    /// The answer by the whole pipeline, as it may be sent.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let method = request.method().clone();
        let mut response =
            if logs() { self.handle_and_log(request).await } else { self.handle(request).await };
        frame(&method, &mut response);
        response
    }

    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        self.note_forwarding(request.headers());
        let came =
            request::Came { peer: self.peer, local: self.local, trusted: &self.options.trusted_proxies };
        let request = request::translate(request, &came, self.pace(), &self.intake);
        let handled = levee::pipeline::handle(&self.edge, &self.platform, request);
        // A panic ends one request; its state goes with it, and what is shared recovers from poisoned locks.
        AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a request panicked");
            panicked()
        })
    }

    /// The slowest that a body may be.
    pub(super) fn pace(&self) -> Pace {
        let limits = &self.edge.config().limits;
        Pace { idle: limits.body_idle, rate: u64::from(limits.body_rate) }
    }

    async fn handle_and_log(&self, request: Request<Incoming>) -> Response<Body> {
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
