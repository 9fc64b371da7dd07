//! The store's two threads, each behind a queue with a bound.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// Bytes of all writes that wait. A value that is larger waits alone.
const WAITING_BYTES: u64 = 8 << 20;

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

impl Change {
    /// Bytes that it holds while it waits. What is to be forgotten is never refused for them.
    fn weight(&self) -> u64 {
        match self {
            Self::Put { key, value, .. } => (key.len() + value.len()) as u64,
            Self::Delete { .. } => 0,
        }
    }
}

/// What the writes that wait hold in memory, all together.
#[derive(Debug, Default)]
struct Held(AtomicU64);

impl Held {
    /// Whether so many bytes more may wait. What is let in is given back by [`Self::give`].
    fn take(&self, bytes: u64) -> bool {
        let fits = |held: u64| {
            let all = held.checked_add(bytes)?;
            (bytes == 0 || held == 0 || all <= WAITING_BYTES).then_some(all)
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    fn give(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn too_many() -> StoreError {
    StoreError("too many requests wait for the store".to_owned())
}

fn store_error(error: &rusqlite::Error) -> StoreError {
    StoreError(error.to_string())
}

fn offer<T>(queue: &SyncSender<T>, work: T) -> Result<(), StoreError> {
    queue.try_send(work).map_err(|error| match error {
        TrySendError::Full(_) => too_many(),
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
    held: Arc<Held>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(database: Writing) -> io::Result<Self> {
        let (queue, writes) = sync_channel::<Write>(WAITING);
        let held = Arc::<Held>::default();
        let given_back = held.clone();
        let thread = thread::Builder::new()
            .name("levee-sqlite-w".to_owned())
            .spawn(move || write(database, &writes, &given_back))?;
        Ok(Self { queue: Some(queue), held, thread: Some(thread) })
    }

    pub(super) fn send(&self, change: Change, reply: Reply<()>) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        let weight = change.weight();
        if !self.held.take(weight) {
            return Err(too_many());
        }
        offer(queue, (change, reply)).inspect_err(|_| self.held.give(weight))
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

fn write(mut database: Writing, writes: &Receiver<Write>, held: &Held) {
    let mut purge_at = Instant::now();
    loop {
        match writes.recv_timeout(purge_at.saturating_duration_since(Instant::now())) {
            Ok(first) => {
                let batch: Vec<Write> =
                    std::iter::once(first).chain(writes.try_iter()).take(TOGETHER).collect();
                let done = database
                    .apply(batch.iter().map(|(change, _)| change))
                    .map_err(|error| store_error(&error));
                for (change, reply) in batch {
                    held.give(change.weight());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        let held = Held::default();
        assert!(held.take(WAITING_BYTES) && !held.take(1));
        held.give(WAITING_BYTES);
        assert!(held.take(3 * WAITING_BYTES), "alone, a value may be as large as it is");
        assert!(!held.take(1) && held.take(0));
        held.give(3 * WAITING_BYTES);
        assert!(held.take(1) && held.take(1));
    }
}
