//! One HTTP/1.1 connection to an origin.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use levee::platform::FetchError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error;
use super::outgoing::Outgoing;
use super::socket::Peek;

/// Most bytes of a response's head, and most that are read or written ahead.
const HEAD: usize = 64 << 10;

/// Most bytes that may come before the response's head has: interim responses (RFC 9110, section 15.2), and the head.
const BEFORE: usize = 8 * HEAD;

/// Most field lines of a response.
const FIELDS: usize = 512;

/// Between two exchanges, or in one.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Outgoing>,
    peek: Peek,
    /// How many bytes may still come before the response's head; without end once it is there.
    left: Arc<AtomicUsize>,
}

impl Connection {
    /// Speaks HTTP/1.1 on `stream`; `peek` looks at its socket.
    ///
    /// Field lines are read as RFC 9112 lets a proxy read them: white space before the colon is removed (section 5.1), folded
    /// lines are joined (section 5.2). A line that is none at all ends the exchange: to leave it out might be to leave out the
    /// `private` of a `Cache-Control`.
    pub(super) async fn open<S>(stream: S, peek: Peek) -> Result<Self, FetchError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let left = Arc::new(AtomicUsize::new(BEFORE));
        let io = hyper_util::rt::TokioIo::new(Counted { stream, left: left.clone() });
        let (sender, connection) = http1::Builder::new()
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .max_headers(FIELDS)
            .max_header_size(HEAD)
            .max_buf_size(HEAD)
            .handshake(io)
            .await
            .map_err(|error| error::of_exchange(&error))?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to an origin ended");
            }
        });
        Ok(Self { sender, peek, left })
    }

    /// Sends a request; the error has it back where nothing of it was sent.
    pub(super) async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Outgoing>>> {
        self.left.store(BEFORE, Ordering::Relaxed);
        let response = self.sender.try_send_request(request).await?;
        self.left.store(usize::MAX, Ordering::Relaxed);
        Ok(response)
    }

    /// Whether a byte has come since a request was sent.
    pub(super) fn was_heard(&self) -> bool {
        self.left.load(Ordering::Relaxed) != BEFORE
    }

    /// Resolves when the exchange is over: whether another may follow. It may not after one that broke off.
    pub(super) async fn is_over(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Whether another request may be sent: nothing has come since the last response, neither its end nor a byte.
    pub(super) fn is_quiet(&self) -> bool {
        self.sender.is_ready() && self.peek.is_quiet()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// A stream that counts what is read. Inside TLS: a session ticket is no part of a response.
#[derive(Debug)]
struct Counted<S> {
    stream: S,
    left: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let left = self.left.load(Ordering::Relaxed);
        if left != usize::MAX {
            let left = left.saturating_sub(buf.filled().len() - before);
            self.left.store(left, Ordering::Relaxed);
            if left == 0 {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "too much came before the response",
                )));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
