//! A response on its way to a client: what its head may say of its body.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use levee::body::Body as _;

use super::gate::Signals;
use super::places::Busy;
use crate::body::{Body, BodyError};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Leaves nothing in the head that a handler or an origin has said about framing: hyper makes it anew, from the body that is
/// sent (RFC 9112, section 6). A response that has no body by its status has none (RFC 9110, section 15).
pub(super) fn frame(method: &Method, response: &mut Response<Body>) {
    let status = response.status();
    let fields = response.headers_mut();
    fields.remove(TRANSFER_ENCODING);
    fields.remove(KEEP_ALIVE);
    if status != StatusCode::SWITCHING_PROTOCOLS {
        fields.remove(CONNECTION);
        fields.remove(UPGRADE);
    }
    if status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        fields.remove(CONTENT_LENGTH);
        *response.body_mut() = Body::empty();
    } else if *method == Method::HEAD {
        // The length of what GET would bring, where it is known.
        let length = single_length(fields);
        fields.remove(CONTENT_LENGTH);
        let length = length.or(response.body().length().filter(|length| *length > 0));
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = Body::empty();
    } else {
        fields.remove(CONTENT_LENGTH);
    }
}

fn single_length(fields: &HeaderMap) -> Option<u64> {
    let mut lengths = fields.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next()?.to_str().ok()?;
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && lengths.next().is_none()).then(|| length.parse().ok())?
}

/// Says that the connection ends with this response (RFC 9112, section 9.6).
pub(super) fn close(fields: &mut HeaderMap) {
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
}

/// Smaller data may be a small part of the buffer that it was read into, all of which it keeps while it waits for a client.
const SMALL: usize = 32 << 10;

/// The same bytes, which keep nothing else in memory.
pub(super) fn compact(data: Bytes) -> Bytes {
    if data.len() < SMALL { Bytes::copy_from_slice(&data) } else { data }
}

/// A response's body, and the request that is done with once it has gone.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    way: Option<(Arc<Signals>, Busy)>,
}

impl Answer {
    /// One that is there as a whole.
    pub(super) fn at_once(body: Body) -> Self {
        Self { body, way: None }
    }

    /// One that is read as its client reads.
    pub(super) fn new(body: Body, signals: Arc<Signals>, busy: Busy) -> Self {
        Self { body, way: Some((signals, busy)) }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // As long as there is something that the client does not take, nothing more is taken from the origin.
        if let Some((signals, _)) = &self.way
            && signals.poll_writable(cx).is_pending()
        {
            return Poll::Pending;
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if self.way.is_none() {
            return frame;
        }
        frame.map_ok(|frame| frame.map_data(compact))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(
        method: Method,
        status: u16,
        fields: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> Response<Body> {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in fields {
            response.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        frame(&method, &mut response);
        response
    }

    #[test]
    fn nothing_of_another_framing_is_left() {
        let said = [
            ("content-length", "3"),
            ("transfer-encoding", "chunked"),
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "h2c"),
            ("etag", "\"1\""),
        ];
        for status in [200, 204, 304, 404] {
            let response = framed(Method::GET, status, &said, "hello");
            assert_eq!(response.headers().keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["etag"]);
            let length = if matches!(status, 204 | 304) { 0 } else { 5 };
            assert_eq!(response.body().length(), Some(length), "{status}");
        }
    }

    #[test]
    fn head_says_how_long_the_body_would_be() {
        for (said, body, length) in [
            (&[("content-length", "7")][..], "", Some("7")),
            (&[], "", None),
            (&[], "hello", Some("5")),
            (&[("content-length", "7"), ("content-length", "8")], "", None),
            (&[("content-length", "+7")], "", None),
        ] {
            let response = framed(Method::HEAD, 200, said, body);
            let got = response.headers().get(CONTENT_LENGTH).map(|length| length.to_str().unwrap());
            assert_eq!((got, response.body().length()), (length, Some(0)), "{said:?}");
        }
    }
}
