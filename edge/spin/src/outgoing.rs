//! Bodies that go to the runtime.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::{wit_future, wit_stream};

use crate::body::{Body, BodyError, Chunks, Inner};
use crate::incoming::{Ended, Incoming};
use crate::pace::Patience;

/// What is written at once, in bytes: a large body is not copied as a whole, and a slow reader has time for so much.
const PART: usize = 64 << 10;

/// A body of at most so many bytes is within the runtime's buffers as soon as it has come, whether or not its reader reads. The
/// runtime passes it on by itself; others are written here, where a reader that does not read is given up.
const BUFFERED: u64 = 64 << 10;

/// A body as the runtime takes it.
pub(crate) struct Outgoing {
    pub(crate) contents: Option<StreamReader<u8>>,
    pub(crate) ended: Ended,
    /// Has to run for the body to go out.
    pub(crate) writer: Option<Writer>,
}

/// Writes a body.
pub(crate) type Writer = Pin<Box<dyn Future<Output = Result<(), Unsent>>>>;

/// Why not all of a body was written. Its reader never takes that for its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// It broke off.
    Broken(BodyError),
    /// Its reader does not read.
    NotRead,
    /// Its reader wants no more of it.
    NotWanted,
}

impl Outgoing {
    pub(crate) fn nothing() -> Self {
        let (_end, ended) = wit_future::new(|| Ok(None));
        Self { contents: None, ended, writer: None }
    }

    /// A body that this component writes. `idle`: how long its reader may take for a part.
    pub(crate) fn written(body: Body, idle: Duration) -> Self {
        let chunks = match body.0 {
            Inner::Empty => return Self::nothing(),
            Inner::Bytes(bytes) => {
                // The runtime holds it to its Content-Length: nothing has to be said at its end.
                let (_end, ended) = wit_future::new(|| Ok(None));
                let (stream, contents) = wit_stream::new();
                let mut out = Out::new(stream, idle);
                let writer: Writer = Box::pin(async move { out.write(&bytes).await });
                return Self { contents: Some(contents), ended, writer: Some(writer) };
            }
            other => Body(other).into_chunks().0,
        };
        // Unless it is said that all of it was sent, it was not.
        let (end, ended) = wit_future::new(|| Err(broken("the body was abandoned")));
        let (stream, contents) = wit_stream::new();
        let mut out = Out::new(stream, idle);
        let writer: Writer = Box::pin(async move {
            let sent = out.write_all(chunks).await;
            // The end of the bytes is seen first, and then whether that was all.
            drop(out);
            match &sent {
                Ok(()) => drop(end.write(Ok(None)).await),
                Err(Unsent::Broken(error)) => drop(end.write(Err(broken(error))).await),
                Err(Unsent::NotRead | Unsent::NotWanted) => {}
            }
            sent
        });
        Self { contents: Some(contents), ended, writer: Some(writer) }
    }

    /// As [`Self::written`], but for what the runtime passes on by itself: nobody here looks at it.
    pub(crate) fn passed_on(body: Body, idle: Duration) -> Self {
        match body.0 {
            Inner::Incoming(Incoming { chunks, ended, taken, .. }, Some(length)) if length <= BUFFERED => {
                drop(taken);
                Self { contents: Some(chunks), ended, writer: None }
            }
            other => Self::written(Body(other), idle),
        }
    }
}

fn broken(why: impl ToString) -> ErrorCode {
    ErrorCode::InternalError(Some(why.to_string()))
}

struct Out {
    stream: StreamWriter<u8>,
    patience: Patience,
    /// The first part is taken by the runtime before anybody reads it.
    is_first: bool,
}

impl Out {
    fn new(stream: StreamWriter<u8>, idle: Duration) -> Self {
        Self { stream, patience: Patience::new(idle), is_first: true }
    }

    async fn write_all(&mut self, mut chunks: Chunks) -> Result<(), Unsent> {
        while let Some(chunk) = chunks.next().await {
            self.write(&chunk.map_err(Unsent::Broken)?).await?;
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &Bytes) -> Result<(), Unsent> {
        for part in bytes.chunks(PART) {
            let Self { stream, patience, is_first } = self;
            let mut writing = pin!(stream.write_all(part.to_vec()));
            let taken = poll_fn(|cx: &mut Context<'_>| {
                if let Poll::Ready(left) = writing.as_mut().poll(cx) {
                    return Poll::Ready(if left.is_empty() { Ok(()) } else { Err(Unsent::NotWanted) });
                }
                if *is_first {
                    return Poll::Pending;
                }
                patience.poll_ended(cx).map(|()| Err(Unsent::NotRead))
            });
            taken.await?;
            self.patience.renew();
            self.is_first = false;
        }
        Ok(())
    }
}
