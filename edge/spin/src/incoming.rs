//! Bodies that come from the runtime, chunk by chunk.

use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};
use spin_sdk::wasip3::wit_future;

use crate::body::BodyError;

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
}

impl Incoming {
    pub(crate) fn of_request(request: Request) -> Self {
        let (taken, told) = wit_future::new(|| Ok(()));
        let (chunks, ended) = Request::consume_body(request, told);
        Self { chunks, ended, taken }
    }

    pub(crate) fn of_response(response: Response) -> Self {
        let (taken, told) = wit_future::new(|| Ok(()));
        let (chunks, ended) = Response::consume_body(response, told);
        Self { chunks, ended, taken }
    }

    /// Its chunks; the last item says whether it broke off. `length`: how many bytes there are, where that is known; the body
    /// ends with the last of them, and not only when the runtime says so: whoever captures it has it before the client does.
    pub(crate) fn into_stream(
        self,
        length: Option<u64>,
    ) -> Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>>>> {
        Box::pin(futures_util::stream::unfold(Some((self, length)), |body| async {
            let (mut body, left) = body?;
            if left == Some(0) {
                return None;
            }
            let (result, read) = body.chunks.read(Vec::with_capacity(CHUNK)).await;
            if !read.is_empty() {
                let left = left.map(|left| left.saturating_sub(read.len() as u64));
                return Some((Ok(tight(read)), Some((body, left))));
            }
            match result {
                // A read of nothing is no end.
                StreamResult::Complete(_) => Some((Ok(Bytes::new()), Some((body, left)))),
                StreamResult::Dropped | StreamResult::Cancelled => match body.ended.await {
                    Ok(_trailers) => None,
                    Err(code) => Some((Err(BodyError(code.to_string())), None)),
                },
            }
        }))
    }
}

/// What is kept must not keep the whole buffer.
fn tight(read: Vec<u8>) -> Bytes {
    if read.len() * 2 < read.capacity() { Bytes::copy_from_slice(&read) } else { Bytes::from(read) }
}
