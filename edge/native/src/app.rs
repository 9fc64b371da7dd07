//! The door for one's own handler behind the cache.

#![allow(async_fn_in_trait, reason = "a handler runs on one thread: no `Send` is asked for, on purpose")]

use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use levee::origin::{OriginError, Upstream};

use crate::body::Body;
use crate::platform::Native;

/// What a handler fails with: anything that is an error.
pub type Error = Box<dyn std::error::Error>;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A handler behind the cache: it runs on a miss, once a key, and what it answers is cached by the same rules as
/// an origin's answer.
///
/// ```
/// # use levee_native::{App, Body, Context, Result};
/// # use http::{Request, Response};
/// struct Shop;
///
/// impl App for Shop {
///     async fn origin(&self, request: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
///         match request.uri().path() {
///             "/api/price" => Ok(Response::builder()
///                 .header("cache-control", "max-age=10")
///                 .body("12.50".into())?),
///             _ => cx.forward(request).await, // [origins]
///         }
///     }
/// }
/// ```
pub trait App: Send + Sync + 'static {
    /// Answers `request`, whose URI holds path and query. Left as it is, it forwards to `[origins]`.
    async fn origin(&self, request: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
        cx.forward(request).await
    }
}

/// No handler: everything comes from `[origins]`.
#[derive(Clone, Copy, Debug)]
pub struct Forward;

impl App for Forward {}

/// What a handler can reach while it answers one request.
pub struct Context<'a> {
    upstream: &'a dyn Upward,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new<A: App>(upstream: &'a Upstream<'_, Native<A>>) -> Self {
        Self { upstream }
    }

    /// Sends `request` to an origin of its route. Hand the error on where there is nothing better to say: the
    /// edge then knows what failed, and whether a stale answer may stand in.
    pub async fn forward(&self, request: Request<Body>) -> Result<Response<Body>> {
        Ok(self.upstream.forward(request).await?)
    }
}

type Forwarded<'a> = Pin<Box<dyn Future<Output = Result<Response<Body>, OriginError>> + 'a>>;

/// [`Upstream`] without its type parameter, so that handlers need not name the platform.
trait Upward {
    fn forward(&self, request: Request<Body>) -> Forwarded<'_>;
}

impl<A: App> Upward for Upstream<'_, Native<A>> {
    fn forward(&self, request: Request<Body>) -> Forwarded<'_> {
        Box::pin(Upstream::forward(self, request))
    }
}

/// Keeps what [`Context::forward`] said; everything else is the handler's failure.
pub(crate) fn origin_error(error: Error) -> OriginError {
    match error.downcast::<OriginError>() {
        Ok(error) => *error,
        Err(error) => OriginError::Handler(error.to_string()),
    }
}
