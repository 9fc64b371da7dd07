//! The body of an origin's response, as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use hyper::body::Incoming;
use levee::body::{Pace, Paced};
use levee::platform::Deadlines;

use super::BodyError;
use crate::pace::Ticks;

/// The data of a response's body, which breaks off when it does not keep up.
#[derive(Debug)]
pub(super) struct Download {
    chunks: Paced<Data, Ticks, BodyError>,
    /// The slowest that it may be while others wait for it.
    captured: Pace,
}

impl Download {
    /// While one client waits for it alone, a body may be as slow as its origin likes, but not silent.
    pub(super) fn new(incoming: Incoming, deadlines: &Deadlines) -> Self {
        let stalled = || BodyError::new("the origin sent nothing, or too little, for too long");
        let chunks = Paced::new(Data(incoming), Ticks::new(), Pace::idle_only(deadlines), stalled);
        Self { chunks, captured: Pace::of(deadlines) }
    }

    /// Others wait for it from now on.
    pub(super) fn is_captured(&mut self) {
        self.chunks.set_pace(self.captured);
    }
}

impl Stream for Download {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.chunks).poll_next(cx)
    }
}

/// Trailers are dropped.
#[derive(Debug)]
struct Data(Incoming);

impl Stream for Data {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => Some(Err(BodyError::new(error))),
                None => None,
            });
        }
    }
}
