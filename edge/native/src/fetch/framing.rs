//! Where a message to or from an origin ends (RFC 9112, section 6).
//!
//! No framing field passes from one side to the other: a request's are made from its body, a response's are consumed, and
//! what is left of them says no more than what was read.

use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as HttpBody;
use levee::fields::{connection, list, transfer};
use levee::platform::FetchError;

use super::endpoint::Endpoint;
use crate::body::Body;

const KEEP_ALIVE: &str = "keep-alive";

/// Gives a request the form that it has on the wire: the target in origin-form (RFC 9112, section 3.2.1) beside `Host`, and
/// framing. `upgrades`: to a WebSocket, the only protocol that is ever asked for.
pub(super) fn of_request(
    mut request: Request<Body>,
    endpoint: &Endpoint,
    upgrades: bool,
) -> Result<Request<Body>, FetchError> {
    if request.method() == Method::CONNECT {
        return Err(FetchError::Internal("CONNECT asks for a tunnel, not for a response".to_owned()));
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() =
        target.parse().map_err(|_| FetchError::Internal(format!("`{target}` is no target")))?;
    *request.version_mut() = Version::HTTP_11;
    let length = request.body().size_hint().exact();
    let usually_has_a_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let fields = request.headers_mut();
    strip(fields);
    if !fields.contains_key(HOST) {
        let host = HeaderValue::from_str(&endpoint.authority)
            .map_err(|_| FetchError::Internal(format!("`{}` is no host", endpoint.authority)))?;
        fields.insert(HOST, host);
    }
    match length {
        // Said explicitly: hyper leaves out the body of a GET of unknown length.
        None => {
            fields.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        // Such a method says that there is none (RFC 9110, section 8.6); others say nothing.
        Some(0) if !usually_has_a_body => {}
        Some(length) => {
            fields.insert(CONTENT_LENGTH, length.into());
        }
    }
    if upgrades {
        fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    Ok(request)
}

/// Removes all that is said to the next hop alone.
fn strip(fields: &mut HeaderMap) {
    connection::strip(fields);
    fields.remove(CONTENT_LENGTH);
    fields.remove("http2-settings");
    let proxys = |name: &&HeaderName| name.as_str().starts_with("proxy-");
    for name in fields.keys().filter(proxys).cloned().collect::<Vec<_>>() {
        fields.remove(name);
    }
}

/// Whether the connection may be used again after this exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// At most for so long, where the origin says so.
    For(Option<Duration>),
    /// It is not sure where the response ends for the origin, or where the next request would.
    Never,
}

/// Consumes the framing of a response to `method`, whose body hyper has framed by RFC 9112, section 6.3.
///
/// `Content-Length` is left only where it is true: as the size of the body that is read, or of the one that a HEAD asks about.
/// A response whose end is not certain is an error.
pub(super) fn of_response<B: HttpBody>(
    method: &Method,
    response: &mut Response<B>,
) -> Result<Reuse, FetchError> {
    let (status, version) = (response.status(), response.version());
    let size = response.body().size_hint().exact();
    let fields = response.headers_mut();
    let coding = coding(fields);
    let said = content_length(fields);
    let mut reuse = match keep_alive(fields) {
        Some(Duration::ZERO) => Reuse::Never,
        most => Reuse::For(most),
    };
    connection::strip(fields);
    fields.remove(CONTENT_LENGTH);
    // hyper would speak HTTP/1.0 from now on, in which a request's body of unknown length is lost.
    if version == Version::HTTP_10 {
        reuse = Reuse::Never;
    }
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        // It has no body whatever it says, but who says otherwise may send one.
        let doubtful = coding != Ok(Coding::None)
            || said.is_err()
            || status == StatusCode::NO_CONTENT && matches!(said, Ok(Some(1..)));
        return Ok(if doubtful { Reuse::Never } else { reuse });
    }
    let (coding, said) = (coding?, said?);
    if coding != Coding::None && said.is_some() {
        reuse = Reuse::Never;
    }
    let length = match (method, coding) {
        (&Method::HEAD, Coding::None) => said,
        (&Method::HEAD, _) => None,
        _ => size,
    };
    if let Some(length) = length {
        fields.insert(CONTENT_LENGTH, length.into());
    }
    Ok(reuse)
}

/// How a body is delimited by `Transfer-Encoding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// Not by it.
    None,
    Chunked,
    /// By the end of the connection.
    Close,
}

/// Only what is certain to be understood alike by all who read it: `chunked` alone, the `identity` of RFC 2616, or a name that
/// no coding has. Another coding cannot be undone here, and what is coded must not pass for content.
fn coding(fields: &HeaderMap) -> Result<Coding, FetchError> {
    let mut lines = fields.get_all(TRANSFER_ENCODING).iter();
    let Some(first) = lines.next() else { return Ok(Coding::None) };
    if lines.next().is_none() && first.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Ok(Coding::Chunked);
    }
    let mut codings = list::all(fields, "transfer-encoding").peekable();
    if codings.peek().is_some() && codings.all(|coding| coding.eq_ignore_ascii_case("identity")) {
        return Ok(Coding::Close);
    }
    if transfer::names_no_coding(fields) {
        return Ok(Coding::Close);
    }
    Err(FetchError::Protocol("its transfer coding is not `chunked`".to_owned()))
}

/// What `Content-Length` says. One that is repeated is taken for one (RFC 9110, section 8.6).
fn content_length(fields: &HeaderMap) -> Result<Option<u64>, FetchError> {
    let unclear = || FetchError::Protocol("its content-length is no number, or more than one".to_owned());
    let mut length = None;
    for line in fields.get_all(CONTENT_LENGTH) {
        for said in line.to_str().map_err(|_| unclear())?.split(',') {
            let said = said.trim_matches([' ', '\t']);
            if said.is_empty() || !said.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(unclear());
            }
            let said = said.parse().map_err(|_| unclear())?;
            if length.is_some_and(|length| length != said) {
                return Err(unclear());
            }
            length = Some(said);
        }
    }
    Ok(length)
}

/// How long the connection may be used, by `Keep-Alive: timeout=N`: a second less, for the way.
fn keep_alive(fields: &HeaderMap) -> Option<Duration> {
    list::all(fields, KEEP_ALIVE)
        .filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let seconds: u64 = value.trim().trim_matches('"').parse().ok()?;
            match name.trim().to_ascii_lowercase().as_str() {
                "timeout" => Some(Duration::from_secs(seconds.saturating_sub(1))),
                // No further request.
                "max" if seconds == 0 => Some(Duration::ZERO),
                _ => None,
            }
        })
        .min()
}

#[cfg(test)]
mod tests;
