//! Message bodies, as hyper reads and writes them.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::TryStreamExt;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use levee::body::{Capture, CaptureError, Cut, Pace, Paced, Room, Tee};
use levee::platform::{ClientFault, Deadlines};

use crate::pace::Ticks;

mod download;
mod error;
mod upload;

use download::Download;
pub use error::BodyError;
use upload::Upload;
pub(crate) use upload::{Intake, TINY};

/// The body of a request or a response. Trailers are dropped.
#[derive(Debug, Default)]
pub struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Full(Bytes),
    /// A response's body on its way in, and how much of it is still to come, where that is known.
    Download(Box<Download>, Option<u64>),
    /// A request's body on its way in, and how much of it is still to come, where that is known.
    Upload(Box<Paced<Upload, Ticks, BodyError>>, Option<u64>),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>),
    /// A body that is also being captured, and how much of it is still to come, where that is known.
    Tee(Tee<Chunks, BodyError>, Option<u64>),
    /// A body whose beginning has been read.
    Ahead(Option<Bytes>, Box<Body>),
    /// A part of a body, and how much of it is still to come.
    Cut(Box<Cut<Chunks, BodyError>>, u64),
}

impl Body {
    /// A body of chunks that are made while it is sent.
    pub fn stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self(Kind::Stream(Box::pin(chunks.map_err(|error| BodyError::new(error.into())))))
    }

    /// The body of a request that arrives: what is wrong with it is its client's fault ([`BodyError::Client`]), and so is a
    /// pace below `pace`.
    pub(crate) fn upload(incoming: Incoming, pace: Pace, intake: &Arc<Intake>) -> Self {
        if incoming.is_end_stream() {
            return Self(Kind::Empty);
        }
        let length = incoming.size_hint().exact();
        let stalled = || BodyError::Client(ClientFault::Stalled);
        Self(Kind::Upload(
            Box::new(Paced::new(Upload::new(incoming, intake.clone()), Ticks::new(), pace, stalled)),
            length,
        ))
    }

    /// The body of an origin's response. It breaks off when it is silent for too long, or, while it is captured, too slow.
    pub(crate) fn download(incoming: Incoming, deadlines: &Deadlines) -> Self {
        // What has no body at all is common, and cheaper to hand on as such.
        if incoming.is_end_stream() {
            return Self(Kind::Empty);
        }
        let length = incoming.size_hint().exact();
        Self(Kind::Download(Box::new(Download::new(incoming, deadlines)), length))
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Download(_, left) => f.debug_tuple("Download").field(left).finish(),
            Self::Upload(_, left) => f.debug_tuple("Upload").field(left).finish(),
            Self::Tee(_, left) => f.debug_tuple("Tee").field(left).finish(),
            Self::Ahead(first, _) => f.debug_tuple("Ahead").field(&first.as_ref().map(Bytes::len)).finish(),
            Self::Cut(_, left) => f.debug_tuple("Cut").field(left).finish(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self(Kind::Empty) } else { Self(Kind::Full(bytes)) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl levee::body::Body for Body {
    fn empty() -> Self {
        Self(Kind::Empty)
    }

    fn full(bytes: Bytes) -> Self {
        bytes.into()
    }

    fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    fn tee(mut self, limit: u64, room: &Arc<Room>) -> (Self, Capture) {
        if let Kind::Download(download, _) = &mut self.0 {
            download.is_captured();
        }
        let whole = match &self.0 {
            Kind::Empty => Bytes::new(),
            Kind::Full(bytes) => bytes.clone(),
            _ => {
                let length = self.size_hint().exact();
                let (client, capture) = levee::body::tee(Chunks(self), length, limit, room);
                return (Self(Kind::Tee(client, length)), capture);
            }
        };
        let captured = if whole.len() as u64 > limit { Err(CaptureError::TooLarge) } else { Ok(whole) };
        (self, Box::pin(std::future::ready(captured)))
    }

    async fn primed(mut self) -> Result<(Self, bool), ClientFault> {
        if !matches!(self.0, Kind::Upload(..)) {
            let is_there = matches!(self.0, Kind::Empty | Kind::Full(_));
            return Ok((self, is_there));
        }
        loop {
            match poll_fn(|cx| self.poll_chunk(cx)).await {
                None => return Ok((Self(Kind::Empty), true)),
                Some(Ok(first)) if first.is_empty() => {}
                Some(Ok(first)) if self.is_end_stream() => return Ok((first.into(), true)),
                Some(Ok(first)) => return Ok((Self(Kind::Ahead(Some(first), Box::new(self))), false)),
                Some(Err(BodyError::Client(fault))) => return Err(fault),
                Some(Err(error)) => return Err(ClientFault::Malformed(error.to_string())),
            }
        }
    }

    fn cut(self, first: u64, length: u64) -> Self {
        let short = || BodyError::new("it ended too early");
        Self(Kind::Cut(Box::new(levee::body::cut(Chunks(self), first, length, short)), length))
    }
}

impl Body {
    /// Whether it is there as a whole: out of the memory tier, or of the edge's own making.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.0, Kind::Full(_))
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(bytes)))
            }
            Kind::Stream(stream) => stream.as_mut().poll_next(cx),
            Kind::Download(download, left) => {
                let chunk = ready!(Pin::new(&mut **download).poll_next(cx));
                if let (Some(left), Some(Ok(bytes))) = (left, &chunk) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk)
            }
            Kind::Upload(upload, left) => {
                let chunk = ready!(Pin::new(&mut **upload).poll_next(cx));
                if let (Some(left), Some(Ok(bytes))) = (left, &chunk) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk)
            }
            Kind::Tee(tee, left) => {
                let chunk = ready!(Pin::new(tee).poll_next(cx));
                if let (Some(left), Some(Ok(bytes))) = (left, &chunk) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk)
            }
            Kind::Ahead(first, rest) => match first.take() {
                Some(first) => Poll::Ready(Some(Ok(first))),
                None => rest.poll_chunk(cx),
            },
            Kind::Cut(cut, left) => {
                let chunk = ready!(Pin::new(&mut **cut).poll_next(cx));
                if let Some(Ok(bytes)) = &chunk {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk)
            }
        }
    }
}

/// A body as the stream that [`levee::body::tee`] splits.
struct Chunks(Body);

impl Stream for Chunks {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_chunk(cx)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_chunk(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(_) | Kind::Stream(_) => false,
            Kind::Tee(_, left) | Kind::Download(_, left) | Kind::Upload(_, left) => *left == Some(0),
            Kind::Ahead(first, rest) => first.is_none() && rest.is_end_stream(),
            Kind::Cut(_, left) => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Tee(_, Some(left))
            | Kind::Download(_, Some(left))
            | Kind::Upload(_, Some(left))
            | Kind::Cut(_, left) => SizeHint::with_exact(*left),
            Kind::Ahead(first, rest) => {
                let first = first.as_ref().map_or(0, Bytes::len) as u64;
                rest.size_hint()
                    .exact()
                    .map_or_else(SizeHint::default, |rest| SizeHint::with_exact(first + rest))
            }
            Kind::Stream(_) | Kind::Tee(_, None) | Kind::Download(_, None) | Kind::Upload(_, None) => {
                SizeHint::default()
            }
        }
    }
}
