//! Message bodies on Spin.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::TryStreamExt;
use levee::body::{Body as _, Capture, CaptureError, Room, Tee};

use crate::incoming::Incoming;

/// A body broke off. It is never taken for a body's end: whoever reads it is cut off as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub(crate) String);

/// The body of a request or a response. Trailers are dropped.
#[derive(Debug, Default)]
pub struct Body(pub(crate) Inner);

#[derive(Default)]
pub(crate) enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    /// From the runtime, untouched, and how long it is.
    Incoming(Incoming, Option<u64>),
    Stream(Chunks, Option<u64>),
}

/// A body as the stream that [`levee::body::tee`] splits.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>>>>;

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Incoming(_, length) => write!(f, "Incoming({length:?})"),
            Self::Stream(_, length) => write!(f, "Stream({length:?})"),
        }
    }
}

impl Body {
    /// A body of chunks that are made while it is sent.
    pub fn stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + 'static,
        E: std::fmt::Display,
    {
        Self(Inner::Stream(Box::pin(chunks.map_err(|error| BodyError(error.to_string()))), None))
    }

    pub(crate) fn incoming(body: Incoming, length: Option<u64>) -> Self {
        Self(Inner::Incoming(body, length))
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it breaks off, or is larger than `limit` bytes: an instance has little memory.
    pub async fn bytes(self, limit: u64) -> Result<Bytes, CaptureError> {
        self.collect(limit).await
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
            Inner::Incoming(_, length) | Inner::Stream(_, length) => *length,
        }
    }

    fn tee(self, limit: u64, room: &Arc<Room>) -> (Self, Capture) {
        let (chunks, length) = match self.0 {
            Inner::Empty => return (Self::default(), ready(Ok(Bytes::new()))),
            Inner::Bytes(bytes) => return (Self(Inner::Bytes(bytes.clone())), ready(within(bytes, limit))),
            Inner::Incoming(body, length) => (body.into_stream(length), length),
            Inner::Stream(chunks, length) => (chunks, length),
        };
        let (handed_on, capture) = levee::body::tee(chunks, length, limit, room);
        (Self(Inner::Stream(Box::pin(HandedOn(handed_on)), length)), capture)
    }

    fn cut(self, first: u64, length: u64) -> Self {
        let chunks: Chunks = match self.0 {
            Inner::Empty => Box::pin(futures_util::stream::empty()),
            Inner::Bytes(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes)])),
            Inner::Incoming(body, length) => body.into_stream(length),
            Inner::Stream(chunks, _) => chunks,
        };
        let short = || BodyError("it ended too early".to_owned());
        Self(Inner::Stream(Box::pin(levee::body::cut(chunks, first, length, short)), Some(length)))
    }
}

/// The client's half of a body that is also being captured.
struct HandedOn(Tee<Chunks, BodyError>);

impl Stream for HandedOn {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

fn ready(result: Result<Bytes, CaptureError>) -> Capture {
    Box::pin(std::future::ready(result))
}

fn within(bytes: Bytes, limit: u64) -> Result<Bytes, CaptureError> {
    if bytes.len() as u64 > limit { Err(CaptureError::TooLarge) } else { Ok(bytes) }
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
    use futures_util::StreamExt;
    use levee::testing::block_on;

    use super::*;

    #[test]
    fn bytes_are_captured_up_to_the_limit() {
        let (body, capture) = Body::from("abc").tee(3, &Room::new(0));
        assert_eq!(body.length(), Some(3));
        assert_eq!(block_on(capture), Ok(Bytes::from_static(b"abc")));
        assert_eq!(block_on(Body::from("abc").tee(2, &Room::new(0)).1), Err(CaptureError::TooLarge));
        assert_eq!(block_on(Body::from("abc").bytes(2)), Err(CaptureError::TooLarge));
    }

    #[test]
    fn no_body_is_no_bytes() {
        assert_eq!(Body::from("").length(), Some(0));
        assert_eq!(block_on(Body::empty().tee(0, &Room::new(0)).1), Ok(Bytes::new()));
    }

    #[test]
    fn a_stream_goes_both_ways_and_its_break_too() {
        let chunks = [Ok(Bytes::from_static(b"ab")), Err("reset")];
        let (handed_on, capture) = Body::stream(futures_util::stream::iter(chunks)).tee(9, &Room::new(0));
        assert_eq!(block_on(capture), Err(CaptureError::Broken("reset".into())));
        let Inner::Stream(chunks, None) = handed_on.0 else { panic!("a stream stays one") };
        let read: Vec<_> = block_on(chunks.collect());
        assert_eq!(read, [Ok(Bytes::from_static(b"ab")), Err(BodyError("reset".into()))]);
    }
}
