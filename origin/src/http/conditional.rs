//! Validators and conditional requests (RFC 9110, sections 8.8.3 and 13.1.2), for every answer that has a tag.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use super::hex;
use crate::cache_policy::CacheAs;

/// The request's `If-None-Match`, where the method lets it count. Several field lines are one list.
pub(super) fn condition(request: &Request) -> Option<String> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let lines: Vec<&str> = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// Adds the `ETag` to a 200, made from its bytes unless the policy brings one, and turns it into a 304
/// where the client has these bytes already.
pub(super) async fn answer(response: Response, cache: &CacheAs, condition: Option<&String>) -> Response {
    if response.status() != StatusCode::OK || !cache.has_validator() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // All our bodies are in memory already; collecting them copies nothing.
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            tracing::error!("a body could not be read: {error}");
            return Response::from_parts(parts, Body::empty());
        }
    };
    let tag = cache.etag().map_or_else(|| strong(&bytes), str::to_owned);
    let known = condition.is_some_and(|list| matches(list, &tag));
    if let Ok(value) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if !known {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

fn strong(bytes: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(bytes).as_slice()[..12]))
}

/// Weak comparison, which `If-None-Match` asks for: `W/` does not count.
fn matches(list: &str, tag: &str) -> bool {
    let opaque = tag.trim_start_matches("W/");
    list.split(',').map(str::trim).any(|member| member == "*" || member.trim_start_matches("W/") == opaque)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn comparison_is_weak_and_knows_lists() {
        assert!(matches("\"a\"", "\"a\""));
        assert!(matches("W/\"a\"", "\"a\""));
        assert!(matches("\"a\"", "W/\"a\""));
        assert!(matches("\"x\", W/\"a\"", "\"a\""));
        assert!(matches("*", "\"a\""));
        assert!(!matches("\"ab\"", "\"a\""));
        assert!(!matches("a", "\"a\""));
    }
}
