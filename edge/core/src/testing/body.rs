//! Bodies of tests: chunks, whole or broken off.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use crate::body::{Body, Capture, Room, cut, tee};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, String>>>>;

/// A stream of chunks.
pub struct TestBody {
    chunks: Chunks,
    length: Option<u64>,
}

impl TestBody {
    /// Chunks whose number is not told beforehand; an `Err` breaks the body off.
    pub fn chunks(chunks: Vec<Result<&'static str, &'static str>>) -> Self {
        let mut chunks = chunks.into_iter();
        let next = move || {
            chunks.next().map(|chunk| chunk.map(|c| Bytes::from_static(c.as_bytes())).map_err(str::to_owned))
        };
        Self { chunks: Box::pin(Iter(next)), length: None }
    }

    /// The whole body, or what broke it off.
    pub async fn read(mut self) -> Result<Bytes, String> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = std::future::poll_fn(|cx| self.chunks.as_mut().poll_next(cx)).await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.freeze())
    }
}

struct Iter<F>(F);

impl<F: FnMut() -> Option<Result<Bytes, String>> + Unpin> Stream for Iter<F> {
    type Item = Result<Bytes, String>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready((self.0)())
    }
}

impl Body for TestBody {
    fn empty() -> Self {
        Self { chunks: Box::pin(Iter(|| None)), length: Some(0) }
    }

    fn full(bytes: Bytes) -> Self {
        let length = Some(bytes.len() as u64);
        let mut bytes = Some(bytes);
        Self { chunks: Box::pin(Iter(move || bytes.take().map(Ok))), length }
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn tee(self, limit: u64, room: &Arc<Room>) -> (Self, Capture) {
        let (client, capture) = tee(self.chunks, self.length, limit, room);
        (Self { chunks: Box::pin(client), length: self.length }, capture)
    }

    fn cut(self, first: u64, length: u64) -> Self {
        let chunks = cut(self.chunks, first, length, || "it ended too early".to_owned());
        Self { chunks: Box::pin(chunks), length: Some(length) }
    }
}

impl std::fmt::Debug for TestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestBody").field("length", &self.length).finish_non_exhaustive()
    }
}
