//! What can go wrong with the database.

use std::path::{Path, PathBuf};

/// An error of the database, in words for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the database said: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("cannot open the database {path}: {source}; --database FILE takes another")]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("cannot make the folder {path}: {source}; --database FILE takes another")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("cannot copy the database {template} to {path}: {source}")]
    Template { template: PathBuf, path: PathBuf, source: std::io::Error },
    #[error(
        "{path} was made by another version of the box office (schema {found}, this one knows {known}); \
             move it away or take another with --database FILE"
    )]
    Version { path: PathBuf, found: i64, known: i64 },
    #[error("{path} is an SQLite file, but not the box office's; take another with --database FILE")]
    Foreign { path: PathBuf },
    #[error("the catalogue cannot be loaded: {0}")]
    Seed(String),
    #[error("a date cannot be computed: {0}")]
    Date(#[from] jiff::Error),
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("the work on the database was broken off")]
    Lost,
}

impl Error {
    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        Self::Open { path: path.to_owned(), source }
    }

    pub(super) fn folder(path: &Path, source: std::io::Error) -> Self {
        Self::Folder { path: path.to_owned(), source }
    }

    /// Whether trying again later may help.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        )
    }
}
