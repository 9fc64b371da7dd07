//! The life of a request, as one function.

use std::sync::Arc;

use http::Response;

use crate::edge::Edge;
use crate::platform::{Fetch, Platform};
use crate::request::Request;

type BodyOf<P> = <P as Fetch>::Body;

/// Answers one request. Never fails: what goes wrong becomes an answer.
pub async fn handle<P: Platform>(
    edge: &Arc<Edge>,
    platform: &P,
    request: Request<BodyOf<P>>,
) -> Response<BodyOf<P>> {
    let upstream = crate::origin::Upstream { edge, platform };
    let mut forwarded = http::Request::new(request.body);
    *forwarded.method_mut() = request.method;
    *forwarded.headers_mut() = request.fields;
    *forwarded.extensions_mut() = request.extensions;
    *forwarded.uri_mut() = request.target.parse().unwrap_or_default();
    match platform.origin(forwarded, &upstream).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(crate::body::Body::full(error.to_string().into()));
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}
