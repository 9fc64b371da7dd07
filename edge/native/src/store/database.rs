//! The file: its table, and what is asked of it.

use std::path::Path;

use bytes::Bytes;
use levee::Time;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

use super::worker::Change;
use super::{OpenError, private};

/// Says in the file's header whose it is: `LVEE`.
const APPLICATION: i32 = 0x4c56_4545;

/// Raised when the table or its keys change their shape. An older store is emptied: it holds nothing that cannot be fetched.
/// 2: each key begins with the origins that it is of.
const VERSION: i32 = 2;

/// `seq` grows with each write, so that it orders rows by age.
const TABLE: &str = "
    CREATE TABLE entry (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        value BLOB NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX entry_expires ON entry (expires);";

/// Rows that one clean-up takes, so that no write waits for long.
const BATCH: i64 = 500;

/// SQLite's integers have a sign.
fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Debug)]
pub(super) struct Reading {
    connection: Connection,
}

impl Reading {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let wrap = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
        connection.busy_timeout(std::time::Duration::from_secs(1)).map_err(wrap)?;
        connection.pragma_update(None, "mmap_size", 256 << 20).map_err(wrap)?;
        Ok(Self { connection })
    }

    /// What is there and not expired.
    pub(super) fn get(&self, key: &str, now: Time) -> rusqlite::Result<Option<Bytes>> {
        self.connection
            .prepare_cached("SELECT value FROM entry WHERE key = ?1 AND expires > ?2")?
            .query_row(params![key, integer(now.as_millis())], |row| row.get::<_, Vec<u8>>(0))
            .optional()
            .map(|value| value.map(Bytes::from))
    }
}

#[derive(Debug)]
pub(super) struct Writing {
    connection: Connection,
    max_size: u64,
    /// Bytes of all keys and values.
    size: u64,
}

impl Writing {
    pub(super) fn open(path: &Path, max_size: u64) -> Result<Self, OpenError> {
        let wrap = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let file =
            private::create(path).map_err(|source| OpenError::Create { path: path.to_owned(), source })?;
        if private::is_exposed(&file) {
            tracing::warn!(store = %file.display(), "others can replace the store: they may write to its folder");
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(wrap)?;
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application, version) =
            (pragma("application_id").map_err(wrap)?, pragma("user_version").map_err(wrap)?);
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrap)?;
        if application != APPLICATION && tables > 0 {
            return Err(OpenError::Foreign { path: path.to_owned() });
        }
        // Not before it is known whose file this is, and before anything is written to it.
        private::tighten(&file).map_err(|source| OpenError::Exposed { path: path.to_owned(), source })?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(wrap)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(wrap)?;
        if application != APPLICATION || version != VERSION {
            connection
                .execute_batch(&format!(
                    "BEGIN; DROP TABLE IF EXISTS entry; {TABLE}
                     PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
                ))
                .map_err(wrap)?;
        }
        let size: i64 = connection
            .query_row("SELECT coalesce(sum(length(key) + length(value)), 0) FROM entry", [], |row| {
                row.get(0)
            })
            .map_err(wrap)?;
        Ok(Self { connection, max_size, size: u64::try_from(size).unwrap_or(0) })
    }

    /// Whether there is something, and no key begins with `scope`.
    pub(super) fn has_only_others(&self, scope: &str) -> rusqlite::Result<bool> {
        self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM entry)
             AND NOT EXISTS (SELECT 1 FROM entry WHERE key >= ?1 AND key < ?1 || char(1114111))",
            [scope],
            |row| row.get(0),
        )
    }

    /// Carries out all of `changes`, or none.
    pub(super) fn apply<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> rusqlite::Result<()> {
        let mut size = self.size;
        let transaction = self.connection.transaction()?;
        for change in changes {
            match change {
                Change::Put { key, value, expires } => {
                    let written = (key.len() + value.len()) as u64;
                    size = size.saturating_sub(remove(&transaction, key)?) + written;
                    transaction
                        .prepare_cached("INSERT INTO entry (key, value, expires) VALUES (?1, ?2, ?3)")?
                        .execute(params![key, &value[..], integer(expires.as_millis())])?;
                }
                Change::Delete { key } => size = size.saturating_sub(remove(&transaction, key)?),
            }
        }
        while size > self.max_size {
            let freed = remove_oldest(&transaction)?;
            if freed == 0 {
                break;
            }
            size = size.saturating_sub(freed);
        }
        transaction.commit()?;
        self.size = size;
        Ok(())
    }

    /// Removes expired rows, at most [`BATCH`] of them. Answers whether there may be more.
    pub(super) fn purge(&mut self, now: Time) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE expires <= ?1 LIMIT ?2)
             RETURNING length(key) + length(value)",
        )?;
        let sizes = statement
            .query_map(params![integer(now.as_millis()), BATCH], |row| row.get::<_, i64>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        let freed: i64 = sizes.iter().sum();
        self.size = self.size.saturating_sub(u64::try_from(freed).unwrap_or(0));
        Ok(integer(sizes.len() as u64) == BATCH)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// Removes one row and answers how many bytes that were.
fn remove(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<u64> {
    let freed: Option<i64> = transaction
        .prepare_cached("DELETE FROM entry WHERE key = ?1 RETURNING length(key) + length(value)")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(freed.map_or(0, |freed| u64::try_from(freed).unwrap_or(0)))
}

fn remove_oldest(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let freed: Option<i64> = transaction
        .prepare_cached(
            "DELETE FROM entry WHERE seq = (SELECT min(seq) FROM entry)
             RETURNING length(key) + length(value)",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(freed.map_or(0, |freed| u64::try_from(freed).unwrap_or(0)))
}
