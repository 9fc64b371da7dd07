//! Exchanges with an origin.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use levee::platform::{Deadlines, FetchError};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self, ErrorCode, RequestOptions};

use crate::body::Body;
use crate::incoming::Incoming;
use crate::outgoing::{Outgoing, Writer};
use crate::{fields, task};

pub(crate) async fn fetch(
    request: Request<Body>,
    deadlines: Deadlines,
) -> Result<Response<Body>, FetchError> {
    let (head, body) = request.into_parts();
    let headers = fields::write(&head.headers).map_err(FetchError::Internal)?;
    let options = RequestOptions::new();
    let is_read = matches!(body.0, crate::body::Inner::Empty | crate::body::Inner::Bytes(_));
    set(&options, RequestOptions::set_connect_timeout, deadlines.connect)?;
    // The runtime counts from the connection on: a long upload would be cut off. There the wait is counted here.
    if is_read {
        set(&options, RequestOptions::set_first_byte_timeout, deadlines.first_byte)?;
    }
    let Outgoing { contents, ended, writer } = Outgoing::written(body);
    let (outgoing, _sent) = types::Request::new(headers, contents, ended, Some(options));
    aim(&outgoing, &head)?;
    let sending = client::send(outgoing);
    let response = match writer {
        None => sending.await,
        Some(writer) if is_read => {
            let (response, left) = task::first_of(sending, writer).await;
            left.into_iter().for_each(task::spawn);
            response
        }
        Some(writer) => upload(sending, writer, deadlines.first_byte).await?,
    };
    received(&head.method, response.map_err(named)?)
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

/// Sends a body that comes by and by; once all of it is sent the origin has `first_byte` left.
async fn upload<T>(
    sending: impl Future<Output = T>,
    mut writer: Writer,
    first_byte: Duration,
) -> Result<T, FetchError> {
    let mut sending = pin!(sending);
    let mut uploaded = false;
    let mut waited = pin!(None);
    let response = poll_fn(|cx| {
        if let Poll::Ready(response) = sending.as_mut().poll(cx) {
            return Poll::Ready(Ok(response));
        }
        if !uploaded && writer.as_mut().poll(cx).is_ready() {
            uploaded = true;
            waited.set(Some(spin_sdk::time::sleep(first_byte)));
        }
        match waited.as_mut().as_pin_mut() {
            Some(wait) => wait.poll(cx).map(|()| Err(FetchError::ResponseTimeout)),
            None => Poll::Pending,
        }
    })
    .await;
    if !uploaded && response.is_ok() {
        // An origin may answer before it has read everything.
        task::spawn(writer);
    }
    response
}

fn received(method: &Method, response: types::Response) -> Result<Response<Body>, FetchError> {
    let status = response.get_status_code();
    let status =
        StatusCode::from_u16(status).map_err(|_| FetchError::Protocol(format!("its status is {status}")))?;
    let fields = fields::read(&response.get_headers(), |_, _| false);
    let body = if *method == Method::HEAD || is_bodiless(status) {
        Body::default()
    } else {
        let length = fields.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
        match length {
            Some(0) => Body::default(),
            _ => Body::incoming(Incoming::of_response(response), length),
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    Ok(response)
}

/// Such a response has no body, whatever its fields say (RFC 9110, section 6.4.1).
pub(crate) fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

fn named(error: ErrorCode) -> FetchError {
    use ErrorCode as Code;
    match error {
        Code::DnsTimeout | Code::DnsError(_) | Code::DestinationNotFound => FetchError::Dns,
        Code::ConnectionRefused => FetchError::ConnectionRefused,
        Code::ConnectionTimeout => FetchError::ConnectionTimeout,
        // The deadline of the first byte is reported as one of reading.
        Code::ConnectionReadTimeout | Code::HttpResponseTimeout => FetchError::ResponseTimeout,
        Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionTerminated
        | Code::ConnectionWriteTimeout
        | Code::ConnectionLimitReached => FetchError::ConnectionTerminated(error.to_string()),
        Code::TlsProtocolError | Code::TlsCertificateError | Code::TlsAlertReceived(_) => {
            FetchError::Tls(error.to_string())
        }
        Code::HttpProtocolError
        | Code::HttpResponseIncomplete
        | Code::HttpResponseHeaderSectionSize(_)
        | Code::HttpResponseHeaderSize(_)
        | Code::HttpResponseBodySize(_)
        | Code::HttpResponseTrailerSectionSize(_)
        | Code::HttpResponseTrailerSize(_)
        | Code::HttpResponseTransferCoding(_)
        | Code::HttpResponseContentCoding(_)
        | Code::HttpUpgradeFailed => FetchError::Protocol(error.to_string()),
        Code::HttpRequestDenied | Code::DestinationIpProhibited => FetchError::Internal(
            "the runtime forbids it: the origin is not among `allowed_outbound_hosts` in spin.toml"
                .to_owned(),
        ),
        other => FetchError::Internal(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runtime_reports_is_named() {
        assert_eq!(named(ErrorCode::ConnectionRefused), FetchError::ConnectionRefused);
        assert_eq!(named(ErrorCode::ConnectionReadTimeout), FetchError::ResponseTimeout);
        assert_eq!(named(ErrorCode::DestinationNotFound), FetchError::Dns);
        let FetchError::Internal(why) = named(ErrorCode::HttpRequestDenied) else {
            panic!("it is the edge's own fault")
        };
        assert!(why.contains("allowed_outbound_hosts"), "{why}");
    }

    #[test]
    fn methods_stay_the_tokens_that_they_are() {
        assert!(matches!(method(&Method::GET), types::Method::Get));
        let token = Method::from_bytes(b"get").expect("a token");
        assert!(matches!(method(&token), types::Method::Other(other) if other == "get"));
    }
}
