//! Bodies that come from the runtime, chunk by chunk.

use bytes::Bytes;
use levee::body::{Pace, Paced};
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;

use crate::body::{BodyError, Chunks};
use crate::pace::Clock;

/// What is read at once, in bytes.
const CHUNK: usize = 16 << 10;

/// How a body ended.
pub(crate) type Ended = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// A body of which nothing has been read yet.
pub(crate) struct Incoming {
    pub(crate) chunks: StreamReader<u8>,
    pub(crate) ended: Ended,
    /// Tells the sender what became of it; dropped, that all is well.
    pub(crate) taken: FutureWriter<Result<(), ErrorCode>>,
    pub(crate) held_to: HeldTo,
}

/// How slowly a body may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldTo {
    /// As slowly as the runtime lets it.
    Runtime,
    /// This, whoever reads it: a client's body.
    Pace(Pace),
    /// This, while it is captured: an origin's body. Whether it is idle the runtime sees (`between-bytes-timeout`).
    WhileCaptured(Pace),
}

impl Incoming {
    pub(crate) fn of_request(request: Request) -> Self {
        let (taken, told) = wit_future::new(|| Ok(()));
        let (chunks, ended) = Request::consume_body(request, told);
        Self { chunks, ended, taken, held_to: HeldTo::Runtime }
    }

    pub(crate) fn of_response(response: Response, pace: Pace) -> Self {
        let (taken, told) = wit_future::new(|| Ok(()));
        let (chunks, ended) = Response::consume_body(response, told);
        Self { chunks, ended, taken, held_to: HeldTo::WhileCaptured(pace) }
    }

    /// Its chunks; the last item says whether it broke off. `length`: how many bytes there are, where that is known; the body
    /// ends with the last of them, and not only when the runtime says so: whoever captures it has it before the client does.
    /// One that is shorter or longer breaks off.
    pub(crate) fn into_stream(self, length: Option<u64>) -> Chunks {
        let pace = match self.held_to {
            HeldTo::Pace(pace) => Some(pace),
            HeldTo::Runtime | HeldTo::WhileCaptured(_) => None,
        };
        let chunks = self.read(length);
        match pace {
            Some(pace) => Box::pin(Paced::new(chunks, Clock::default(), pace, BodyError::too_slow)),
            None => chunks,
        }
    }

    /// As [`Self::into_stream`], for a body that is captured until the clock is stopped.
    pub(crate) fn into_captured(self, length: Option<u64>) -> (Chunks, Clock) {
        let clock = Clock::default();
        let chunks: Chunks = match self.held_to {
            HeldTo::WhileCaptured(pace) => {
                Box::pin(Paced::new(self.read(length), clock.clone(), pace, BodyError::too_slow))
            }
            HeldTo::Runtime | HeldTo::Pace(_) => self.into_stream(length),
        };
        (chunks, clock)
    }

    fn read(self, length: Option<u64>) -> Chunks {
        Box::pin(futures_util::stream::unfold(Some((self, length)), |body| async {
            let (mut body, left) = body?;
            if left == Some(0) {
                return None;
            }
            let (result, read) = body.chunks.read(Vec::with_capacity(CHUNK)).await;
            if !read.is_empty() {
                return Some(match rest(left, read.len()) {
                    Ok(left) => (Ok(tight(read)), Some((body, left))),
                    Err(error) => (Err(error), None),
                });
            }
            match result {
                // A read of nothing is no end.
                StreamResult::Complete(_) => Some((Ok(Bytes::new()), Some((body, left)))),
                StreamResult::Dropped | StreamResult::Cancelled => match body.ended.await {
                    Ok(_trailers) if left.is_none() => None,
                    Ok(_trailers) => Some((Err(BodyError::runtime("it ended too early")), None)),
                    Err(code) => Some((Err(BodyError::runtime(code.to_string())), None)),
                },
            }
        }))
    }
}

/// What is left after `read` bytes.
fn rest(left: Option<u64>, read: usize) -> Result<Option<u64>, BodyError> {
    match left {
        None => Ok(None),
        Some(left) => match left.checked_sub(read as u64) {
            Some(left) => Ok(Some(left)),
            None => Err(BodyError::runtime("it is longer than its Content-Length")),
        },
    }
}

/// What is kept must not keep the whole buffer.
fn tight(mut read: Vec<u8>) -> Bytes {
    read.shrink_to_fit();
    Bytes::from(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_neither_longer_nor_shorter_than_it_says() {
        assert_eq!(rest(None, 5), Ok(None));
        assert_eq!(rest(Some(5), 2), Ok(Some(3)));
        assert_eq!(rest(Some(5), 5), Ok(Some(0)));
        assert!(rest(Some(5), 6).is_err());
    }

    #[test]
    fn a_chunk_keeps_no_more_than_its_bytes() {
        let mut read = Vec::with_capacity(CHUNK);
        read.extend_from_slice(&[7; 9_000]);
        let kept = tight(read);
        let vec: Vec<u8> = kept.into();
        assert_eq!((vec.len(), vec.capacity()), (9_000, 9_000));
    }
}
