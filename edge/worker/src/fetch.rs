//! Exchanges with an origin.

use http::header::{CONTENT_LENGTH, SERVER, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use levee::platform::{Deadlines, FetchError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;

use crate::body::Body;
use crate::fields;
use crate::host::{Answer, Host, message};

/// In a request's extensions: the client asks for a WebSocket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WebSocketUpgrade;

pub(crate) async fn fetch(
    host: &Host,
    request: Request<Body>,
    deadlines: Deadlines,
) -> Result<Response<Body>, FetchError> {
    let (mut head, body) = request.into_parts();
    if head.extensions.get::<WebSocketUpgrade>().is_some() {
        // The runtime makes the handshake; this field is how it is told.
        head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    let (body, length) = body.into_platform();
    let answer = host
        .ask(
            head.method.as_str(),
            &head.uri.to_string(),
            &fields::write(&head.headers),
            &body,
            length.map(|length| length as f64),
            deadlines.connect.as_millis() as f64,
            deadlines.first_byte.as_millis() as f64,
        )
        .await
        .map_err(|thrown| FetchError::Internal(message(&thrown)))?;
    let answer: Answer = answer.unchecked_into();
    if let Some(error) = answer.error() {
        return Err(if answer.late() { FetchError::ResponseTimeout } else { named(error) });
    }
    let text = answer.head();
    let (status, lines) = text.split_once('\n').unwrap_or_default();
    let status = match status.parse::<StatusCode>() {
        Ok(code) if code.as_u16() < 600 => code,
        // The platform has no response with such a status.
        _ => {
            discard(answer.answer_body());
            return Err(FetchError::Protocol(format!("its status is {status}")));
        }
    };
    let fields = fields::parse(lines);
    if let Some(error) = cloudflare_error(status, &fields) {
        discard(answer.answer_body());
        return Err(error);
    }
    let mut response = Response::new(received(answer.answer_body(), &fields));
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Ok(response)
}

/// The body of a response from the platform.
fn received(body: JsValue, fields: &HeaderMap) -> Body {
    if body.is_null() || body.is_undefined() {
        return Body::default();
    }
    match body.dyn_into::<ReadableStream>() {
        Ok(stream) => {
            let length = fields.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            Body::from_platform(stream, length, true)
        }
        Err(response) => Body::from_socket(response),
    }
}

fn discard(body: JsValue) {
    drop(received(body, &HeaderMap::new()));
}

/// The runtime says little, and only in words.
fn named(error: String) -> FetchError {
    let lower = error.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["dns", "resolve", "getaddrinfo", "name or service"]) {
        FetchError::Dns
    } else if says(&["refused"]) {
        FetchError::ConnectionRefused
    } else if says(&["tls", "ssl", "certificate"]) {
        FetchError::Tls(error)
    } else if says(&["timed out", "timeout"]) {
        FetchError::ConnectionTimeout
    } else if says(&["network connection lost", "disconnect", "reset", "closed"]) {
        FetchError::ConnectionTerminated(error)
    } else if says(&["http", "header", "protocol", "parse"]) {
        FetchError::Protocol(error)
    } else if lower.starts_with("internal error") {
        // All that the runtime tells when a name does not resolve or TLS fails; its own log has more.
        FetchError::Internal(format!("the runtime gives no reason but `{error}`; is the origin's URL right?"))
    } else {
        FetchError::Internal(error)
    }
}

/// Deployed, what goes wrong before an origin can answer comes as a response of Cloudflare's own, with a status that
/// nobody else uses (its documentation, "5xx errors").
fn cloudflare_error(status: StatusCode, fields: &HeaderMap) -> Option<FetchError> {
    if fields.get(SERVER).is_none_or(|server| server != "cloudflare") {
        return None;
    }
    Some(match status.as_u16() {
        520 => FetchError::Protocol("unexpected by Cloudflare (520)".to_owned()),
        521 => FetchError::ConnectionRefused,
        522 => FetchError::ConnectionTimeout,
        523 => FetchError::ConnectionTerminated("unreachable for Cloudflare (523)".to_owned()),
        524 => FetchError::ResponseTimeout,
        525 => FetchError::Tls("no handshake with Cloudflare (525)".to_owned()),
        526 => FetchError::Tls("its certificate is not valid for Cloudflare (526)".to_owned()),
        530 => FetchError::Dns,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_runtime_are_named() {
        assert_eq!(named("DNS lookup failed.".into()), FetchError::Dns);
        let lost = "Network connection lost.";
        assert_eq!(named(lost.into()), FetchError::ConnectionTerminated(lost.into()));
        assert_eq!(named("who knows".into()), FetchError::Internal("who knows".into()));
    }

    #[test]
    fn only_cloudflare_itself_answers_for_an_origin_that_is_away() {
        let status = StatusCode::from_u16(521).expect("a status");
        assert_eq!(cloudflare_error(status, &HeaderMap::new()), None);
        let fields = fields::parse("server:cloudflare\n");
        assert_eq!(cloudflare_error(status, &fields), Some(FetchError::ConnectionRefused));
        assert_eq!(cloudflare_error(StatusCode::BAD_GATEWAY, &fields), None);
    }
}
