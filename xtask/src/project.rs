//! Where things are in the checkout.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The workspace's root, from where cargo was called.
pub(crate) fn root() -> Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => env::current_dir().context("the current folder is gone")?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file() && folder.join("wrangler.toml").is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("{} is not inside a checkout of Levee", start.display()))
}

/// A path as a user gave it, which is relative to where they stand and not to the workspace.
pub(crate) fn given(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))
}

/// The path that a user gave, else this one of the workspace.
pub(crate) fn given_or(path: Option<&Path>, root: &Path, otherwise: &str) -> Result<PathBuf> {
    path.map_or_else(|| Ok(root.join(otherwise)), given)
}

/// A path as it is best shown: from the root where it lies inside.
pub(crate) fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
