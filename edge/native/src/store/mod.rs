//! The tier behind memory: one SQLite file.

mod database;
mod private;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use levee::platform::{Store, StoreError, StoreLimits};
use tokio::sync::oneshot;

use worker::{Change, Reader, Writer};

/// Largest value, as on Workers KV.
const VALUE: u64 = 25 << 20;

/// Answers useful for less are not worth a write to the disk.
const WORTH: Duration = Duration::from_secs(1);

/// Entries in a SQLite file. One thread reads and one writes; nobody else waits for the disk.
///
/// The threads end, with what they were given done, when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    /// Begins each key in the file: what the origins of another server have answered is not found.
    scope: Arc<str>,
    reader: Arc<Reader>,
    writer: Arc<Writer>,
}

/// A file is no store of ours, or cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store {} cannot be opened: {source}", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("{} is a SQLite database, but not a store of Levee: name another file", path.display())]
    Foreign { path: PathBuf },
    #[error("the store {} cannot be made: {source}", path.display())]
    Create { path: PathBuf, source: std::io::Error },
    #[error(
        "other users may read the store {}, and that cannot be changed ({source}): name a file of your own",
        path.display()
    )]
    Exposed { path: PathBuf, source: std::io::Error },
    #[error("a thread for the store cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl SqliteStore {
    /// Opens or makes the store at `path`. It holds at most `max_size` bytes of keys and values; the oldest go first.
    ///
    /// `origins` names those whose responses it is for ([`levee::identity::of_origins`]). What others have answered stays in
    /// the file, for a server that is before them, until it expires or makes room; this one neither finds nor changes it.
    ///
    /// Only its owner may read it: a file with a looser mode gets 0600.
    pub fn open(path: &Path, max_size: u64, origins: &str) -> Result<Self, OpenError> {
        let scope = format!("{origins} ");
        // The writer comes first: it makes the table that the reader reads.
        let writing = database::Writing::open(path, max_size)?;
        let others = writing
            .has_only_others(&scope)
            .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
        if others {
            tracing::info!(
                store = %path.display(),
                "the store holds responses of other origins alone; they are not used, and it begins empty for these"
            );
        }
        let writer = Writer::start(writing)?;
        let reader = Reader::start(database::Reading::open(path)?)?;
        Ok(Self { scope: scope.into(), reader: Arc::new(reader), writer: Arc::new(writer) })
    }

    fn scoped(&self, key: &str) -> String {
        [&self.scope, key].concat()
    }

    async fn change(&self, change: Change) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        self.writer.send(change, done)?;
        wait.await.map_err(|_| ended())?
    }
}

fn ended() -> StoreError {
    StoreError("the store's thread has ended".to_owned())
}

impl Store for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn limits(&self) -> StoreLimits {
        StoreLimits { value: VALUE, worth: WORTH }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let (found, wait) = oneshot::channel();
        self.reader.send(self.scoped(key), found)?;
        wait.await.map_err(|_| ended())?
    }

    async fn put(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), StoreError> {
        if value.len() as u64 > VALUE {
            return Err(StoreError(format!(
                "{} bytes are more than a value may have ({VALUE})",
                value.len()
            )));
        }
        let expires = crate::platform::now() + keep;
        self.change(Change::Put { key: self.scoped(key), value, expires }).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.change(Change::Delete { key: self.scoped(key) }).await
    }
}

#[cfg(test)]
mod tests;
