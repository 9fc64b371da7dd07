//! Writing files so that nothing changes that need not, and nothing is ever half there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Writes the file unless it has this content already, in one step. Says whether it wrote.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    fs::create_dir_all(folder).with_context(failed)?;
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(content).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(true)
}

/// Every file below a folder, relative to it and sorted.
pub(crate) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let here = folder.join(&relative);
        for entry in fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// SHA-256 of the parts, each with its length, in hexadecimal.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits until no other process holds this lock, and holds it until dropped (or until this process ends).
pub(crate) fn lock(path: &Path, waiting_for: &str) -> Result<File> {
    let failed = || format!("cannot lock {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let file = File::options().create(true).append(true).open(path).with_context(failed)?;
    if file.try_lock().is_err() {
        println!("  waiting: {waiting_for} in another checkout or terminal");
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(fs::TryLockError::Error(error)) => return Err(error).with_context(failed),
                Err(fs::TryLockError::WouldBlock) if crate::stop::requested() => anyhow::bail!("stopped"),
                Err(fs::TryLockError::WouldBlock) => {
                    std::thread::sleep(std::time::Duration::from_millis(200));
                }
            }
        }
    }
    Ok(file)
}

/// The size in bytes after gzip at the level that Cloudflare counts with.
pub(crate) fn gzip_size(content: &[u8]) -> Result<usize> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_files_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a/b.txt");
        assert!(write_if_changed(&file, b"one").expect("written"));
        assert!(!write_if_changed(&file, b"one").expect("compared"));
        assert!(write_if_changed(&file, b"two").expect("written"));
        assert_eq!(fs::read(&file).expect("there"), b"two");
        assert_eq!(below(folder.path()).expect("listed"), [PathBuf::from("a/b.txt")]);
    }

    #[test]
    fn digests_know_where_parts_end() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(digest(&[b"ab"]).len(), 64);
    }
}
