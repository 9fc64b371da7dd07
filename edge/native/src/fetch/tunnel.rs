//! Upgraded connections (RFC 9110, section 7.8): WebSockets, and no other protocol.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue, UPGRADE};
use http::{Method, Request, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use levee::body::Body as _;
use levee::fields::{connection, list};
use levee::platform::{Deadlines, FetchError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::body::Body;

/// A tunnel may be silent for so many times as long as a body.
const SILENCE: u32 = 10;

/// The client's half of the tunnel that a request asks for, if it is a WebSocket's (RFC 6455, section 4.1). All else that a
/// client may ask its connection to become is not the origin's to know.
pub(super) fn asked(request: &mut Request<Body>) -> Option<OnUpgrade> {
    let client = request.extensions_mut().remove::<OnUpgrade>()?;
    let websocket = connection::may_be_upgraded(request.headers());
    let is_bare = request.method() == Method::GET && request.body().length() == Some(0);
    (websocket && is_bare).then_some(client)
}

fn names_websocket(fields: &http::HeaderMap) -> bool {
    list::all(fields, UPGRADE.as_str()).any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Carries out the upgrade that `client` has asked for and the origin has granted.
pub(super) fn open<B>(
    client: Option<OnUpgrade>,
    mut response: Response<B>,
    deadlines: &Deadlines,
) -> Result<Response<Body>, FetchError> {
    let Some(client) = client.filter(|_| names_websocket(response.headers())) else {
        return Err(FetchError::Protocol("it switches to a protocol that was not asked for".to_owned()));
    };
    let origin = hyper::upgrade::on(&mut response);
    let silence = deadlines.idle.saturating_mul(SILENCE);
    tokio::task::spawn_local(async move {
        // When the edge answers with something else after all, the client's half never comes and the origin's is closed.
        let ended = match tokio::try_join!(client, origin) {
            Ok((client, origin)) => splice(TokioIo::new(client), TokioIo::new(origin), silence).await,
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an upgraded connection ended");
        }
    });
    let fields = response.headers_mut();
    connection::strip(fields);
    fields.remove(http::header::CONTENT_LENGTH);
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    Ok(response.map(|_| Body::empty()))
}

/// Carries bytes both ways until both sides have ended, or no byte has passed for as long as `silence`. The end of one side is
/// told to the other, which may still speak.
async fn splice<A, B>(client: A, origin: B, silence: Duration) -> io::Result<()>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let last = Rc::new(Cell::new(Instant::now()));
    let mut client = Lively { stream: client, last: last.clone() };
    let mut origin = Lively { stream: origin, last: last.clone() };
    let silent = async {
        loop {
            let left = silence.saturating_sub(last.get().elapsed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    };
    tokio::select! {
        ended = tokio::io::copy_bidirectional(&mut client, &mut origin) => ended.map(drop),
        () = silent => Err(io::Error::new(io::ErrorKind::TimedOut, "no byte passed for too long")),
    }
}

/// A stream that notes when bytes pass.
struct Lively<S> {
    stream: S,
    last: Rc<Cell<Instant>>,
}

impl<S> Lively<S> {
    fn note(&self) {
        self.last.set(Instant::now());
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lively<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.note();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lively<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.note();
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const SILENT: Duration = Duration::from_secs(600);

    /// A tunnel, and its ends.
    fn tunnel() -> (DuplexStream, DuplexStream, impl Future<Output = io::Result<()>>) {
        let ((client, near), (far, origin)) = (duplex(64), duplex(64));
        (client, origin, splice(near, far, SILENT))
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_tunnel_is_closed() {
        let (_client, _origin, spliced) = tunnel();
        let start = Instant::now();
        assert_eq!(spliced.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), SILENT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_either_way_keeps_it_open() {
        let (mut client, mut origin, spliced) = tunnel();
        let start = Instant::now();
        let talk = async {
            let mut byte = [0];
            for _ in 0..10 {
                tokio::time::sleep(SILENT * 9 / 10).await;
                origin.write_all(b"x").await.unwrap();
                client.read_exact(&mut byte).await.unwrap();
            }
            tokio::time::sleep(SILENT * 9 / 10).await;
            client.write_all(b"x").await.unwrap();
            origin.read_exact(&mut byte).await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = spliced => assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut),
            () = talk => {}
        }
        assert_eq!(start.elapsed(), SILENT * 9 / 10 * 11 + SILENT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_one_side_is_not_the_end_of_the_other() {
        let (mut client, mut origin, spliced) = tunnel();
        let talk = async {
            client.shutdown().await.unwrap();
            let mut said = Vec::new();
            assert_eq!(origin.read_to_end(&mut said).await.unwrap(), 0);
            origin.write_all(b"bye").await.unwrap();
            origin.shutdown().await.unwrap();
            client.read_to_end(&mut said).await.unwrap();
            said
        };
        let (ended, said) = tokio::join!(spliced, talk);
        ended.unwrap();
        assert_eq!(said, b"bye");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_holds_it_no_longer_than_who_is_silent() {
        let (_client, mut origin, spliced) = tunnel();
        let start = Instant::now();
        let flood = async { while origin.write_all(&[0; 64]).await.is_ok() {} };
        let (ended, ()) = tokio::join!(spliced, flood);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= SILENT);
    }
}
