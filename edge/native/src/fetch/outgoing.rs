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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    /// A slow upload is not the origin's fault.
    #[tokio::test(start_paused = true)]
    async fn the_deadline_runs_from_the_end_of_the_request() {
        let start = Instant::now();
        let chunks = stream::unfold(0, |sent| async move {
            tokio::time::sleep(Duration::from_secs(30)).await;
            (sent < 2).then(|| (Ok::<_, BodyError>(Bytes::from_static(b"x")), sent + 1))
        });
        let (mut body, mut written) = Outgoing::new(Body::stream(chunks));
        let send = async move { while poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_some() {} };
        tokio::join!(send, written.then_sleep(DEADLINE));
        assert_eq!(start.elapsed(), Duration::from_secs(90) + DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_body_it_runs_at_once() {
        let start = Instant::now();
        let (_body, mut written) = Outgoing::new(Body::default());
        written.then_sleep(DEADLINE).await;
        assert_eq!(start.elapsed(), DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_given_up_has_ended() {
        let start = Instant::now();
        let (body, mut written) = Outgoing::new(Body::from("x"));
        drop(body);
        written.then_sleep(DEADLINE).await;
        assert_eq!(start.elapsed(), DEADLINE);
    }
}
