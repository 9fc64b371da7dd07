//! Workers as the pipeline sees it, from one request.

use std::rc::Rc;

use http::{Request, Response};
use levee::Time;
use levee::origin::{OriginError, Upstream};
use levee::platform::{Clock, Fetch, FetchError, FetchOptions, Platform, Spawn};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;

use crate::app::Hooks;
use crate::body::Body;
use crate::context::Context;
use crate::host::Host;
use crate::stores::AnyStore;
use crate::{Env, fetch, stores, waiting};

/// One request's view of the platform.
#[derive(Clone, Debug)]
pub(crate) struct Workers(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    hooks: Hooks,
    env: Env,
    /// The `ExecutionContext`.
    context: JsValue,
    /// Near to far.
    stores: Vec<AnyStore>,
}

impl Workers {
    /// `place`: of the request's host in the data centre's cache.
    pub(crate) fn new(host: Host, hooks: Hooks, env: Env, context: JsValue, place: Option<String>) -> Self {
        let stores = stores::all(&host, &env, place);
        Self(Rc::new(Inner { host, hooks, env, context, stores }))
    }

    pub(crate) fn env(&self) -> &Env {
        &self.0.env
    }

    pub(crate) fn host(&self) -> &Host {
        &self.0.host
    }
}

impl Clock for Workers {
    fn now(&self) -> Time {
        now()
    }

    fn random(&self) -> u64 {
        self.0.host.random()
    }
}

impl Fetch for Workers {
    type Body = Body;

    async fn fetch(
        &self,
        request: Request<Body>,
        options: FetchOptions,
    ) -> Result<Response<Body>, FetchError> {
        fetch::fetch(&self.0.host, request, options.deadlines).await
    }
}

impl Spawn for Workers {
    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        let promise = future_to_promise(async move {
            work.await;
            Ok(JsValue::UNDEFINED)
        });
        self.0.host.wait_until(&self.0.context, &promise);
    }
}

impl Platform for Workers {
    type Store = AnyStore;

    /// In one isolate, by looks and not by a promise: see [`waiting::for_another`].
    const COLLAPSES: bool = true;

    async fn wait<T>(&self, other: impl Future<Output = T>) -> Option<T> {
        waiting::for_another(&self.0.host, other).await
    }

    fn stores(&self) -> &[AnyStore] {
        &self.0.stores
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

pub(crate) fn now() -> Time {
    Time::from_millis(js_sys::Date::now() as u64)
}
