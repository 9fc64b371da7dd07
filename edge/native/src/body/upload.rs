//! The body of a request, as it arrives.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use hyper::body::Incoming;
use levee::platform::ClientFault;

use super::BodyError;

/// The data of a request's body. Trailers are dropped.
#[derive(Debug)]
pub(super) struct Upload(pub(super) Incoming);

impl Stream for Upload {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => Some(Err(BodyError::Client(fault(&error)))),
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
