//! The body of a request, as it arrives.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use hyper::body::Incoming;
use levee::platform::ClientFault;

use super::BodyError;

/// Data of so many bytes costs more to keep than it holds.
pub(crate) const TINY: usize = 256;

/// How much tiny data one connection has brought that nobody has read yet. HTTP/2's windows bound bytes, not frames.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    unread: AtomicUsize,
    uploads: AtomicUsize,
    is_broken: AtomicBool,
}

impl Intake {
    /// A frame with tiny data has come; how many are not read.
    pub(crate) fn came(&self) -> usize {
        self.unread.fetch_add(1, Relaxed) + 1
    }

    /// Whether a body broke off: on HTTP/1 nobody knows where the next request would begin.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }
}

/// The data of a request's body. Trailers are dropped.
#[derive(Debug)]
pub(super) struct Upload {
    incoming: Incoming,
    intake: Arc<Intake>,
}

impl Upload {
    pub(super) fn new(incoming: Incoming, intake: Arc<Intake>) -> Self {
        intake.uploads.fetch_add(1, Relaxed);
        Self { incoming, intake }
    }

    fn read(&self, data: &Bytes) {
        if data.len() < TINY {
            let one_less = |unread: usize| unread.checked_sub(1);
            // None, as on HTTP/1, is none.
            let _ = self.intake.unread.fetch_update(Relaxed, Relaxed, one_less);
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What is left of it unread is gone; how much that was is known once there is no other.
        if self.intake.uploads.fetch_sub(1, Relaxed) == 1 {
            self.intake.unread.store(0, Relaxed);
        }
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.read(&data);
                        Some(Ok(data))
                    }
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    self.intake.is_broken.store(true, Relaxed);
                    Some(Err(BodyError::Client(fault(&error))))
                }
                None => None,
            });
        }
    }
}

/// hyper reports bytes that are no body as invalid input or data. Everything else is an end that came too early: of the
/// connection, or of one of its streams.
fn fault(error: &hyper::Error) -> ClientFault {
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(io) if matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
            ClientFault::Malformed(io.to_string())
        }
        _ => ClientFault::Gone,
    }
}
