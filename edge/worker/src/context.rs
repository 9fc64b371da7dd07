//! What a handler behind the cache may use.

use http::{Request, Response};
use levee::origin::Upstream;
use levee::platform::Spawn;

use crate::platform::Workers;
use crate::{Body, Env, Result};

/// The surroundings of one run of [`App::origin`](crate::App::origin).
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) upstream: &'a Upstream<'a, Workers>,
    pub(crate) platform: &'a Workers,
}

impl Context<'_> {
    /// Sends the request to an origin of its route, as `[origins]` and `[shield]` say.
    ///
    /// # Errors
    /// [`Error::Origin`](crate::Error::Origin) when none answers. An answer such as 500 is no error.
    pub async fn forward(&self, req: Request<Body>) -> Result<Response<Body>> {
        Ok(self.upstream.forward(req).await?)
    }

    /// The Worker's bindings: databases, queues, variables, secrets.
    pub fn env(&self) -> &Env {
        self.platform.env()
    }

    /// Runs `work` to its end, also after the response and without the client, as long as the platform allows (30 s).
    pub fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.platform.spawn(work);
    }

    /// The stores behind the memory tier, near to far: for tests of them.
    #[doc(hidden)]
    pub fn stores(&self) -> &[impl levee::platform::Store] {
        levee::platform::Platform::stores(self.platform)
    }
}
