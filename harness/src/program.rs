use std::env;
use std::path::PathBuf;

use crate::{Error, Result};

/// Where servers are that a user's PATH often leaves out.
const ALSO: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Finds an installed program on PATH, or where distributions put servers.
///
/// # Errors
/// [`Error::Missing`] with `remedy`, which says how to get it.
pub fn find_program(name: &str, remedy: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(ALSO.map(PathBuf::from));
    let missing = || Error::Missing { what: name.to_owned(), remedy: remedy.to_owned() };
    folders.map(|folder| folder.join(name)).find(|file| file.is_file()).ok_or_else(missing)
}
