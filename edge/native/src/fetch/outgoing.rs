//! The body of a request on its way out: when it has left, and what was wrong with it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use levee::platform::ClientFault;
use tokio::sync::oneshot;

use crate::body::{Body, BodyError};

/// A request's body that says when it has ended, and how.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Body,
    /// Told what the client did wrong, or dropped at the end.
    ended: Option<oneshot::Sender<ClientFault>>,
}

impl Outgoing {
    pub(super) fn new(body: Body) -> (Self, Written) {
        if body.is_end_stream() {
            return (Self { body, ended: None }, Written::default());
        }
        let (ended, end) = oneshot::channel();
        (Self { body, ended: Some(ended) }, Written { end: Some(end), fault: None })
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
        match &frame {
            Some(Err(BodyError::Client(fault))) => {
                if let Some(ended) = self.ended.take() {
                    // Who has stopped listening needs no cause.
                    let _ = ended.send(fault.clone());
                }
            }
            Some(Ok(_)) if !self.body.is_end_stream() => {}
            _ => self.ended = None,
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
#[derive(Debug, Default)]
pub(super) struct Written {
    /// `None` once the end is known.
    end: Option<oneshot::Receiver<ClientFault>>,
    fault: Option<ClientFault>,
}

impl Written {
    /// Resolves `time` after the request has ended.
    pub(super) async fn then_sleep(&mut self, time: Duration) {
        if let Some(end) = &mut self.end {
            self.fault = end.await.ok();
            self.end = None;
        }
        tokio::time::sleep(time).await;
    }

    /// What the client did wrong, if its body ended with that. An origin that hangs up at the same moment may hide it: the
    /// connection's error need not name the body's.
    pub(super) fn fault(&mut self) -> Option<ClientFault> {
        if let Some(end) = &mut self.end
            && let Ok(fault) = end.try_recv()
        {
            self.fault = Some(fault);
        }
        self.fault.take()
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

    #[tokio::test]
    async fn what_the_client_did_wrong_is_known() {
        let fault = ClientFault::Malformed("no chunk".into());
        let failed = Err(BodyError::Client(fault.clone()));
        let (mut body, mut written) =
            Outgoing::new(Body::stream(stream::iter([Ok(Bytes::from("x")), failed])));
        assert_eq!(written.fault(), None);
        while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
        drop(body);
        assert_eq!(written.fault(), Some(fault));
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
