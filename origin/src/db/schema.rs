//! Opening a file, and making it what we expect.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Error;
use crate::seed;

/// Raised with every change of `schema.sql` or of the seed.
const VERSION: i64 = 1;
/// Longer than any transaction of ours but the first filling.
const BUSY: Duration = Duration::from_secs(10);
/// Longer than the first filling by another process, on a machine that is slow or has much else to do.
const FILLING: Duration = Duration::from_secs(120);
const STATEMENTS: usize = 64;

/// The connection that writes; it makes the file.
pub(super) fn open_writer(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path).map_err(|source| Error::open(path, source))?;
    connection.busy_timeout(BUSY)?;
    // A file that is no database shows itself at the first statement.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(|source| Error::open(path, source))?;
    // An order that was confirmed must be there after a power cut too.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// A connection that cannot write, whatever it is told.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|source| Error::open(path, source))?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Keeps statements and their plans. Unless told so, SQLite plans a statement anew each time it is run with another value that the
/// plan might depend on, which cost more than running it; ours depend on none.
fn keep_plans(connection: &Connection) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Makes and fills an empty database. Says whether it did. Safe when several processes start at once:
/// one fills, the others wait for its commit.
pub(super) fn prepare(connection: &mut Connection, path: &Path, now: i64) -> Result<bool, Error> {
    connection.busy_timeout(FILLING)?;
    let filled = fill(connection, path, now);
    connection.busy_timeout(BUSY)?;
    filled
}

fn fill(connection: &mut Connection, path: &Path, now: i64) -> Result<bool, Error> {
    if is_current(connection, path)? {
        return Ok(false);
    }
    tracing::info!("filling {} from the catalogue", path.display());
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_current(&transaction, path)? {
        return Ok(false);
    }
    transaction.execute_batch(include_str!("schema.sql"))?;
    seed::load(&transaction, now)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(true)
}

/// Whether the file holds our tables; false where it is empty, an error where it holds something else.
fn is_current(connection: &Connection, path: &Path) -> Result<bool, Error> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found == VERSION {
        return Ok(true);
    }
    if found != 0 {
        return Err(Error::Version { path: path.to_owned(), found, known: VERSION });
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables != 0 {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    /// What costs most of a query is said by the statement itself: how often it was planned anew.
    #[test]
    fn a_statement_is_planned_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("box-office.sqlite");
        let mut writer = open_writer(&path).expect("a database");
        // What the plan might depend on is known of tables that are filled.
        prepare(&mut writer, &path, 1_800_000_000).expect("filled");
        let reader = open_reader(&path).expect("a reader");
        for connection in [&mut writer, &mut { reader }] {
            for sql in ["SELECT title FROM films WHERE id = ?1", "SELECT id FROM screenings WHERE film = ?1"]
            {
                for id in 1..=3 {
                    let snapshot = connection.transaction().expect("a snapshot");
                    let mut select = snapshot.prepare_cached(sql).expect("a statement");
                    select.exists([id]).expect("run");
                    assert_eq!(select.get_status(StatementStatus::RePrepare), 0, "{sql} with {id}");
                }
            }
        }
    }
}
