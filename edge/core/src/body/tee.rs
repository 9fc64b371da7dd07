//! Splits a stream of bytes between a client and a capture with a bound.
//!
//! The capture drives the stream at the origin's pace and keeps every chunk; the client reads the same chunks
//! behind it. Chunks are shared, never copied, until the capture joins them. When the bound is passed the roles change:
//! the capture ends, and the client drains what is left and then pulls the stream by itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use super::{Capture, CaptureError};

/// Splits `stream`; see [`super::Body::tee`]. The capture must be driven (spawned) for the client to get its chunks.
pub fn tee<S, E>(stream: S, limit: u64) -> (Tee<S, E>, Capture)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    E: std::fmt::Display + 'static,
{
    let shared = Arc::new(Mutex::new(Shared {
        source: Some(stream),
        whole: Vec::new(),
        pending: VecDeque::new(),
        size: 0,
        end: None,
        direct: false,
        client_gone: false,
        client: None,
    }));
    let capture = {
        let shared = DropCapture(shared.clone());
        Box::pin(async move { poll_fn(|cx| lock(&shared.0).poll_capture(cx, limit)).await })
    };
    (Tee { shared }, capture)
}

/// The client's half.
pub struct Tee<S, E> {
    shared: Arc<Mutex<Shared<S, E>>>,
}

impl<S, E> std::fmt::Debug for Tee<S, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tee").finish_non_exhaustive()
    }
}

struct Shared<S, E> {
    source: Option<S>,
    /// Every chunk so far, while the capture keeps them.
    whole: Vec<Bytes>,
    /// Chunks the client has not read yet.
    pending: VecDeque<Bytes>,
    size: u64,
    end: Option<Result<(), E>>,
    /// The capture has ended before the stream: the client pulls by itself.
    direct: bool,
    client_gone: bool,
    client: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S, E> Shared<S, E> {
    fn wake_client(&mut self) {
        if let Some(waker) = self.client.take() {
            waker.wake();
        }
    }

    /// The capture lets go: what is left goes to the client alone.
    fn go_direct(&mut self) {
        self.whole = Vec::new();
        self.direct = true;
        if self.client_gone {
            self.source = None;
        }
        self.wake_client();
    }
}

impl<S, E> Shared<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, E>>> {
        match &mut self.source {
            Some(source) => {
                let polled = Pin::new(source).poll_next(cx);
                if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
                    self.source = None;
                }
                polled
            }
            None => Poll::Ready(None),
        }
    }

    fn poll_capture(&mut self, cx: &mut Context<'_>, limit: u64) -> Poll<Result<Bytes, CaptureError>> {
        loop {
            match self.poll_source(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    self.size += chunk.len() as u64;
                    if !self.client_gone {
                        self.pending.push_back(chunk.clone());
                    }
                    if self.size > limit {
                        self.go_direct();
                        return Poll::Ready(Err(CaptureError::TooLarge));
                    }
                    self.whole.push(chunk);
                    self.wake_client();
                }
                Poll::Ready(Some(Err(error))) => {
                    let message = error.to_string();
                    self.end = Some(Err(error));
                    self.whole = Vec::new();
                    self.wake_client();
                    return Poll::Ready(Err(CaptureError::Broken(message)));
                }
                Poll::Ready(None) => {
                    self.end = Some(Ok(()));
                    self.wake_client();
                    return Poll::Ready(Ok(join(std::mem::take(&mut self.whole))));
                }
            }
        }
    }

    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, E>>> {
        if let Some(chunk) = self.pending.pop_front() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        match self.end.take() {
            Some(Ok(())) => {
                self.end = Some(Ok(()));
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                self.end = Some(Ok(()));
                Poll::Ready(Some(Err(error)))
            }
            None if self.direct => self.poll_source(cx),
            None => {
                self.client = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn join(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.swap_remove(0);
    }
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        whole.extend_from_slice(&chunk);
    }
    whole.freeze()
}

/// A capture that is dropped unfinished must not leave the client waiting.
struct DropCapture<S, E>(Arc<Mutex<Shared<S, E>>>);

impl<S, E> Drop for DropCapture<S, E> {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        if shared.end.is_none() && !shared.direct {
            shared.go_direct();
        }
    }
}

impl<S, E> Stream for Tee<S, E>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    type Item = Result<Bytes, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        lock(&self.shared).poll_client(cx)
    }
}

impl<S, E> Drop for Tee<S, E> {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.client_gone = true;
        shared.pending.clear();
        if shared.direct {
            shared.source = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt};

    use super::*;
    use crate::testing::block_on;

    type Chunk = Result<Bytes, &'static str>;

    fn source(chunks: Vec<Chunk>) -> impl Stream<Item = Chunk> + Unpin {
        stream::iter(chunks)
    }

    fn ok(text: &'static str) -> Chunk {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn both_halves_get_every_byte() {
        let (client, capture) = tee(source(vec![ok("ab"), ok("c")]), 3);
        assert_eq!(block_on(capture), Ok(Bytes::from_static(b"abc")));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("c")]);
    }

    #[test]
    fn past_the_bound_only_the_client_goes_on() {
        let (client, capture) = tee(source(vec![ok("ab"), ok("cd"), ok("ef")]), 3);
        assert_eq!(block_on(capture), Err(CaptureError::TooLarge));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("cd"), ok("ef")]);
    }

    #[test]
    fn a_broken_body_breaks_both() {
        let (client, capture) = tee(source(vec![ok("ab"), Err("reset")]), 9);
        assert_eq!(block_on(capture), Err(CaptureError::Broken("reset".into())));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), Err("reset")]);
    }

    #[test]
    fn the_capture_reads_on_without_the_client() {
        let (client, capture) = tee(source(vec![ok("ab"), ok("c")]), 3);
        drop(client);
        assert_eq!(block_on(capture), Ok(Bytes::from_static(b"abc")));
    }

    #[test]
    fn the_client_reads_on_without_the_capture() {
        let (client, capture) = tee(source(vec![ok("ab"), ok("c")]), 3);
        drop(capture);
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("c")]);
    }
}
