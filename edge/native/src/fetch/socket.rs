//! A TCP connection to an origin, as hyper and rustls use it, and a look at it from outside.

use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// One connection.
///
/// A write that fails because the origin has gone is not told at once, but as one that waits: an origin may answer before it
/// has read the whole request (with a 413, say) and close, and its response is still to be read. What reading comes to tells.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: Arc<TcpStream>,
    /// The longest that the origin may take no byte while there is one to send.
    idle: Duration,
    /// Runs while the origin takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Why nothing is sent any more.
    broken: Option<io::Error>,
}

/// Says whether a connection may be used again. It does not keep the connection open.
#[derive(Clone, Debug)]
pub(super) struct Peek(Weak<TcpStream>);

impl Socket {
    pub(super) fn new(tcp: TcpStream, idle: Duration) -> Self {
        Self { tcp: Arc::new(tcp), idle, stalled: None, broken: None }
    }

    pub(super) fn peek(&self) -> Peek {
        Peek(Arc::downgrade(&self.tcp))
    }

    /// Resolves when the origin has taken nothing for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let idle = self.idle;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(self.broken().unwrap_or_else(|| {
            io::Error::new(io::ErrorKind::TimedOut, "the origin does not read the request")
        }))
    }

    fn broken(&self) -> Option<io::Error> {
        self.broken.as_ref().map(|error| io::Error::new(error.kind(), error.to_string()))
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        send: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        while self.broken.is_none() && self.tcp.poll_write_ready(cx)?.is_ready() {
            match send(&self.tcp) {
                Ok(sent) => {
                    self.stalled = None;
                    return Poll::Ready(Ok(sent));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.broken = Some(error),
            }
        }
        self.poll_stalled(cx).map(Err)
    }
}

impl Peek {
    /// Whether the connection is open and silent. Asks the system, as what hyper knows may be older: a byte that has arrived
    /// since the last response ended would be taken for the next response.
    pub(super) fn is_quiet(&self) -> bool {
        let Some(tcp) = self.0.upgrade() else { return false };
        let mut byte = [MaybeUninit::uninit()];
        matches!(SockRef::from(&*tcp).peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            ready!(this.tcp.poll_read_ready(cx))?;
            match this.tcp.try_read_buf(buf) {
                // The system tells of a reset only once, and has told it to the write: this is no orderly end.
                Ok(0) => return Poll::Ready(this.broken().map_or(Ok(()), Err)),
                Ok(_) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |tcp| tcp.try_write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |tcp| tcp.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.tcp).shutdown(Shutdown::Write))
    }
}
