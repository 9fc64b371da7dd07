//! The folder of one run: two runs of a checkout share nothing that either of them changes.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use levee_harness::ensure_free;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::project;

/// Where the runs of a checkout have their folders.
const RUNS: &str = "build/up";
/// Most runs of one checkout at a time.
const MOST: u16 = 100;
/// Ports that each run may choose from, so that two that start at the same time never choose the same.
const PORTS: u16 = 10;

/// A numbered folder that no other run uses until all processes of this one have ended.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// From 1.
    number: u16,
    _lock: File,
}

impl Folder {
    /// Takes the first folder that no living run has. What an earlier run left there (what it stored, the box office's
    /// database) is used again.
    ///
    /// What this process starts from now on holds the folder too: when it is killed, the folder is free only when they have
    /// ended. So take it after the tools that may leave a server behind, such as a build.
    ///
    /// # Errors
    /// The folder cannot be made or locked, or all are taken.
    pub(super) fn take(root: &Path) -> Result<Self> {
        for number in 1..=MOST {
            let path = root.join(RUNS).join(number.to_string());
            let failed = || format!("cannot take {}", path.display());
            fs::create_dir_all(&path).with_context(failed)?;
            let lock =
                File::options().create(true).append(true).open(path.join("lock")).with_context(failed)?;
            match lock.try_lock() {
                Ok(()) => {
                    // A child that has a copy of this descriptor holds the lock as well.
                    fcntl_setfd(&lock, FdFlags::empty()).with_context(failed)?;
                    return Ok(Self { path, number, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
            }
        }
        bail!("{MOST} runs of `up` have all folders below {RUNS}: stop one");
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The first free port of those that this run chooses from; `first` is where the first run begins. `None`: all are taken.
    pub(super) fn port(&self, first: u16) -> Option<u16> {
        self.ports(first).find(|port| ensure_free(*port).is_ok())
    }

    fn ports(&self, first: u16) -> impl Iterator<Item = u16> {
        let begin = first + (self.number - 1) * PORTS;
        begin..begin + PORTS
    }

    /// A copy of what was built, which a later build does not change.
    ///
    /// # Errors
    /// It cannot be copied.
    pub(super) fn keep(&self, built: &Path) -> Result<PathBuf> {
        let name = built.file_name().with_context(|| format!("{} is no file", built.display()))?;
        let kept = self.path.join("bin").join(name);
        let failed = || format!("cannot copy {} to {}", built.display(), kept.display());
        fs::create_dir_all(self.path.join("bin")).with_context(failed)?;
        // Never written in place: what is left of a run that was killed may still be running it.
        match fs::remove_file(&kept) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(failed);
            }
            _ => {}
        }
        fs::copy(built, &kept).with_context(failed)?;
        Ok(kept)
    }

    /// As it is best shown.
    pub(super) fn shown(&self, root: &Path) -> String {
        project::shown(root, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    /// Other tests start processes meanwhile, which hold a copy of every descriptor for a moment.
    fn take_when_free(root: &Path, number: u16) -> Folder {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let taken = Folder::take(root).expect("a folder");
            if taken.number == number || Instant::now() > deadline {
                return taken;
            }
            drop(taken);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn each_run_has_a_folder_and_ports_of_its_own() {
        let root = tempfile::tempdir().expect("a folder");
        let one = Folder::take(root.path()).expect("taken");
        let two = Folder::take(root.path()).expect("taken");
        assert_eq!((one.number, two.number), (1, 2));
        assert_ne!(one.path, two.path);
        assert!(one.ports(8787).all(|port| two.ports(8787).all(|other| port != other)));
        assert_eq!(one.ports(8787).next(), Some(8787));
        drop(one);
        assert_eq!(take_when_free(root.path(), 1).number, 1, "used again");
    }

    #[test]
    fn what_a_run_has_started_holds_its_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::take(root.path()).expect("taken");
        let mut child = Command::new("sleep").arg("60").spawn().expect("started");
        // As where the run is killed.
        drop(folder);
        assert_eq!(Folder::take(root.path()).expect("taken").number, 2);
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(take_when_free(root.path(), 1).number, 1);
    }

    #[test]
    fn what_is_kept_stays_as_it_was() {
        let root = tempfile::tempdir().expect("a folder");
        let built = root.path().join("program");
        fs::write(&built, "old").expect("written");
        let folder = Folder::take(root.path()).expect("taken");
        let kept = folder.keep(&built).expect("copied");
        fs::write(&built, "new").expect("written");
        assert_eq!(fs::read_to_string(&kept).expect("there"), "old");
        assert_eq!(fs::read_to_string(folder.keep(&built).expect("copied")).expect("there"), "new");
    }

    #[test]
    fn the_last_folder_has_ports_too() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder { number: MOST, ..Folder::take(root.path()).expect("taken") };
        assert_eq!(folder.ports(8787).count(), usize::from(PORTS));
    }
}
