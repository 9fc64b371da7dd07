//! What a handler behind the cache may use.

use http::{Request, Response};
use levee::origin::Upstream;
use levee::platform::Spawn;

use crate::platform::Spin;
use crate::{Body, Error, Result};

/// The surroundings of one run of [`App::origin`](crate::App::origin).
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) upstream: &'a Upstream<'a, Spin>,
    pub(crate) platform: &'a Spin,
}

impl Context<'_> {
    /// Sends the request to an origin of its route, as `[origins]` and `[shield]` say.
    ///
    /// # Errors
    /// [`Error::Origin`] when none answers. An answer such as 500 is no error.
    pub async fn forward(&self, req: Request<Body>) -> Result<Response<Body>> {
        Ok(self.upstream.forward(req).await?)
    }

    /// A variable of the component, as the manifest names it.
    ///
    /// # Errors
    /// [`Error::Variable`] when it is not there or its provider fails.
    pub async fn variable(&self, name: &str) -> Result<String> {
        spin_sdk::variables::get(name)
            .await
            .map_err(|error| Error::Variable { name: name.to_owned(), reason: error.to_string() })
    }

    /// Runs `work` to its end, also after the response and without the client.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.platform.spawn(work);
    }
}
