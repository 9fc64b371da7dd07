//! Message bodies on Spin.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt};
use levee::body::{Body as _, Capture, CaptureError, Pace, Room};
use levee::platform::ClientFault;

use crate::incoming::{HeldTo, Incoming};
use crate::pace::Clock;
use crate::upload;

/// A body broke off. It is never taken for a body's end: whoever reads it is cut off as well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct BodyError(pub(crate) Broken);

/// Whose fault it is, where the body is a request's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// The runtime says so: the sender's.
    #[error("{0}")]
    Runtime(String),
    /// It came more slowly than it may: the sender's.
    #[error("it came too slowly")]
    TooSlow,
    /// The handler's, which made it.
    #[error("{0}")]
    Made(String),
}

impl BodyError {
    pub(crate) fn runtime(why: impl Into<String>) -> Self {
        Self(Broken::Runtime(why.into()))
    }

    pub(crate) fn too_slow() -> Self {
        Self(Broken::TooSlow)
    }
}

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
        Self(Inner::Stream(
            Box::pin(chunks.map_err(|error| BodyError(Broken::Made(error.to_string())))),
            None,
        ))
    }

    pub(crate) fn incoming(body: Incoming, length: Option<u64>) -> Self {
        Self(Inner::Incoming(body, length))
    }

    /// A client's body, held to a pace. One that does not say how long it is may be none: its first chunk is awaited to find out.
    ///
    /// # Errors
    /// When it breaks off before.
    pub(crate) async fn of_client(self, pace: Pace) -> Result<Self, BodyError> {
        let Inner::Incoming(mut body, length) = self.0 else { return Ok(self) };
        body.held_to = HeldTo::Pace(pace);
        if length.is_some() {
            return Ok(Self(Inner::Incoming(body, length)));
        }
        let mut chunks = body.into_stream(None);
        while let Some(first) = chunks.next().await {
            let first = first?;
            if !first.is_empty() {
                return Ok(Self::after(vec![Ok(first)], chunks, None));
            }
        }
        Ok(Self::default())
    }

    /// What of a body has been read, and the rest.
    pub(crate) fn after(read: Vec<Result<Bytes, BodyError>>, rest: Chunks, length: Option<u64>) -> Self {
        Self(Inner::Stream(Box::pin(futures_util::stream::iter(read).chain(rest)), length))
    }

    /// Its chunks, whatever it is, and how many bytes they are where that is known.
    pub(crate) fn into_chunks(self) -> (Chunks, Option<u64>) {
        match self.0 {
            Inner::Empty => (Box::pin(futures_util::stream::empty()), Some(0)),
            Inner::Bytes(bytes) => {
                let length = bytes.len() as u64;
                (Box::pin(futures_util::stream::iter([Ok(bytes)])), Some(length))
            }
            Inner::Incoming(body, length) => (body.into_stream(length), length),
            Inner::Stream(chunks, length) => (chunks, length),
        }
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
        let ((chunks, clock), length) = match self.0 {
            Inner::Empty => return (Self::default(), ready(Ok(Bytes::new()))),
            Inner::Bytes(bytes) => return (Self(Inner::Bytes(bytes.clone())), ready(within(bytes, limit))),
            Inner::Incoming(body, length) => (body.into_captured(length), length),
            Inner::Stream(chunks, length) => ((chunks, Clock::default()), length),
        };
        let (handed_on, capture) = levee::body::tee(chunks, length, limit, room);
        // Dropped with the capture, whether or not it has begun.
        let until_here = clock.until_dropped();
        let capture = async move {
            let captured = capture.await;
            drop(until_here);
            captured
        };
        (Self(Inner::Stream(Box::pin(handed_on), length)), Box::pin(capture))
    }

    async fn primed(self) -> Result<(Self, bool), ClientFault> {
        upload::primed(self).await
    }

    fn cut(self, first: u64, length: u64) -> Self {
        let (chunks, _) = self.into_chunks();
        let short = || BodyError::runtime("it ended too early");
        Self(Inner::Stream(Box::pin(levee::body::cut(chunks, first, length, short)), Some(length)))
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
        assert_eq!(read, [Ok(Bytes::from_static(b"ab")), Err(BodyError(Broken::Made("reset".into())))]);
    }
}
