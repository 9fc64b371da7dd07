use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// How long a write waits for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);

/// Stores in one file, in the table that Spin keeps its own in.
#[derive(Debug)]
pub(crate) struct Sqlite(Mutex<Connection>);

impl Sqlite {
    pub(super) fn open(file: &Path) -> Result<Self> {
        let db = Connection::open(file)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.execute(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))",
            [],
        )?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        // Each call is one statement: SQLite itself undoes one that was not finished.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, label: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.db()
            .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")?
            .query_row([label, key], |row| row.get(0))
            .optional()
    }

    pub(super) fn set(&self, label: &str, key: &str, value: &[u8]) -> Result<()> {
        self.db()
            .prepare_cached(
                "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (store, key) DO UPDATE SET value = ?3",
            )?
            .execute(params![label, key, value])
            .map(drop)
    }

    pub(super) fn delete(&self, label: &str, key: &str) -> Result<()> {
        self.db()
            .prepare_cached("DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2")?
            .execute([label, key])
            .map(drop)
    }

    pub(super) fn keys(&self, label: &str) -> Result<Vec<String>> {
        let db = self.db();
        let mut select = db.prepare_cached("SELECT key FROM spin_key_value WHERE store = ?1")?;
        select.query_map([label], |row| row.get(0))?.collect()
    }
}
