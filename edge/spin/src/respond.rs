//! A request of the runtime, from its arrival to its answer.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use spin_sdk::wasip3::http::types::{self, ErrorCode};

use crate::app::{App, Hooks};
use crate::body::Body;
use crate::outgoing::Outgoing;
use crate::{fetch, fields, instance, request, task};

/// Answers a request.
///
/// # Errors
/// Only what the runtime cannot pass on, which it answers by itself.
#[doc(hidden)]
pub async fn handle<A: App>(incoming: types::Request) -> Result<types::Response, ErrorCode> {
    answer(incoming, Hooks::of::<A>()).await
}

async fn answer(incoming: types::Request, hooks: Hooks) -> Result<types::Response, ErrorCode> {
    let request = match request::read(incoming) {
        Ok(request) => request,
        Err(detail) => return pass_on(false, problem(StatusCode::BAD_REQUEST, detail)),
    };
    let head_only = request.method == Method::HEAD;
    let response = match instance::edge(hooks).await {
        Ok((edge, platform)) => task::attentive(levee::pipeline::handle(&edge, &platform, request)).await,
        Err(detail) => problem(StatusCode::INTERNAL_SERVER_ERROR, &detail),
    };
    pass_on(head_only, response)
}

fn pass_on(head_only: bool, response: Response<Body>) -> Result<types::Response, ErrorCode> {
    let (head, body) = response.into_parts();
    let internal = |why: String| ErrorCode::InternalError(Some(why));
    let headers = fields::write(&head.headers)
        .map_err(|why| internal(format!("the answer {} cannot be passed on: {why}", head.status.as_u16())))?;
    let outgoing = if head_only || fetch::is_bodiless(head.status) {
        Outgoing::nothing()
    } else {
        Outgoing::passed_on(body)
    };
    let (response, _sent) = types::Response::new(headers, outgoing.contents, outgoing.ended);
    if head.status != StatusCode::OK {
        let status = head.status.as_u16();
        response.set_status_code(status).map_err(|()| internal(format!("{status} is no status")))?;
    }
    if let Some(writer) = outgoing.writer {
        task::spawn(writer);
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
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
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
