//! The native platform: what the pipeline asks of a runtime, on tokio.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::{Request, Response};
use levee::Time;
use levee::origin::{OriginError, Upstream};
use levee::platform::{Clock, Fetch, FetchError, FetchOptions, Platform, Spawn};

use crate::app::{App, Context, origin_error};
use crate::body::Body;
use crate::fetch::Client;
use crate::server::Tasks;
use crate::store::SqliteStore;

/// The platform of one thread.
#[derive(Debug)]
pub struct Native<A> {
    inner: Rc<Inner<A>>,
}

#[derive(Debug)]
struct Inner<A> {
    app: Arc<A>,
    stores: Vec<SqliteStore>,
    client: Client,
    tasks: Tasks,
}

impl<A> Clone for Native<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<A> Native<A> {
    pub(crate) fn new(app: Arc<A>, stores: Vec<SqliteStore>, client: Client, tasks: Tasks) -> Self {
        Self { inner: Rc::new(Inner { app, stores, client, tasks }) }
    }
}

/// Milliseconds since the Unix epoch, by the system's clock.
pub(crate) fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

impl<A: App> Clock for Native<A> {
    fn now(&self) -> Time {
        now()
    }

    fn random(&self) -> u64 {
        fastrand::u64(..)
    }
}

impl<A: App> Fetch for Native<A> {
    type Body = Body;

    async fn fetch(
        &self,
        request: Request<Body>,
        options: FetchOptions,
    ) -> Result<Response<Body>, FetchError> {
        self.inner.client.fetch(request, options).await
    }
}

impl<A: App> Spawn for Native<A> {
    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.inner.tasks.spawn(work);
    }

    async fn detached<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        self.inner.tasks.detached(work).await
    }
}

impl<A: App> Platform for Native<A> {
    type Store = SqliteStore;

    const COLLAPSES: bool = true;

    fn stores(&self) -> &[SqliteStore] {
        &self.inner.stores
    }

    async fn origin(
        &self,
        request: Request<Body>,
        upstream: &Upstream<'_, Self>,
    ) -> Result<Response<Body>, OriginError> {
        self.inner.app.origin(request, &Context::new(upstream)).await.map_err(origin_error)
    }
}
