//! Only the user that the server runs as may read a store: its keys hold what clients sent, tokens in URLs among it.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Read and written by its owner, and by nobody else.
const OWNER: u32 = 0o600;

/// Makes an empty file that is private from its first moment, where there is none, and follows links as SQLite does: where the
/// file is.
///
/// A file that is there is not opened: to close it would give up the locks that SQLite has on it in this process.
pub(super) fn create(path: &Path) -> io::Result<PathBuf> {
    if !path.exists() {
        OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER).open(path)?;
    }
    path.canonicalize()
}

/// Takes away what others may do with a store, and with the two files beside it. SQLite gives those that it makes later the
/// mode of the store.
pub(super) fn tighten(path: &Path) -> io::Result<()> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match tighten_one(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn tighten_one(file: &Path) -> io::Result<()> {
    if file.metadata()?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(file, Permissions::from_mode(OWNER))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether others may put another file in the store's place: its folder lets them write, and no sticky bit keeps them from what
/// is not theirs.
pub(super) fn is_exposed(path: &Path) -> bool {
    path.parent().and_then(|folder| folder.metadata().ok()).is_some_and(|folder| {
        let mode = folder.permissions().mode();
        mode & 0o022 != 0 && mode & 0o1000 == 0
    })
}
