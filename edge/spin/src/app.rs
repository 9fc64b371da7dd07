//! What a user of this crate writes, and how the rest of the crate holds it.

use std::pin::Pin;

use http::{Request, Response};

use crate::{Body, Config, Context, Result};

/// A component with Levee in front of its own handler.
///
/// A type and not a closure, because the handler must be found again in an instance that has never seen a request.
pub trait App: 'static {
    /// The configuration, usually [`config!`](crate::config). Asked for once an instance.
    fn config() -> Config;

    /// Behind the cache: runs on a miss, once a key, and for all that is not shareable.
    ///
    /// The request's URI is path and query, already normalised. Left as it is, it forwards to `[origins]`.
    ///
    /// # Errors
    /// An error is answered as 502, or by a stale answer where there is one that may be served.
    fn origin(req: Request<Body>, cx: &Context<'_>) -> impl Future<Output = Result<Response<Body>>> {
        async move { cx.forward(req).await }
    }
}

type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// An [`App`] without its type, so that the pipeline is compiled once and not once an app.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hooks {
    pub(crate) config: fn() -> Config,
    pub(crate) origin: OriginHook,
}

type OriginHook = for<'a> fn(Request<Body>, &'a Context<'a>) -> Local<'a, Result<Response<Body>>>;

impl Hooks {
    pub(crate) fn of<A: App>() -> Self {
        Self { config: A::config, origin: |request, context| Box::pin(A::origin(request, context)) }
    }
}
