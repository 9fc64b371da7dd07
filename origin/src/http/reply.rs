//! Answers that went well.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::Problem;
use crate::cache_policy::CacheAs;

/// A JSON document that may be cached as `cache` says.
pub(crate) fn json(status: StatusCode, cache: CacheAs, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => body(status, cache, "application/json", bytes),
        Err(error) => broken(&error),
    }
}

/// A page that may be cached as `cache` says.
pub(crate) fn html(status: StatusCode, cache: CacheAs, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => body(status, cache, "text/html; charset=utf-8", text),
        Err(error) => broken(&error),
    }
}

/// Any bytes of a known media type.
pub(crate) fn body(
    status: StatusCode,
    cache: CacheAs,
    media_type: &'static str,
    bytes: impl Into<Body>,
) -> Response {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.extensions_mut().insert(cache);
    response
}

fn broken(error: &dyn std::error::Error) -> Response {
    tracing::error!("an answer could not be written: {error}");
    let detail = "Something went wrong here. Please try again.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
}
