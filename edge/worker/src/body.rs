//! Message bodies on Workers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use js_sys::Uint8Array;
use levee::body::{Body as _, Capture, CaptureError, Pace, Room};
use levee::config::Limits;
use levee::platform::ClientFault;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStream;

use crate::host::{self, Upload, message};
use crate::isolate;

/// The body of a request or a response: nothing, bytes, or a stream of the platform's that Rust never touches.
#[derive(Debug, Default)]
pub struct Body(Inner);

#[derive(Debug, Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    Stream(Stream),
    Upload(Primed),
    /// A `Response` that holds an accepted WebSocket.
    Socket(JsValue),
}

/// A stream that is given back to the platform if nobody takes it.
#[derive(Debug)]
struct Stream {
    stream: Option<ReadableStream>,
    length: Option<u64>,
    /// Whether an unread stream holds something that others wait for, such as a connection to an origin.
    discard: bool,
    /// How slowly it may come where it is captured.
    pace: Pace,
}

impl Stream {
    fn length(&self) -> Option<f64> {
        self.length.map(|length| length as f64)
    }

    fn idle(&self) -> f64 {
        millis(self.pace.idle)
    }

    fn rate(&self) -> f64 {
        self.pace.rate as f64
    }
}

/// How slowly a body may come that others wait for.
pub(crate) fn pace_of(limits: &Limits) -> Pace {
    Pace { idle: limits.body_idle, rate: limits.body_rate.into() }
}

/// As JavaScript takes times; its timers hold no more than 31 bits.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_millis().min(i32::MAX as u128) as f64
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let (Some(stream), true) = (self.stream.take(), self.discard) {
            isolate::host().discard(&stream);
        }
    }
}

/// A client's body whose first bytes are there. It is given up if nobody takes it.
#[derive(Debug)]
struct Primed {
    upload: Option<Upload>,
    length: Option<u64>,
}

impl Drop for Primed {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload {
            isolate::host().abandon(upload);
        }
    }
}

impl Body {
    /// A stream of bytes. Where the length is known, the runtime announces it and breaks off a body of another length.
    pub fn stream(stream: ReadableStream, length: Option<u64>) -> Self {
        let pace = pace_of(&Limits::default());
        let stream = match length {
            Some(length) => isolate::host().fixed(&stream, length as f64, millis(pace.idle)),
            None => stream,
        };
        Self::from_platform(stream, length, true, pace)
    }

    /// A stream whose length the runtime knows by itself. Captured, it must keep to `pace`.
    pub(crate) fn from_platform(
        stream: ReadableStream,
        length: Option<u64>,
        discard: bool,
        pace: Pace,
    ) -> Self {
        Self(Inner::Stream(Stream { stream: Some(stream), length, discard, pace }))
    }

    /// A `Response` that holds a WebSocket.
    pub(crate) fn from_socket(response: JsValue) -> Self {
        Self(Inner::Socket(response))
    }

    pub(crate) fn is_socket(&self) -> bool {
        matches!(self.0, Inner::Socket(_))
    }

    /// A stream of the platform's, which knows its length by itself.
    pub(crate) fn with_length(mut self, length: Option<u64>) -> Self {
        if let Inner::Stream(stream) = &mut self.0 {
            stream.length = length;
        }
        self
    }

    /// How slowly a stream may come where it is captured.
    pub(crate) fn with_pace(mut self, pace: Pace) -> Self {
        if let Inner::Stream(stream) = &mut self.0 {
            stream.pace = pace;
        }
        self
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it breaks off, or is larger than `limit` bytes: an isolate has 128 MB for everything.
    pub async fn bytes(self, limit: u64) -> Result<Bytes, CaptureError> {
        self.collect(limit).await
    }

    /// What `js/host.mjs` takes as a body: null, a `Uint8Array`, a `ReadableStream`, an `Upload`, or a `Response` with a WebSocket.
    pub(crate) fn into_platform(self) -> (JsValue, Option<u64>) {
        let length = self.length();
        let value = match self.0 {
            Inner::Empty => JsValue::NULL,
            Inner::Bytes(bytes) => Uint8Array::from(&bytes[..]).into(),
            Inner::Stream(mut stream) => stream.stream.take().map_or(JsValue::NULL, Into::into),
            Inner::Upload(mut primed) => primed.upload.take().map_or(JsValue::NULL, Into::into),
            Inner::Socket(response) => response,
        };
        (value, length)
    }
}

impl levee::body::Body for Body {
    fn empty() -> Self {
        Self::default()
    }

    fn full(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Inner::Empty } else { Inner::Bytes(bytes) })
    }

    fn length(&self) -> Option<u64> {
        match &self.0 {
            Inner::Empty => Some(0),
            Inner::Bytes(bytes) => Some(bytes.len() as u64),
            Inner::Stream(stream) => stream.length,
            Inner::Upload(primed) => primed.length,
            Inner::Socket(_) => None,
        }
    }

    async fn primed(self) -> Result<(Self, bool), ClientFault> {
        let Self(Inner::Stream(mut stream)) = self else { return Ok((self, true)) };
        let Some(source) = stream.stream.take() else { return Ok((Self::default(), true)) };
        let primed = isolate::host().prime(&source, stream.length(), stream.idle(), stream.rate()).await;
        let primed: host::Primed = match primed {
            Ok(primed) => primed.unchecked_into(),
            Err(thrown) => return Err(ClientFault::Malformed(message(&thrown))),
        };
        if let Some(fault) = primed.primed_fault() {
            return Err(client_fault(&fault, primed.primed_error().unwrap_or_default()));
        }
        let Some(upload) = primed.upload() else { return Ok((Self::default(), true)) };
        let is_whole = upload.is_whole();
        Ok((Self(Inner::Upload(Primed { upload: Some(upload), length: stream.length })), is_whole))
    }

    fn tee(self, limit: u64, _: &Arc<Room>) -> (Self, Capture) {
        match self.0 {
            Inner::Empty => (Self::default(), ready(Ok(Bytes::new()))),
            Inner::Bytes(bytes) => (Self(Inner::Bytes(bytes.clone())), ready(within(bytes, limit))),
            Inner::Stream(mut stream) => {
                let Some(source) = stream.stream.take() else {
                    return (Self::default(), ready(Ok(Bytes::new())));
                };
                let split =
                    isolate::host().tee(&source, limit as f64, stream.length(), stream.idle(), stream.rate());
                let body = Self::from_platform(split.handed_on(), stream.length, true, stream.pace);
                (body, captured(split.captured()))
            }
            other => (Self(other), ready(Err(not_a_body()))),
        }
    }

    fn cut(self, first: u64, length: u64) -> Self {
        match self.0 {
            Inner::Bytes(bytes) => {
                let end =
                    usize::try_from(first.saturating_add(length)).ok().filter(|end| *end <= bytes.len());
                Self(Inner::Bytes(end.map_or_else(Bytes::new, |end| bytes.slice(first as usize..end))))
            }
            Inner::Stream(mut stream) => match stream.stream.take() {
                Some(source) => {
                    let part = isolate::host().cut(&source, first as f64, length as f64, stream.idle());
                    Self::from_platform(part, Some(length), true, stream.pace)
                }
                None => Self::default(),
            },
            other => Self(other),
        }
    }

    fn collect(self, limit: u64) -> Capture {
        match self.0 {
            Inner::Empty => ready(Ok(Bytes::new())),
            Inner::Bytes(bytes) => ready(within(bytes, limit)),
            Inner::Stream(mut stream) => match stream.stream.take() {
                Some(source) => {
                    let (length, idle, rate) = (stream.length(), stream.idle(), stream.rate());
                    captured(isolate::host().collect(&source, limit as f64, length, idle, rate))
                }
                None => ready(Ok(Bytes::new())),
            },
            Inner::Upload(_) | Inner::Socket(_) => ready(Err(not_a_body())),
        }
    }
}

fn ready(result: Result<Bytes, CaptureError>) -> Capture {
    Box::pin(std::future::ready(result))
}

fn within(bytes: Bytes, limit: u64) -> Result<Bytes, CaptureError> {
    if bytes.len() as u64 > limit { Err(CaptureError::TooLarge) } else { Ok(bytes) }
}

fn not_a_body() -> CaptureError {
    CaptureError::Broken("a WebSocket has no body, and a body that is being sent is no other's".to_owned())
}

/// What a client is at fault for, as `js/upload.mjs` and `js/send.mjs` name it.
pub(crate) fn client_fault(fault: &str, error: String) -> ClientFault {
    match fault {
        "stalled" => ClientFault::Stalled,
        "unsupported" => ClientFault::Unsupported(error),
        _ => ClientFault::Malformed(format!("it broke off, or is not what its framing says ({error})")),
    }
}

/// What `tee` and `collect` of `js/tee.mjs` promise: all bytes, or null past the limit.
fn captured(promise: js_sys::Promise) -> Capture {
    Box::pin(async move {
        match JsFuture::from(promise).await {
            Ok(bytes) => match bytes.dyn_ref::<Uint8Array>() {
                Some(bytes) => Ok(bytes.to_vec().into()),
                None => Err(CaptureError::TooLarge),
            },
            Err(error) => Err(CaptureError::Broken(message(&error))),
        }
    })
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        levee::body::Body::full(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn now(mut capture: Capture) -> Result<Bytes, CaptureError> {
        match capture.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("bytes are there at once"),
        }
    }

    #[test]
    fn bytes_are_captured_up_to_the_limit() {
        let (body, capture) = Body::from("abc").tee(3, &Room::new(0));
        assert_eq!(body.length(), Some(3));
        assert_eq!(now(capture), Ok(Bytes::from_static(b"abc")));
        assert_eq!(now(Body::from("abc").tee(2, &Room::new(0)).1), Err(CaptureError::TooLarge));
        assert_eq!(now(Body::from("abc").collect(2)), Err(CaptureError::TooLarge));
    }

    #[test]
    fn no_body_is_no_bytes() {
        assert_eq!(Body::from("").length(), Some(0));
        assert_eq!(now(Body::empty().tee(0, &Room::new(0)).1), Ok(Bytes::new()));
    }
}
