//! A part of a stream of bytes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

/// Hands on `length` bytes of `stream`, from `first` on; see [`super::Body::cut`].
///
/// `short` makes the error of a stream that ends before.
pub fn cut<S, E>(stream: S, first: u64, length: u64, short: fn() -> E) -> Cut<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    Cut { stream: Some(stream), skip: first, left: length, short }
}

/// A part of a stream.
pub struct Cut<S, E> {
    /// Dropped as soon as nothing more is wanted of it.
    stream: Option<S>,
    skip: u64,
    left: u64,
    short: fn() -> E,
}

impl<S, E> std::fmt::Debug for Cut<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cut").field("skip", &self.skip).field("left", &self.left).finish_non_exhaustive()
    }
}

impl<S, E> Stream for Cut<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.left == 0 {
                this.stream = None;
            }
            let Some(stream) = &mut this.stream else { return Poll::Ready(None) };
            let Some(chunk) = ready!(Pin::new(stream).poll_next(cx)) else {
                this.stream = None;
                return Poll::Ready(Some(Err((this.short)())));
            };
            let mut chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    this.stream = None;
                    return Poll::Ready(Some(Err(error)));
                }
            };
            let size = chunk.len() as u64;
            if size <= this.skip {
                this.skip -= size;
                continue;
            }
            // Both fit: they are at most the chunk's length.
            chunk = chunk.split_off(this.skip as usize);
            this.skip = 0;
            if chunk.len() as u64 > this.left {
                chunk.truncate(this.left as usize);
            }
            this.left -= chunk.len() as u64;
            return Poll::Ready(Some(Ok(chunk)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt};

    use super::*;
    use crate::testing::block_on;

    fn cut_of(first: u64, length: u64) -> Vec<Result<Bytes, &'static str>> {
        let chunks = ["ab", "", "cde", "f"].map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
        block_on(cut(stream::iter(chunks), first, length, || "short").collect())
    }

    fn text(parts: Vec<Result<Bytes, &'static str>>) -> Result<String, &'static str> {
        parts.into_iter().map(|part| part.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())).collect()
    }

    #[test]
    fn exactly_the_part_is_handed_on() {
        for first in 0..6usize {
            for length in 1..=6 - first {
                let expected = &"abcdef"[first..first + length];
                assert_eq!(text(cut_of(first as u64, length as u64)).as_deref(), Ok(expected));
            }
        }
    }

    #[test]
    fn a_stream_that_ends_before_is_broken_off() {
        assert_eq!(text(cut_of(4, 3)), Err("short"));
        assert_eq!(text(cut_of(9, 1)), Err("short"));
    }
}
