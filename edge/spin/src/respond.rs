//! A request of the runtime, from its arrival to its answer.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use levee::body::Body as _;
use spin_sdk::wasip3::http::types::{self, ErrorCode};

use crate::app::{App, Hooks};
use crate::body::{Body, BodyError, Broken};
use crate::outgoing::Outgoing;
use crate::{fields, framing, instance, pace, request, task};

/// Answers a request.
///
/// # Errors
/// Only what the runtime cannot pass on, which it answers by itself.
#[doc(hidden)]
pub async fn handle<A: App>(incoming: types::Request) -> Result<types::Response, ErrorCode> {
    answer(incoming, Hooks::of::<A>()).await
}

/// Of an answer without a configuration. It is short, and gone before anybody could be slow.
const SHORT: Duration = Duration::from_secs(60);

async fn answer(incoming: types::Request, hooks: Hooks) -> Result<types::Response, ErrorCode> {
    let mut request = match request::read(incoming) {
        Ok(request) => request,
        Err(detail) => {
            return pass_on(false, problem(StatusCode::BAD_REQUEST, detail), SHORT);
        }
    };
    let is_head = request.method == Method::HEAD;
    let (edge, platform) = match instance::edge(hooks).await {
        Ok(ready) => ready,
        Err(detail) => {
            return pass_on(is_head, problem(StatusCode::INTERNAL_SERVER_ERROR, &detail), SHORT);
        }
    };
    let pace = pace::of_clients(&edge.config().limits);
    let response = match request.body.of_client(pace).await {
        Ok(body) => {
            request.body = body;
            task::attentive(levee::pipeline::handle(&edge, &platform, request)).await
        }
        Err(error) => refused(&error),
    };
    pass_on(is_head, response, pace.idle)
}

/// A client's body broke off before anybody wanted it.
fn refused(error: &BodyError) -> Response<Body> {
    let status = match error.0 {
        Broken::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Broken::Runtime(_) | Broken::Made(_) => StatusCode::BAD_REQUEST,
    };
    problem(status, &format!("The request's body cannot be used: {error}."))
}

/// `idle`: how long the client may take for a part.
fn pass_on(is_head: bool, response: Response<Body>, idle: Duration) -> Result<types::Response, ErrorCode> {
    let status = response.status().as_u16();
    made(is_head, response, idle).or_else(|why| {
        // An answer that says why, and not the runtime's empty 500.
        let detail = format!("The response of status {status} cannot be passed on: {why}.");
        eprintln!("levee: {detail}");
        let refused = made(is_head, problem(StatusCode::BAD_GATEWAY, &detail), idle);
        refused.map_err(|why| ErrorCode::InternalError(Some(why)))
    })
}

fn made(is_head: bool, response: Response<Body>, idle: Duration) -> Result<types::Response, String> {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if !framing::is_carried(status) {
        return Err("this runtime carries the statuses 200 to 599".to_owned());
    }
    let length = framing::for_response(is_head, head.status, &head.headers, body.length());
    let headers = fields::write(&head.headers, length)?;
    let outgoing = if is_head || framing::is_bodiless(head.status) {
        Outgoing::nothing()
    } else {
        Outgoing::passed_on(body, idle)
    };
    let (response, _sent) = types::Response::new(headers, outgoing.contents, outgoing.ended);
    if head.status != StatusCode::OK {
        response.set_status_code(status).map_err(|()| "the runtime refuses the status".to_owned())?;
    }
    if let Some(writer) = outgoing.writer {
        task::spawn(async move { drop(writer.await) });
    }
    Ok(response)
}

/// There is no edge that could say it: this does in its form (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let text = format!(
        r#"{{"type":"about:blank","title":"{title}","status":{},"detail":"{}"}}"#,
        status.as_u16(),
        escaped(detail)
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "application/problem+json"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// As a JSON string has it (RFC 8259, section 7).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if (c as u32) < 0x20 => escaped.push_str(&format!("\\u{:04x}", c as u32)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_json_string_whatever_it_says() {
        assert_eq!(escaped("a \"b\"\\\n"), "a \\\"b\\\"\\\\\\u000a");
    }
}
