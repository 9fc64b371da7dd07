//! SQLite: one writer, a few readers, and never on an async thread.

mod error;
pub(crate) mod films;
pub(crate) mod orders;
mod pool;
mod schema;
pub(crate) mod screenings;
mod template;

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) use error::Error;
use pool::Pool;

/// Readers see the last commit and do not wait for the writer (WAL).
const READERS: usize = 4;

/// The database, shared by all requests.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    readers: Arc<Pool>,
    writer: Arc<Pool>,
}

impl Db {
    /// Makes and fills the file where it does not exist or is empty, and closes it.
    pub(crate) async fn prepare(path: &Path, template: Option<&Path>) -> Result<(), Error> {
        let (path, template) = (path.to_owned(), template.map(Path::to_owned));
        let made = tokio::task::spawn_blocking(move || make(&path, template.as_deref()).map(drop));
        made.await.map_err(|_| Error::Lost)?
    }

    /// Opens the file; makes and fills it where it does not exist or is empty.
    pub(crate) async fn open(path: &Path, template: Option<&Path>) -> Result<Self, Error> {
        let (path, template) = (path.to_owned(), template.map(Path::to_owned));
        let opened = tokio::task::spawn_blocking(move || {
            let writer = make(&path, template.as_deref())?;
            let readers = (0..READERS).map(|_| schema::open_reader(&path)).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, Error>((writer, readers))
        });
        let (writer, readers) = opened.await.map_err(|_| Error::Lost)??;
        Ok(Self { readers: Arc::new(Pool::new(readers)), writer: Arc::new(Pool::new(vec![writer])) })
    }

    /// Runs `query` on a connection that can only read, within one snapshot of the data.
    pub(crate) async fn read<T, F>(&self, query: F) -> Result<T, Error>
    where
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.readers
            .run(move |connection| {
                let snapshot = connection.transaction()?;
                query(&snapshot)
            })
            .await
    }

    /// Runs `change` in one transaction that holds the write lock from its first statement;
    /// it is committed when `change` succeeds.
    pub(crate) async fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.writer
            .run(move |connection| {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let result = change(&transaction)?;
                transaction.commit()?;
                Ok(result)
            })
            .await
    }

    /// Puts shown screenings on sale again and forgets old idempotency keys. Writes nothing where nothing is due.
    pub(crate) async fn caretake(&self) -> Result<(), Error> {
        let now = now();
        let due =
            self.read(move |db| Ok(screenings::any_over(db, now)? || orders::any_old_key(db, now)?)).await?;
        if !due {
            return Ok(());
        }
        let renewed = self
            .write(move |tx| {
                orders::forget_old_keys(tx, now)?;
                screenings::renew(tx, now)
            })
            .await?;
        tracing::info!("put {renewed} screenings that were shown on sale for their next date");
        Ok(())
    }
}

/// The connection that writes to a complete database, made from the template or filled where it is not there yet.
fn make(path: &Path, from: Option<&Path>) -> Result<Connection, Error> {
    let started = Instant::now();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| Error::folder(folder, source))?;
    }
    if let Some(from) = from
        && template::copy(from, path)?
    {
        tracing::info!("copied {} to {} in {:.1?}", from.display(), path.display(), started.elapsed());
    }
    let mut writer = schema::open_writer(path)?;
    if schema::prepare(&mut writer, path, now())? {
        tracing::info!("filled {} in {:.1?}", path.display(), started.elapsed());
    }
    Ok(writer)
}

/// Seconds of Unix time.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}
