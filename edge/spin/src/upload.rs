//! The body of a request on its way to an origin.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::future::poll_immediate;
use http::Method;
use levee::platform::{ClientFault, FetchError};
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::body::{Body, BodyError, Broken, Chunks, Inner};
use crate::outgoing::{Unsent, Writer};
use crate::{faults, framing, pace, task};

/// The content of a GET is sent only with its length. Where that is not known it is read first, up to so many bytes.
const READ_FIRST: usize = 64 << 10;

/// What is waited for no longer is read up to so many bytes before anything is sent.
const READ_AHEAD: usize = 64 << 10;

/// See [`levee::body::Body::primed`].
pub(crate) async fn primed(body: Body) -> Result<(Body, bool), ClientFault> {
    let (mut chunks, length) = match body.0 {
        Inner::Empty | Inner::Bytes(_) => return Ok((body, true)),
        streamed => Body(streamed).into_chunks(),
    };
    let (mut read, mut size, mut next) = (Vec::new(), 0, chunks.next().await);
    let is_there = loop {
        match next {
            None => break true,
            Some(Err(BodyError(Broken::Runtime(why)))) => return Err(ClientFault::Malformed(why)),
            Some(Err(BodyError(Broken::TooSlow))) => return Err(ClientFault::Stalled),
            // Of a handler's body: whoever sends it finds it.
            Some(Err(error)) => {
                read.push(Err(error));
                break false;
            }
            Some(Ok(chunk)) => {
                size += chunk.len();
                read.push(Ok(chunk));
            }
        }
        if length == Some(size as u64) {
            break true;
        }
        // All of nothing is nothing.
        let waits = size == 0;
        next = match (waits, size < READ_AHEAD) {
            (true, _) => chunks.next().await,
            (false, true) => match poll_immediate(chunks.next()).await {
                Some(next) => next,
                None => break false,
            },
            (false, false) => break false,
        };
    };
    Ok((Body::after(read, chunks, length), is_there))
}

/// A body that can be sent with this method.
///
/// # Errors
/// [`FetchError::Client`]: it broke off, or is too large to be sent with this method.
pub(crate) async fn sendable(method: &Method, body: Body) -> Result<Body, FetchError> {
    let is_measured = levee::body::Body::length(&body).is_some();
    match body.0 {
        Inner::Incoming(..) | Inner::Stream(..) if !is_measured && framing::has_no_usual_content(method) => {
            measured(body.into_chunks().0).await
        }
        _ => Ok(body),
    }
}

async fn measured(mut chunks: Chunks) -> Result<Body, FetchError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| faults::of_request_body(&error))?;
        if whole.len() + chunk.len() > READ_FIRST {
            return Err(ClientFault::Malformed(format!(
                "this runtime sends more than {READ_FIRST} bytes with this method only where Content-Length says how many"
            ))
            .into());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(levee::body::Body::full(whole.freeze()))
}

/// Sends a body and waits for the response's head. `first_byte`: how long that may take once all is sent; `None` where the
/// runtime counts.
///
/// # Errors
/// As [`levee::platform::Fetch::fetch`]. Where the body fails that is the reason, whatever the runtime makes of it.
pub(crate) async fn send<T>(
    sending: impl Future<Output = Result<T, ErrorCode>>,
    mut writer: Writer,
    first_byte: Option<Duration>,
) -> Result<T, FetchError> {
    let mut sending = pin!(sending);
    let mut sent = false;
    let mut waited = pin!(None);
    let response = poll_fn(|cx| {
        // First, because the runtime's word on a body that breaks off comes after it.
        if !sent && let Poll::Ready(written) = writer.as_mut().poll(cx) {
            sent = true;
            match written {
                Err(Unsent::Broken(error)) => return Poll::Ready(Err(faults::of_request_body(&error))),
                Err(Unsent::NotRead) => return Poll::Ready(Err(FetchError::ResponseTimeout)),
                // An origin may answer without reading everything.
                Ok(()) | Err(Unsent::NotWanted) => waited.set(first_byte.map(pace::sleep)),
            }
        }
        if let Poll::Ready(response) = sending.as_mut().poll(cx) {
            return Poll::Ready(response.map_err(faults::of_exchange));
        }
        match waited.as_mut().as_pin_mut() {
            Some(wait) => wait.poll(cx).map(|()| Err(FetchError::ResponseTimeout)),
            None => Poll::Pending,
        }
    })
    .await;
    if !sent && response.is_ok() {
        task::spawn(async move { drop(writer.await) });
    }
    response
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use levee::body::Body as _;
    use levee::testing::block_on;

    use super::*;

    fn unmeasured(chunks: Vec<Result<Bytes, &'static str>>) -> Body {
        Body::stream(stream::iter(chunks))
    }

    fn sent(method: &Method, chunks: Vec<Result<Bytes, &'static str>>) -> Result<Option<u64>, FetchError> {
        block_on(sendable(method, unmeasured(chunks))).map(|body| body.length())
    }

    #[test]
    fn the_content_of_a_get_is_measured() {
        let chunks = || vec![Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))];
        assert_eq!(sent(&Method::GET, chunks()), Ok(Some(3)));
        assert_eq!(sent(&Method::POST, chunks()), Ok(None), "these are sent chunked");
        let large = vec![Ok(Bytes::from(vec![0; READ_FIRST])), Ok(Bytes::from_static(b"c"))];
        assert!(matches!(sent(&Method::GET, large), Err(FetchError::Client(ClientFault::Malformed(_)))));
        assert!(sent(&Method::GET, vec![Err("reset")]).is_err());
    }

    fn primed_of(chunks: Chunks, length: Option<u64>) -> Result<(Vec<Bytes>, bool), ClientFault> {
        let (body, is_there) = block_on(primed(Body(Inner::Stream(chunks, length))))?;
        assert_eq!(body.length(), length);
        let read = block_on(body.into_chunks().0.take(2).collect::<Vec<_>>());
        Ok((read.into_iter().flatten().collect(), is_there))
    }

    #[test]
    fn a_body_is_primed_once_there_is_something_of_it() {
        let chunk = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let silent = |chunks: Vec<Result<Bytes, BodyError>>| -> Chunks {
            Box::pin(stream::iter(chunks).chain(stream::pending()))
        };
        let two = || vec![chunk("ab"), chunk("c")];
        assert_eq!(primed_of(silent(two()), Some(3)), Ok((vec!["ab".into(), "c".into()], true)));
        assert_eq!(primed_of(silent(two()), None), Ok((vec!["ab".into(), "c".into()], false)));
        assert_eq!(primed_of(Box::pin(stream::iter(two())), None), Ok((vec!["ab".into(), "c".into()], true)));
        let slow = || Err(BodyError::too_slow());
        assert_eq!(primed_of(silent(vec![chunk(""), slow()]), None), Err(ClientFault::Stalled));
        let broken = || Err(BodyError::runtime("reset"));
        assert!(matches!(primed_of(silent(vec![broken()]), None), Err(ClientFault::Malformed(_))));
    }

    #[test]
    fn a_body_that_breaks_off_is_the_reason_whatever_the_runtime_says() {
        let writer: Writer = Box::pin(async { Err(Unsent::Broken(crate::body::BodyError::too_slow())) });
        let sending = std::future::ready(Err::<(), _>(ErrorCode::HttpProtocolError));
        let failed = block_on(send(sending, writer, None));
        assert_eq!(failed, Err(FetchError::Client(ClientFault::Stalled)));
    }

    #[test]
    fn an_origin_that_reads_no_more_may_still_answer() {
        let writer: Writer = Box::pin(async { Err(Unsent::NotWanted) });
        assert_eq!(block_on(send(std::future::ready(Ok(7)), writer, None)), Ok(7));
        let writer: Writer = Box::pin(async { Err(Unsent::NotRead) });
        let waits = std::future::pending::<Result<(), _>>();
        assert_eq!(block_on(send(waits, writer, None)), Err(FetchError::ResponseTimeout));
    }
}
