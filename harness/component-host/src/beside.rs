//! `Content-Length` beside `Transfer-Encoding`, as the HTTP server in Spin 4.1 hands it to components.
//!
//! Spin has hyper 1.10, which keeps a `Content-Length` that comes before `Transfer-Encoding`. The hyper here drops it, so that a
//! component would never meet what it meets in Spin. What was read from the connection still has it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Request};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As much of a head as is looked at, in bytes.
const MOST: usize = 64 << 10;

/// A connection whose request heads are looked at.
pub(crate) fn watched<S>(stream: S) -> (Watched<S>, Heads) {
    let heads = Heads::default();
    (Watched { stream, heads: heads.clone() }, heads)
}

/// What has been read since the last request's head.
#[derive(Clone, Default)]
pub(crate) struct Heads(Arc<Mutex<Vec<u8>>>);

impl Heads {
    fn read(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be asked for each request, in their order.
    pub(crate) fn length_beside_coding<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let mut read = self.read();
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            read.clear();
            return None;
        }
        let line = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        let begin = find(&read, line.as_bytes())?;
        let end = begin + find(&read[begin..], b"\r\n\r\n")?;
        let length = String::from_utf8_lossy(&read[begin..end]).lines().find_map(before_coding).flatten();
        read.drain(..end);
        length
    }
}

/// `Some` for the first line that is of either field: the length, or none where it comes later.
fn before_coding(line: &str) -> Option<Option<HeaderValue>> {
    let (name, value) = line.split_once(':')?;
    if name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()) {
        return Some(HeaderValue::from_str(value.trim()).ok());
    }
    name.eq_ignore_ascii_case(TRANSFER_ENCODING.as_str()).then_some(None)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Keeps what is read, up to a bound.
pub(crate) struct Watched<S> {
    stream: S,
    heads: Heads,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let new = &buffer.filled()[before..];
        let mut read = self.heads.read();
        let room = MOST.saturating_sub(read.len());
        read.extend_from_slice(&new[..new.len().min(room)]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(head: &str) -> Option<HeaderValue> {
        let heads = Heads::default();
        heads.read().extend_from_slice(b"the rest of a body");
        heads.read().extend_from_slice(head.as_bytes());
        let request =
            Request::post("/a?b").header("transfer-encoding", "chunked").body(()).expect("a request");
        heads.length_beside_coding(&request)
    }

    #[test]
    fn a_length_that_comes_first_is_kept() {
        let first =
            "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(length(first), Some(HeaderValue::from_static("3")));
        let last = "POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(length(last), None);
        assert_eq!(length("POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 3"), None);
    }
}
