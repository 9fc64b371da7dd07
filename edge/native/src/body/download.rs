//! The body of an origin's response, as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use hyper::body::Incoming;
use levee::body::{Pace, Paced};
use levee::platform::Deadlines;

use super::BodyError;
use crate::pace::Ticks;

/// The data of a response's body, which breaks off when it does not keep up.
#[derive(Debug)]
pub(super) struct Download {
    chunks: Paced<Data, Ticks, BodyError>,
    /// The slowest that it may be while others wait for it.
    captured: Pace,
}

impl Download {
    /// While one client waits for it alone, a body may be as slow as its origin likes, but not silent.
    pub(super) fn new(incoming: Incoming, deadlines: &Deadlines) -> Self {
        let stalled = || BodyError::new("the origin sent nothing, or too little, for too long");
        let chunks = Paced::new(Data(incoming), Ticks::new(), Pace::idle_only(deadlines), stalled);
        Self { chunks, captured: Pace::of(deadlines) }
    }

    /// Others wait for it from now on.
    pub(super) fn is_captured(&mut self) {
        self.chunks.set_pace(self.captured);
    }
}

impl Stream for Download {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.chunks).poll_next(cx)
    }
}

/// Trailers are dropped.
#[derive(Debug)]
struct Data(Incoming);

impl Stream for Data {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => Some(Err(BodyError::new(error))),
                None => None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;
    use http_body_util::Empty;
    use hyper_util::rt::TokioIo;
    use levee::body::{Body as _, CaptureError, Room};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::task::LocalSet;
    use tokio::time::Instant;

    use super::*;
    use crate::body::Body;

    const IDLE: Duration = Duration::from_secs(60);
    const SLOW: Duration = Duration::from_secs(50);

    /// The body of a response that `serve` sends, which may be silent for a minute and comes at a hundred bytes a second.
    async fn body<F: Future<Output = ()> + 'static>(serve: impl FnOnce(DuplexStream) -> F + 'static) -> Body {
        let (near, mut far) = tokio::io::duplex(1 << 10);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
        tokio::task::spawn_local(connection);
        tokio::task::spawn_local(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(far.read_u8().await.unwrap());
            }
            far.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            serve(far).await;
        });
        let response = sender.send_request(http::Request::new(Empty::<Bytes>::new())).await.unwrap();
        let (connect, first_byte) = (IDLE, IDLE);
        Body::download(response.into_body(), &Deadlines { connect, first_byte, idle: IDLE, rate: 100 })
    }

    /// A byte every fifty seconds, ten times.
    async fn trickle(mut origin: DuplexStream) {
        for _ in 0..10 {
            tokio::time::sleep(SLOW).await;
            let _ = origin.write_all(b"x").await;
        }
    }

    async fn sleep_for_ever(origin: DuplexStream) {
        std::future::pending::<()>().await;
        drop(origin);
    }

    async fn read(body: Body) -> Result<usize, BodyError> {
        let mut body = http_body_util::BodyDataStream::new(body);
        let mut size = 0;
        while let Some(chunk) = body.next().await {
            size += chunk?.len();
        }
        Ok(size)
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_may_wait_for_as_long_as_it_comes() {
        LocalSet::new().run_until(async { assert_eq!(read(body(trickle).await).await.unwrap(), 10) }).await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_silent_one() {
        let run = async {
            let silent = body(sleep_for_ever).await;
            let start = Instant::now();
            read(silent).await.unwrap_err();
            assert_eq!(start.elapsed(), IDLE);
        };
        LocalSet::new().run_until(run).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_that_others_wait_for_breaks_off() {
        let run = async {
            let start = Instant::now();
            let (client, capture) = body(trickle).await.tee(1_000, &Room::new(0));
            let (client, captured) = tokio::join!(read(client), capture);
            assert!(matches!(captured, Err(CaptureError::Broken(_))), "{captured:?}");
            client.unwrap_err();
            assert!(start.elapsed() <= SLOW + IDLE, "{:?}", start.elapsed());
        };
        LocalSet::new().run_until(run).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_pauses_breaks_nothing_off() {
        let run = async {
            let all = body(|mut origin| async move {
                let _ = origin.write_all(&[0; 100 << 10]).await;
            });
            let mut body = http_body_util::BodyDataStream::new(all.await);
            let mut size = 0;
            while let Some(chunk) = body.next().await {
                size += chunk.unwrap().len();
                tokio::time::sleep(2 * IDLE).await;
            }
            assert_eq!(size, 100 << 10);
        };
        LocalSet::new().run_until(run).await;
    }
}
