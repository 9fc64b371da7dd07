//! Bodies that go to the runtime.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::{wit_future, wit_stream};

use crate::body::{Body, Chunks, Inner};
use crate::incoming::{Ended, Incoming};

/// What is written at once, in bytes: a large body is not copied as a whole.
const PART: usize = 64 << 10;

/// A body as the runtime takes it.
pub(crate) struct Outgoing {
    pub(crate) contents: Option<StreamReader<u8>>,
    pub(crate) ended: Ended,
    /// Has to run for the body to go out.
    pub(crate) writer: Option<Writer>,
}

pub(crate) type Writer = Pin<Box<dyn Future<Output = ()>>>;

impl Outgoing {
    pub(crate) fn nothing() -> Self {
        let (_end, ended) = wit_future::new(|| Ok(None));
        Self { contents: None, ended, writer: None }
    }

    /// A body that this component writes.
    pub(crate) fn written(body: Body) -> Self {
        match body.0 {
            Inner::Empty => Self::nothing(),
            Inner::Bytes(bytes) => {
                let (_end, ended) = wit_future::new(|| Ok(None));
                let (stream, contents) = wit_stream::new();
                let writer: Writer = Box::pin(write_bytes(stream, bytes));
                Self { contents: Some(contents), ended, writer: Some(writer) }
            }
            Inner::Incoming(body, length) => Self::streamed(body.into_stream(length)),
            Inner::Stream(chunks, _) => Self::streamed(chunks),
        }
    }

    /// A body that the runtime passes on by itself where it can: nobody here looks at it.
    pub(crate) fn passed_on(body: Body) -> Self {
        match body.0 {
            Inner::Incoming(Incoming { chunks, ended, taken }, _) => {
                drop(taken);
                Self { contents: Some(chunks), ended, writer: None }
            }
            other => Self::written(Body(other)),
        }
    }

    fn streamed(mut chunks: Chunks) -> Self {
        // Unless it is said that all of it was sent, it was not.
        let (end, ended) = wit_future::new(|| Err(broken("the body was abandoned".to_owned())));
        let (mut stream, contents) = wit_stream::new();
        let writer: Writer = Box::pin(async move {
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) if !write(&mut stream, &chunk).await => return,
                    Ok(_) => {}
                    Err(error) => {
                        drop(stream);
                        let _ = end.write(Err(broken(error.to_string()))).await;
                        return;
                    }
                }
            }
            drop(stream);
            let _ = end.write(Ok(None)).await;
        });
        Self { contents: Some(contents), ended, writer: Some(writer) }
    }
}

fn broken(why: String) -> ErrorCode {
    ErrorCode::InternalError(Some(why))
}

async fn write_bytes(mut stream: StreamWriter<u8>, bytes: Bytes) {
    write(&mut stream, &bytes).await;
}

/// Writes all of it; `false` where nobody reads any more.
async fn write(stream: &mut StreamWriter<u8>, bytes: &[u8]) -> bool {
    for part in bytes.chunks(PART) {
        if !stream.write_all(part.to_vec()).await.is_empty() {
            return false;
        }
    }
    true
}
