//! The outermost layer: whatever a route did, the response leaves with a readable error body,
//! caching fields, a validator and the security fields.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;

use super::{Problem, conditional, reply, security};
use crate::cache_policy::CacheAs;
use crate::pages;

pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let for_program = wants_json(request.uri().path());
    let if_none_match = conditional::condition(&request);
    let response = next.run(request).await;
    let mut response = explain(response, for_program).await;
    let cache = response.extensions_mut().remove::<CacheAs>().unwrap_or_else(CacheAs::failure);
    cache.write(response.headers_mut());
    security::write(response.headers_mut());
    conditional::answer(response, &cache, if_none_match.as_ref()).await
}

/// Programs ask below these paths, people everywhere else. By path and not by `Accept`,
/// so that no answer varies.
fn wants_json(path: &str) -> bool {
    ["/api", "/data", "/healthz", "/readyz"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Gives every error its body, also those that the router and its extractors make by themselves.
async fn explain(mut response: Response, for_program: bool) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(&response) => unnamed(status, &mut response).await,
        None => return response,
    };
    let cache = if problem.shareable { CacheAs::absent() } else { CacheAs::failure() };
    let mut page = if for_program {
        let bytes = problem.to_json().to_string();
        reply::body(status, cache, "application/problem+json", bytes)
    } else {
        pages::error::show(status, cache, &problem)
    };
    // What the router said beside the body (`Allow`) stays.
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            page.headers_mut().insert(name, value.clone());
        }
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        // What makes us say so passes within a second or never.
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    page
}

fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && response.extensions().get::<CacheAs>().is_none()
}

/// An error that no route of ours made: its text says what was wrong.
async fn unnamed(status: StatusCode, response: &mut Response) -> Problem {
    let body = std::mem::replace(response.body_mut(), Body::empty());
    let text = match body.collect().await {
        Ok(collected) => String::from_utf8_lossy(&collected.to_bytes()).into_owned(),
        Err(_) => String::new(),
    };
    let kind = match status {
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "wrong-media-type",
        _ if status.is_server_error() => "internal",
        _ => "invalid-request",
    };
    let detail = if text.is_empty() { status.canonical_reason().unwrap_or("Error").to_owned() } else { text };
    Problem::new(status, kind, detail)
}
