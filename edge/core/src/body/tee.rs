//! Splits a stream of bytes between a client and a capture with a bound.
//!
//! The capture drives the stream at the origin's pace and copies every chunk into one buffer of its own: what is kept pins no
//! buffer that a connection has read into. The client reads the same chunks behind it; one that falls back by more than
//! [`BEHIND`] reads out of the capture's buffer. When the bound is passed the roles change: the capture ends, and the client
//! drains what is left and then pulls the stream by itself.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;

use super::{Capture, CaptureError, Reserved, Room};

/// Bytes of chunks that are held for a client that is slower than the origin.
const BEHIND: usize = 64 << 10;
/// What is taken first for a body whose length is not known, and how much a client that has fallen back reads at once.
const FIRST: usize = 8 << 10;

/// Splits `stream`; see [`super::Body::tee`]. `length`: how many bytes will come, where that is known. The capture must be
/// driven (spawned) for the client to get its chunks.
pub fn tee<S, E>(stream: S, length: Option<u64>, limit: u64, room: &Arc<Room>) -> (Tee<S, E>, Capture)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    E: std::fmt::Display + 'static,
{
    let shared = Arc::new(Mutex::new(Shared {
        source: Some(stream),
        whole: Whole { bytes: BytesMut::new(), length, limit, reserved: Some(room.reserve()) },
        pending: VecDeque::new(),
        pending_bytes: 0,
        behind: None,
        end: None,
        direct: false,
        client_gone: false,
        client: None,
    }));
    let capture = {
        let shared = DropCapture(shared.clone());
        Box::pin(async move { poll_fn(|cx| lock(&shared.0).poll_capture(cx)).await })
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

/// What has been captured so far.
struct Whole {
    bytes: BytesMut,
    length: Option<u64>,
    limit: u64,
    /// Of the capacity of `bytes`. `None` once the capture is over.
    reserved: Option<Reserved>,
}

impl Whole {
    /// Copies a chunk, if it fits within the limit and the room.
    fn add(&mut self, chunk: &Bytes) -> Result<(), CaptureError> {
        let size = self.bytes.len() + chunk.len();
        if size as u64 > self.limit {
            return Err(CaptureError::TooLarge);
        }
        if size > self.bytes.capacity() {
            // Neither is larger than the limit, which is far below what an address can hold.
            let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
            let announced = self.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
            let wanted = size.max(announced).max((2 * self.bytes.capacity()).max(FIRST)).min(limit);
            let wanted = if size <= announced { announced.min(limit) } else { wanted };
            let more = wanted - self.bytes.capacity();
            if !self.reserved.as_mut().is_some_and(|reserved| reserved.grow(more as u64)) {
                return Err(CaptureError::NoRoom);
            }
            let mut larger = BytesMut::with_capacity(wanted);
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// All of it, in a buffer of just its size.
    fn take(&mut self) -> Bytes {
        let whole = std::mem::take(&mut self.bytes);
        if whole.capacity() == whole.len() { whole.freeze() } else { Bytes::copy_from_slice(&whole) }
    }
}

struct Shared<S, E> {
    source: Option<S>,
    whole: Whole,
    /// Chunks the client has not read yet.
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    /// How much the client has read, once it has fallen back: the rest is in `whole`.
    behind: Option<usize>,
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

    /// Hands a chunk to the client. `behind` it reads out of the whole.
    fn hand(&mut self, chunk: Bytes) {
        if self.client_gone || self.behind.is_some() {
            return;
        }
        self.pending_bytes += chunk.len();
        self.pending.push_back(chunk);
        if self.pending_bytes > BEHIND {
            self.behind = Some(self.whole.bytes.len() - self.pending_bytes);
            self.pending.clear();
            self.pending_bytes = 0;
        }
    }

    /// What a client that has fallen back has not read, once nothing more is copied.
    fn catch_up(&mut self, whole: &Bytes) {
        if let Some(read) = self.behind.take()
            && !self.client_gone
            && read < whole.len()
        {
            self.pending_bytes = whole.len() - read;
            self.pending.push_back(whole.slice(read..));
        }
    }

    /// What the client has not read stays counted until it has.
    fn settle(&mut self) {
        if self.pending.is_empty() || self.client_gone {
            self.whole.reserved = None;
        }
    }

    /// The capture lets go: what is left goes to the client alone.
    fn go_direct(&mut self) {
        let whole = std::mem::take(&mut self.whole.bytes).freeze();
        self.catch_up(&whole);
        if self.pending.is_empty() {
            self.whole.reserved = None;
        }
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

    fn poll_capture(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, CaptureError>> {
        loop {
            match self.poll_source(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    if let Err(error) = self.whole.add(&chunk) {
                        self.go_direct();
                        if !self.client_gone {
                            self.pending.push_back(chunk);
                        }
                        return Poll::Ready(Err(error));
                    }
                    self.hand(chunk);
                    self.wake_client();
                }
                Poll::Ready(Some(Err(error))) => {
                    let message = error.to_string();
                    let whole = std::mem::take(&mut self.whole.bytes).freeze();
                    self.catch_up(&whole);
                    self.end = Some(Err(error));
                    self.wake_client();
                    return Poll::Ready(Err(CaptureError::Broken(message)));
                }
                Poll::Ready(None) => {
                    let whole = self.whole.take();
                    self.catch_up(&whole);
                    self.end = Some(Ok(()));
                    self.settle();
                    self.wake_client();
                    return Poll::Ready(Ok(whole));
                }
            }
        }
    }

    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, E>>> {
        if let Some(chunk) = self.pending.pop_front() {
            self.pending_bytes = self.pending_bytes.saturating_sub(chunk.len());
            if self.end.is_some() {
                self.settle();
            }
            return Poll::Ready(Some(Ok(chunk)));
        }
        if let Some(read) = &mut self.behind {
            let mut left = &self.whole.bytes[*read..];
            if !left.is_empty() {
                let part = left.copy_to_bytes(left.len().min(FIRST));
                *read += part.len();
                return Poll::Ready(Some(Ok(part)));
            }
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
            None if self.direct => {
                self.whole.reserved = None;
                self.poll_source(cx)
            }
            None => {
                self.client = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
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
        if shared.direct || shared.end.is_some() {
            shared.whole.reserved = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::block_on;

    type Chunk = Result<Bytes, &'static str>;

    fn source(chunks: Vec<Chunk>) -> impl Stream<Item = Chunk> + Unpin {
        stream::iter(chunks)
    }

    fn ok(text: &'static str) -> Chunk {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    fn split(
        chunks: Vec<Chunk>,
        limit: u64,
    ) -> (Tee<impl Stream<Item = Chunk> + Unpin, &'static str>, Capture) {
        tee(source(chunks), None, limit, &Room::new(1 << 20))
    }

    #[test]
    fn both_halves_get_every_byte() {
        let (client, capture) = split(vec![ok("ab"), ok("c")], 3);
        assert_eq!(block_on(capture), Ok(Bytes::from_static(b"abc")));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("c")]);
    }

    #[test]
    fn past_the_bound_only_the_client_goes_on() {
        let (client, capture) = split(vec![ok("ab"), ok("cd"), ok("ef")], 3);
        assert_eq!(block_on(capture), Err(CaptureError::TooLarge));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("cd"), ok("ef")]);
    }

    #[test]
    fn a_broken_body_breaks_both() {
        let (client, capture) = split(vec![ok("ab"), Err("reset")], 9);
        assert_eq!(block_on(capture), Err(CaptureError::Broken("reset".into())));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), Err("reset")]);
    }

    #[test]
    fn the_capture_reads_on_without_the_client() {
        let (client, capture) = split(vec![ok("ab"), ok("c")], 3);
        drop(client);
        assert_eq!(block_on(capture), Ok(Bytes::from_static(b"abc")));
    }

    #[test]
    fn the_client_reads_on_without_the_capture() {
        let (client, capture) = split(vec![ok("ab"), ok("c")], 3);
        drop(capture);
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("c")]);
    }

    #[test]
    fn where_there_is_no_room_the_client_goes_on_alone() {
        let room = Room::new(0);
        let mut others = room.reserve();
        assert!(others.grow(24 << 20));
        let (client, capture) = tee(source(vec![ok("ab"), ok("c")]), Some(100 << 10), 1 << 20, &room);
        assert_eq!(block_on(capture), Err(CaptureError::NoRoom));
        assert_eq!(block_on(client.collect::<Vec<_>>()), vec![ok("ab"), ok("c")]);
        drop(others);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_is_captured_pins_no_larger_buffer() {
        let read = Bytes::from(vec![7; 1 << 20]);
        let (client, capture) = tee(source(vec![Ok(read.slice(..10))]), None, 1 << 20, &Room::new(1 << 20));
        drop(client);
        let captured = block_on(capture).unwrap();
        assert!(read.is_unique(), "nothing of what was read is held");
        assert_eq!(captured.try_into_mut().unwrap().capacity(), 10);
    }

    proptest! {
        /// However slow the client is, and wherever the bound lies, it gets every byte, once and in order.
        #[test]
        fn no_client_misses_a_byte(
            sizes in proptest::collection::vec(0usize..40_000, 0..12),
            reads in proptest::collection::vec(0usize..4, 0..12),
            limit in 0u64..300_000,
            announced: bool,
            breaks: bool,
        ) {
            let all: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|at| (at % 251) as u8).collect();
            let mut at = 0;
            let mut chunks: Vec<Chunk> = Vec::new();
            for size in &sizes {
                chunks.push(Ok(Bytes::copy_from_slice(&all[at..at + size])));
                at += size;
            }
            if breaks {
                chunks.push(Err("reset"));
            }
            let room = Room::new(1 << 20);
            // One chunk each time that it is polled: the client reads in between.
            let mut waits = false;
            let mut chunks = chunks.into_iter();
            let source = stream::poll_fn(move |_| {
                waits = !waits;
                if waits { Poll::Pending } else { Poll::Ready(chunks.next()) }
            });
            let length = announced.then_some(all.len() as u64);
            let (mut client, mut capture) = tee(source, length, limit, &room);
            let mut cx = Context::from_waker(Waker::noop());
            let (mut got, mut captured, mut reads) = (Vec::new(), None, reads.into_iter());
            let mut ended = None;
            while ended.is_none() {
                if captured.is_none()
                    && let Poll::Ready(result) = capture.as_mut().poll(&mut cx)
                {
                    captured = Some(result);
                }
                for _ in 0..if captured.is_some() { 1 } else { reads.next().unwrap_or(0) } {
                    match Pin::new(&mut client).poll_next(&mut cx) {
                        Poll::Ready(Some(Ok(part))) => got.extend_from_slice(&part),
                        Poll::Ready(Some(Err(error))) => ended = Some(Err(error)),
                        Poll::Ready(None) => ended = ended.or(Some(Ok(()))),
                        Poll::Pending => {}
                    }
                }
            }
            prop_assert_eq!(&got, &all);
            prop_assert_eq!(ended, Some(if breaks { Err("reset") } else { Ok(()) }));
            if let Some(Ok(whole)) = captured {
                prop_assert_eq!(&whole[..], &all[..]);
            }
            drop((client, capture));
            prop_assert_eq!(room.used(), 0);
        }
    }
}
