//! What stands between a client's socket and hyper.
//!
//! On the way in it knows where heads and bodies begin and end, and stops at the first byte that RFC 9112 does not allow and hyper
//! passes: a bare LF, framing that disagrees with itself. On the way out it gives up clients that do not read. It looks at bytes
//! where hyper has them read, and copies none.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use levee::body::Pace;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::places::{Busy, Held, Place};
use chunked::Chunked;
pub(super) use fault::Fault;
use frames::Frames;
use framing::Content;
use head::{End, Head};
use outlet::Outlet;
pub(super) use signals::Signals;

mod chunked;
mod fault;
mod frames;
mod framing;
mod head;
mod lines;
mod outlet;
mod signals;

/// Bytes of an incomplete head that count as nothing: most heads are smaller.
pub(super) const SMALL: usize = 8 << 10;

/// In place of a request that is refused: the service knows it by its number and answers what was wrong.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\n\r\n";

/// Behind the beginning of a head that hyper has already: no parser passes it. hyper answers 400.
const POISON: &[u8] = b"\0\r\n\r\n";

/// A client's socket.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Writes what there is room for, whether or not the runtime knows of any.
    fn send_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}

impl Socket for TcpStream {
    fn send_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        SockRef::from(self).send_vectored(slices)
    }
}

/// A client's connection, as hyper reads and writes it.
#[derive(Debug)]
pub(super) struct Gate<S> {
    inner: S,
    at: At,
    /// Most bytes of a head.
    most: usize,
    signals: Arc<Signals>,
    /// What hyper reads next, in place of what the client has sent.
    instead: &'static [u8],
    /// What hyper has had already, and has given back unread.
    again: Bytes,
    /// What the client has sent behind a request that may switch protocols.
    early: Vec<u8>,
    held: Held,
    outlet: Outlet,
    /// After a switch of protocols.
    _tunnel: Option<Busy>,
    place: Place,
}

#[derive(Debug)]
enum At {
    Head(Head),
    /// So many bytes of a body are left; then, whether the protocol may be switched.
    Length(u64, bool),
    Chunked(Box<Chunked>, bool),
    /// Until it is known whether the protocol is switched.
    Waiting,
    /// HTTP/2, to the end.
    Http2(Box<Frames>),
    /// No HTTP any more.
    Open,
    /// The head was refused: nothing more is read.
    Closed,
    /// The body was.
    Broken(Fault),
}

impl<S: Socket> Gate<S> {
    /// `most`: the bytes of a head.
    pub(super) fn new(inner: S, place: Place, most: usize, pace: Pace) -> Self {
        let (at, outlet, held) = (At::Head(Head::default()), Outlet::new(pace), place.slot().held());
        let (signals, early, again) = (Arc::default(), Vec::new(), Bytes::new());
        Self { inner, at, most, signals, instead: &[], again, early, held, outlet, _tunnel: None, place }
    }

    pub(super) fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    #[cfg(test)]
    fn place(&self) -> &Place {
        &self.place
    }

    /// Takes back what hyper has read and not used.
    pub(super) fn put_back(&mut self, bytes: Bytes) {
        // Even of no bytes, the buffer would be kept.
        if !bytes.is_empty() {
            self.again = bytes;
        }
    }

    /// Whether there is something to read without asking the client.
    pub(super) fn has_ready(&self) -> bool {
        !self.again.is_empty() || !self.instead.is_empty()
    }

    pub(super) fn socket(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Whether the client may still be sending what nobody reads. To close now would make its system throw away the answer.
    pub(super) fn has_unread(&self) -> bool {
        !matches!(&self.at, At::Head(head) if head.is_ahead())
    }

    /// Looks at what has been read; how much of it hyper may have.
    ///
    /// # Errors
    /// No answer is possible: the connection ends.
    fn inspect(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut from, mut ahead) = (0, 0);
        while from < bytes.len() {
            let rest = &bytes[from..];
            match &mut self.at {
                At::Head(head) => {
                    let is_whole = head.is_ahead();
                    let begins = from;
                    match head.read(rest, self.most) {
                        Ok((used, end)) => {
                            from += used;
                            let Some(end) = end else { break };
                            self.at = match end {
                                End::Content(Content::Length(length)) => {
                                    At::Length(length, head.may_switch())
                                }
                                End::Content(Content::Chunked) => {
                                    At::Chunked(Box::default(), head.may_switch())
                                }
                                End::Http2 if self.signals.is_first_request() => At::Http2(Box::default()),
                                End::Http2 => return Ok(self.refuse(begins, is_whole, Fault::Preface)),
                            };
                            self.signals.request();
                            self.end_empty();
                        }
                        Err((_, fault)) => return Ok(self.refuse(begins, is_whole, fault)),
                    }
                }
                At::Length(left, _) => {
                    let here = (*left).min(rest.len() as u64);
                    *left -= here;
                    from += here as usize;
                    self.end_empty();
                }
                At::Chunked(chunked, may_switch) => match chunked.read(rest) {
                    Ok((used, has_ended)) => {
                        from += used;
                        if has_ended {
                            self.at = At::Length(0, *may_switch);
                            self.end_empty();
                        }
                    }
                    Err((before, fault)) => {
                        self.at = At::Broken(fault);
                        from += before;
                        break;
                    }
                },
                At::Waiting => {
                    // Before what is left there of an earlier turn.
                    self.early.splice(0..0, rest.iter().copied());
                    break;
                }
                At::Http2(frames) => {
                    frames.read(rest, self.signals.intake())?;
                    from = bytes.len();
                }
                At::Open => from = bytes.len(),
                At::Closed | At::Broken(_) => break,
            }
            // What comes behind one message waits until that is done with.
            if ahead == 0 && matches!(self.at, At::Head(_)) {
                ahead = bytes.len() - from;
            }
        }
        self.hold(ahead);
        self.signals.rest(matches!(&self.at, At::Head(head) if head.is_ahead()));
        Ok(from)
    }

    /// Counts what the client makes the server keep: an incomplete head, and requests that come before their turn.
    fn hold(&mut self, ahead: usize) {
        let incomplete = match &self.at {
            // It grows by doubling, where hyper reads it.
            At::Head(head) => 2 * head.size(),
            At::Http2(frames) => frames.incomplete(),
            _ => 0,
        };
        let bytes = incomplete.max(ahead).max(self.early.len());
        self.held.set(if bytes > SMALL { bytes } else { 0 });
    }

    /// Goes on where a body has ended.
    fn end_empty(&mut self) {
        match self.at {
            At::Length(0, false) => self.at = At::Head(Head::default()),
            At::Length(0, true) => self.at = At::Waiting,
            _ => {}
        }
    }

    /// Refuses a head. `from`: where it begins in what has been read; `is_whole`: hyper has nothing of it.
    fn refuse(&mut self, from: usize, is_whole: bool, fault: Fault) -> usize {
        self.at = At::Closed;
        self.hold(0);
        if is_whole {
            self.signals.refuse(fault);
            self.instead = STAND_IN;
            return from;
        }
        self.instead = POISON;
        0
    }

    /// Where it waits for the answer to a request that may switch protocols: `Pending` until that is known.
    fn poll_switched(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let has_switched = ready!(self.signals.poll_switched(cx));
        if has_switched {
            self.at = At::Open;
            // It is no client's idle connection, as long as it lives.
            self._tunnel = Some(self.place.slot().busy());
        } else {
            self.at = At::Head(Head::default());
        }
        Poll::Ready(())
    }

    fn check_told(&self, cx: &Context<'_>) -> io::Result<()> {
        if self.place.slot().poll_told(cx, false) && self.place.slot().must_go() {
            return Err(io::Error::new(ErrorKind::ConnectionAborted, "there is no room for it any more"));
        }
        Ok(())
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(bytes)) => {
                if self.outlet.is_blocked() {
                    let all: usize = slices.iter().map(|slice| slice.len()).sum();
                    self.outlet.wrote(bytes, all - bytes.min(all));
                    self.signals.block(self.outlet.is_blocked());
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => {
                self.place.slot().register(cx.waker());
                self.check_told(cx)?;
                let left = slices.iter().map(|slice| slice.len()).sum();
                let inner = &self.inner;
                self.signals.block(true);
                let is_shared = self.signals.is_shared();
                let send = || inner.send_now(slices);
                let waited = self.outlet.poll_wait(cx, self.place.slot(), left, is_shared, send);
                self.signals.block(self.outlet.is_blocked());
                waited
            }
            error => error,
        }
    }
}

impl<S: Socket> AsyncRead for Gate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.again.is_empty() {
                let count = this.again.len().min(buffer.remaining());
                buffer.put_slice(&this.again.split_to(count));
                if this.again.is_empty() {
                    this.again = Bytes::new();
                }
                return Poll::Ready(Ok(()));
            }
            if !this.instead.is_empty() {
                let count = this.instead.len().min(buffer.remaining());
                buffer.put_slice(&this.instead[..count]);
                this.instead = &this.instead[count..];
                return Poll::Ready(Ok(()));
            }
            match &this.at {
                At::Closed => return Poll::Pending,
                At::Broken(fault) => {
                    return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, fault.as_str())));
                }
                At::Waiting => ready!(this.poll_switched(cx)),
                _ => {}
            }
            // More of what is large already: not before those have gone who must.
            if this.held.bytes() > 0 && this.held.is_too_much() {
                this.check_told(cx)?;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let before = buffer.filled().len();
            if this.early.is_empty() {
                ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
                if matches!(this.at, At::Open) {
                    return Poll::Ready(Ok(()));
                }
            } else {
                let count = this.early.len().min(buffer.remaining());
                buffer.put_slice(&this.early[..count]);
                this.early.drain(..count);
            }
            let read = buffer.filled().len() - before;
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            let passed = this.inspect(&buffer.filled()[before..])?;
            buffer.set_filled(before + passed);
            // Nothing read means the end of the connection.
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: Socket> AsyncWrite for Gate<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.wrote(cx, polled, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.wrote(cx, polled, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
