//! The store's two threads, each behind a queue with a bound.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use levee::Time;
use levee::platform::StoreError;
use tokio::sync::oneshot;

use super::database::{Reading, Writing};
use super::ended;

/// Requests that wait for the disk. One more is refused: a miss, or a write left out, costs less than a queue.
const WAITING: usize = 1024;

/// Writes in one transaction, so that a burst costs one.
const TOGETHER: usize = 64;

/// How often expired rows are looked for.
const PURGE: Duration = Duration::from_secs(30);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Clone, Debug)]
pub(super) enum Change {
    Put { key: String, value: Bytes, expires: Time },
    Delete { key: String },
}

fn store_error(error: &rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

fn offer<T>(queue: &SyncSender<T>, work: T) -> Result<(), StoreError> {
    queue.try_send(work).map_err(|error| match error {
        TrySendError::Full(_) => StoreError("too many requests wait for the store".to_owned()),
        TrySendError::Disconnected(_) => ended(),
    })
}

type Look = (String, Reply<Option<Bytes>>);

#[derive(Debug)]
pub(super) struct Reader {
    queue: SyncSender<Look>,
}

impl Reader {
    pub(super) fn start(database: Reading) -> io::Result<Self> {
        let (queue, looks) = sync_channel::<Look>(WAITING);
        thread::Builder::new().name("levee-sqlite-r".to_owned()).spawn(move || {
            for (key, reply) in looks {
                // Who gave up waiting needs no answer.
                if !reply.is_closed() {
                    let found = database.get(&key, crate::platform::now());
                    let _ = reply.send(found.map_err(|error| store_error(&error)));
                }
            }
        })?;
        Ok(Self { queue })
    }

    pub(super) fn send(&self, key: String, reply: Reply<Option<Bytes>>) -> Result<(), StoreError> {
        offer(&self.queue, (key, reply))
    }
}

type Write = (Change, Reply<()>);

#[derive(Debug)]
pub(super) struct Writer {
    /// Taken when dropped: closing the queue ends the thread.
    queue: Option<SyncSender<Write>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(database: Writing) -> io::Result<Self> {
        let (queue, writes) = sync_channel::<Write>(WAITING);
        let thread = thread::Builder::new()
            .name("levee-sqlite-w".to_owned())
            .spawn(move || write(database, &writes))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) fn send(&self, change: Change, reply: Reply<()>) -> Result<(), StoreError> {
        self.queue.as_ref().map_or_else(|| Err(ended()), |queue| offer(queue, (change, reply)))
    }
}

impl Drop for Writer {
    /// What was promised is written before the process may end.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

fn write(mut database: Writing, writes: &Receiver<Write>) {
    let mut purge_at = Instant::now();
    loop {
        match writes.recv_timeout(purge_at.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                let batch: Vec<Write> =
                    std::iter::once(first).chain(writes.try_iter()).take(TOGETHER).collect();
                let done = database
                    .apply(batch.iter().map(|(change, _)| change))
                    .map_err(|error| store_error(&error));
                for (_, reply) in batch {
                    let _ = reply.send(done.clone());
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let more = database.purge(crate::platform::now()).unwrap_or_else(|error| {
                    tracing::warn!(%error, "expired entries cannot be removed from the store");
                    false
                });
                purge_at = Instant::now() + if more { Duration::from_millis(50) } else { PURGE };
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
