//! Exchanges with an origin.

use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use levee::body::{Body as _, Pace};
use levee::platform::{Deadlines, FetchError};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self, RequestOptions};

use crate::body::{Body, Inner};
use crate::incoming::Incoming;
use crate::outgoing::Outgoing;
use crate::{faults, fields, framing, upload};

/// One exchange; see [`levee::platform::Fetch::fetch`].
pub(crate) async fn fetch(
    request: Request<Body>,
    deadlines: Deadlines,
) -> Result<Response<Body>, FetchError> {
    let (head, body) = request.into_parts();
    let body = upload::sendable(&head.method, body).await?;
    let length = framing::for_request(&head.method, body.length());
    let headers = fields::write(&head.headers, length).map_err(FetchError::Internal)?;
    let options = RequestOptions::new();
    let is_read = matches!(body.0, Inner::Empty | Inner::Bytes(_));
    set(&options, RequestOptions::set_connect_timeout, deadlines.connect)?;
    set(&options, RequestOptions::set_between_bytes_timeout, deadlines.idle)?;
    // The runtime counts from the connection on: a long upload would be cut off. There the wait is counted here.
    if is_read {
        set(&options, RequestOptions::set_first_byte_timeout, deadlines.first_byte)?;
    }
    let Outgoing { contents, ended, writer } = Outgoing::written(body, deadlines.idle);
    let (outgoing, _sent) = types::Request::new(headers, contents, ended, Some(options));
    aim(&outgoing, &head)?;
    let sending = client::send(outgoing);
    let response = match writer {
        None => sending.await.map_err(faults::of_exchange)?,
        Some(writer) => {
            let first_byte = (!is_read).then_some(deadlines.first_byte);
            upload::send(sending, writer, first_byte).await?
        }
    };
    received(&head.method, response, Pace::of(&deadlines))
}

fn set<E>(
    options: &RequestOptions,
    setter: impl Fn(&RequestOptions, Option<u64>) -> Result<(), E>,
    time: Duration,
) -> Result<(), FetchError> {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    setter(options, Some(nanoseconds))
        .map_err(|_| FetchError::Internal("the runtime knows no such deadline".to_owned()))
}

fn aim(outgoing: &types::Request, head: &http::request::Parts) -> Result<(), FetchError> {
    let refused =
        |what: &str| FetchError::Internal(format!("the runtime refuses the {what} of {}", head.uri));
    let scheme = match head.uri.scheme_str() {
        Some("https") => types::Scheme::Https,
        _ => types::Scheme::Http,
    };
    outgoing.set_method(&method(&head.method)).map_err(|()| refused("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    outgoing.set_authority(authority).map_err(|()| refused("authority"))?;
    let target = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    outgoing.set_path_with_query(target).map_err(|()| refused("target"))
}

fn method(method: &Method) -> types::Method {
    match *method {
        Method::GET => types::Method::Get,
        Method::HEAD => types::Method::Head,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        Method::DELETE => types::Method::Delete,
        Method::CONNECT => types::Method::Connect,
        Method::OPTIONS => types::Method::Options,
        Method::TRACE => types::Method::Trace,
        Method::PATCH => types::Method::Patch,
        _ => types::Method::Other(method.as_str().to_owned()),
    }
}

fn received(method: &Method, response: types::Response, pace: Pace) -> Result<Response<Body>, FetchError> {
    let status = response.get_status_code();
    let status = match StatusCode::from_u16(status) {
        Ok(code) if framing::is_carried(status) => code,
        _ => return Err(FetchError::UnsupportedStatus(status)),
    };
    let mut fields = fields::read(&response.get_headers(), |_, _| false);
    if let Some(coding) = framing::unknown_coding(&fields) {
        return Err(FetchError::Protocol(format!(
            "its transfer coding is `{coding}`, which nobody asked for"
        )));
    }
    let body = match framing::of_response(method, status, &mut fields) {
        Some(0) => Body::default(),
        length => Body::incoming(Incoming::of_response(response, pace), length),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_stay_the_tokens_that_they_are() {
        assert!(matches!(method(&Method::GET), types::Method::Get));
        let token = Method::from_bytes(b"get").expect("a token");
        assert!(matches!(method(&token), types::Method::Other(other) if other == "get"));
    }
}
