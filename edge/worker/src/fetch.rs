//! Exchanges with an origin.

use http::header::{CONTENT_LENGTH, ETAG, SERVER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use levee::body::Pace;
use levee::fields::{connection, transfer};
use levee::platform::{Deadlines, FetchError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;

use crate::body::{Body, client_fault, millis};
use crate::fields;
use crate::framing::{self, UnknownCoding};
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
    framing::strip(&mut head.headers);
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
            millis(deadlines.connect),
            millis(deadlines.first_byte),
            millis(deadlines.idle),
            deadlines.rate as f64,
        )
        .await
        .map_err(|thrown| FetchError::Internal(message(&thrown)))?;
    let answer: Answer = answer.unchecked_into();
    if let Some(error) = answer.error() {
        return Err(match answer.fault() {
            Some(fault) => client_fault(&fault, error).into(),
            None if answer.late() => FetchError::ResponseTimeout,
            None => named(error),
        });
    }
    response(&head.method, &answer.head(), received(answer.answer_body(), Pace::of(&deadlines)))
}

/// The response to a request with `method`, out of its status and its fields, a line each.
fn response(method: &Method, head: &str, body: Body) -> Result<Response<Body>, FetchError> {
    let (status, lines) = head.split_once('\n').unwrap_or_default();
    let status = carried(status, &body)?;
    let mut fields = fields::parse(lines);
    if let Some(error) = cloudflare_error(status, &fields) {
        return Err(error);
    }
    if transfer::names_no_coding(&fields) {
        fields.remove(TRANSFER_ENCODING);
    }
    let length = framing::consume(&mut fields).map_err(|UnknownCoding(coding)| {
        FetchError::Protocol(format!("its transfer coding is `{coding}`, which nobody asked for"))
    })?;
    connection::strip(&mut fields);
    if let (Some(length), &Method::HEAD) = (length, method) {
        // Here it frames nothing: it is what a GET would bring.
        fields.insert(CONTENT_LENGTH, length.into());
    }
    // The runtime has put one character in place of different bytes: other representations may have the same tag now.
    if fields.get_all(ETAG).iter().any(fields::has_lost_bytes) {
        fields.remove(ETAG);
    }
    let mut response = Response::new(body.with_length(length));
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Ok(response)
}

/// The status, where the platform has a response for it.
fn carried(status: &str, body: &Body) -> Result<StatusCode, FetchError> {
    let Ok(code) = status.parse::<u16>() else {
        return Err(FetchError::Protocol(format!("its status is {status}")));
    };
    let is_carried = match code {
        101 => body.is_socket(),
        code => (200..600).contains(&code),
    };
    let carried = StatusCode::from_u16(code).ok().filter(|_| is_carried);
    carried.ok_or(FetchError::UnsupportedStatus(code))
}

/// The body of a response from the platform, of a length that is not known yet. Dropped, its connection is free again.
fn received(body: JsValue, pace: Pace) -> Body {
    if body.is_null() || body.is_undefined() {
        return Body::default();
    }
    match body.dyn_into::<ReadableStream>() {
        Ok(stream) => Body::from_platform(stream, None, true, pace),
        Err(response) => Body::from_socket(response),
    }
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

    fn answered(method: Method, head: &str) -> Result<Response<Body>, FetchError> {
        response(&method, head, Body::default())
    }

    #[test]
    fn what_the_platform_cannot_carry_is_named() {
        for status in [101, 600, 999] {
            let answer = answered(Method::GET, &format!("{status}\nx-a:1\n"));
            assert_eq!(answer.map(drop), Err(FetchError::UnsupportedStatus(status)));
        }
        assert_eq!(answered(Method::GET, "599\n").map(|answer| answer.status().as_u16()), Ok(599));
        let coded = answered(Method::GET, "200\ntransfer-encoding:gzip, chunked\n");
        assert!(matches!(coded, Err(FetchError::Protocol(why)) if why.contains("gzip")));
    }

    #[test]
    fn framing_is_consumed_and_a_head_keeps_the_length_of_what_it_describes() {
        let head = "200\ncontent-length:5\nconnection:x-a\nx-a:1\nkeep-alive:5\nx-b:2\n";
        let fields = |method| answered(method, head).map(|answer| fields::write(answer.headers()));
        assert_eq!(fields(Method::GET).as_deref(), Ok("x-b:2\n"));
        assert_eq!(fields(Method::HEAD).as_deref(), Ok("x-b:2\ncontent-length:5\n"));
        let both = answered(Method::HEAD, "200\ncontent-length:5\ntransfer-encoding:chunked\n");
        assert_eq!(both.map(|answer| answer.headers().len()), Ok(0));
    }

    #[test]
    fn a_tag_that_may_be_of_several_representations_is_none() {
        for (head, tags) in [("200\netag:\"a\"\n", 1), ("200\netag:\"\u{fffd}\"\n", 0)] {
            assert_eq!(answered(Method::GET, head).map(|answer| answer.headers().len()), Ok(tags), "{head}");
        }
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
