//! Spin as the pipeline sees it, from one instance.

use std::rc::Rc;
use std::time::SystemTime;

use http::{Request, Response};
use levee::Time;
use levee::origin::{OriginError, Upstream};
use levee::platform::{Clock, Fetch, FetchError, FetchOptions, Lease, Platform, Spawn};
use levee::shield::redis::RedisLease;

use crate::app::Hooks;
use crate::body::Body;
use crate::context::Context;
use crate::kv::KvStore;
use crate::redis::SpinRedis;
use crate::{fetch, task};

/// The instance's view of the platform. The same for all its requests.
#[derive(Clone, Debug)]
pub(crate) struct Spin(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    hooks: Hooks,
    kv: Option<KvStore>,
    lease: Option<RedisLease<SpinRedis>>,
}

impl Spin {
    pub(crate) fn new(hooks: Hooks, kv: Option<KvStore>, redis: Option<SpinRedis>) -> Self {
        Self(Rc::new(Inner { hooks, kv, lease: redis.map(RedisLease) }))
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// Sixty-four random bits.
pub(crate) fn random() -> u64 {
    spin_sdk::wasip3::random::insecure::get_insecure_random_u64()
}

impl Clock for Spin {
    /// Asked of the host once while the processor works on a request, and then again after what it has waited for.
    fn now(&self) -> Time {
        task::while_it_works(now)
    }

    fn random(&self) -> u64 {
        random()
    }
}

impl Fetch for Spin {
    type Body = Body;

    async fn fetch(
        &self,
        request: Request<Body>,
        options: FetchOptions,
    ) -> Result<Response<Body>, FetchError> {
        fetch::fetch(request, options.deadlines).await
    }
}

impl Spawn for Spin {
    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        task::spawn(work);
    }
}

impl Platform for Spin {
    type Store = KvStore;

    /// An instance is one store of one thread, and one request of it may wake another. Where a client goes away its
    /// request's work goes on.
    const COLLAPSES: bool = true;

    async fn wait<T>(&self, other: impl Future<Output = T>) -> Option<T> {
        Some(task::woken_by_others(other).await)
    }

    fn stores(&self) -> &[KvStore] {
        self.0.kv.as_slice()
    }

    fn lease(&self) -> Option<impl Lease> {
        self.0.lease.clone()
    }

    async fn origin(
        &self,
        request: Request<Body>,
        upstream: &Upstream<'_, Self>,
    ) -> Result<Response<Body>, OriginError> {
        let context = Context { upstream, platform: self };
        Ok((self.0.hooks.origin)(request, &context).await?)
    }
}
