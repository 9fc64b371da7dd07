//! The body of a request on its way out, and when it has left.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;

use crate::body::{Body, BodyError};

/// A request's body that says when it has ended.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Body,
    /// Dropped at the end.
    ended: Option<oneshot::Sender<()>>,
}

impl Outgoing {
    pub(super) fn new(body: Body) -> (Self, Written) {
        if body.is_end_stream() {
            return (Self { body, ended: None }, Written(None));
        }
        let (ended, written) = oneshot::channel();
        (Self { body, ended: Some(ended) }, Written(Some(written)))
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.ended = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// When a request's body has been taken by the connection, or given up.
#[derive(Debug)]
pub(super) struct Written(Option<oneshot::Receiver<()>>);

impl Written {
    /// Resolves `time` after the request has ended.
    pub(super) async fn then_sleep(&mut self, time: Duration) {
        if let Some(written) = &mut self.0 {
            // Nothing is ever sent: either way the body is gone.
            let _ = written.await;
            self.0 = None;
        }
        tokio::time::sleep(time).await;
    }
}
