//! Toward the origin.

use std::sync::Arc;

use http::{Request, Response};

use crate::edge::Edge;
use crate::platform::{Deadlines, Fetch, FetchError, Platform};

/// Why no origin answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The handler behind the cache failed.
    #[error("the handler failed: {0}")]
    Handler(String),
}

/// The way from the cache to `[origins]`, for one request.
#[derive(Debug)]
pub struct Upstream<'a, P> {
    pub(crate) edge: &'a Arc<Edge>,
    pub(crate) platform: &'a P,
}

impl<P: Platform> Upstream<'_, P> {
    /// Sends a request whose URI holds path and query to an origin of the route and returns its response.
    pub async fn forward(
        &self,
        mut request: Request<<P as Fetch>::Body>,
    ) -> Result<Response<<P as Fetch>::Body>, OriginError> {
        let origin = &self.edge.config.origins[0];
        let uri = format!("{}{}", origin.url, request.uri());
        *request.uri_mut() =
            uri.parse().map_err(|_| FetchError::Internal(format!("`{uri}` is not a URI")))?;
        let shield = &self.edge.config.shield;
        let deadlines = Deadlines { connect: shield.connect_timeout, first_byte: shield.first_byte_timeout };
        Ok(self.platform.fetch(request, deadlines).await?)
    }
}
