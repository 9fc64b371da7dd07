//! Copies of folders.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Copies a folder over another. Files that have the same content already keep their time, which builds go by.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
            continue;
        }
        let content = fs::read(entry.path()).with_context(|| entry.path().display().to_string())?;
        if fs::read(&target).is_ok_and(|there| there == content) {
            continue;
        }
        fs::write(&target, content).with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

/// An empty folder, whatever was there.
pub(crate) fn replace_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
