//! One line a request, so that one can see when the origin was asked, and when not.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::health::Readiness;

pub(crate) async fn request_log(
    State(readiness): State<Readiness>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let mut response = next.run(request).await;
    if readiness.is_draining() {
        // The client's next request belongs to another process.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let duration = started.elapsed();
    tracing::info!(
        %method,
        path,
        status = response.status().as_u16(),
        duration_ms = f64::from(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)) / 1000.0,
        "request"
    );
    response
}
