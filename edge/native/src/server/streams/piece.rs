//! A response's body in pieces that say when they have left.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Stream;
use crate::body::{Body, BodyError};
use crate::server::answer::compact;

/// Most bytes of one piece: what fits into one frame.
const MOST: usize = 16 << 10;

/// A response's body on its way.
#[derive(Debug)]
pub(in crate::server) struct Sending {
    body: Body,
    /// What is left of the body's last chunk.
    rest: Bytes,
    /// The memory tier has the body, and counts it.
    is_shared: bool,
    stream: Rc<Stream>,
}

impl Sending {
    pub(super) fn new(body: Body, stream: Rc<Stream>) -> Self {
        Self { is_shared: body.is_full(), body, rest: Bytes::new(), stream }
    }

    fn piece(&mut self) -> Piece {
        let mut bytes = self.rest.split_to(self.rest.len().min(MOST));
        if self.rest.is_empty() && self.body.is_end_stream() {
            // The last piece may wait without hyper: it must not keep a whole entry in memory.
            bytes = Bytes::copy_from_slice(&bytes);
            self.rest = Bytes::new();
        }
        let behind = if self.is_shared { 0 } else { self.rest.len() };
        self.stream.hand_over(bytes.len(), bytes.len() + behind);
        Piece { bytes, stream: self.stream.clone() }
    }
}

impl HttpBody for Sending {
    type Data = Piece;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, BodyError>>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.rest = if self.is_shared { data } else { compact(data) };
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        match self.body.size_hint().exact() {
            Some(length) => SizeHint::with_exact(length + rest),
            None => SizeHint::default(),
        }
    }
}

/// Some of a body, in HTTP/2's hands.
#[derive(Debug)]
pub(in crate::server) struct Piece {
    bytes: Bytes,
    stream: Rc<Stream>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.stream.took(count);
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.stream.took(self.bytes.len());
    }
}
