use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Node, announce};
use crate::{files, run};

/// Which of package.json's packages are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Packages {
    /// `dependencies`: what builds and runs the Worker.
    Run,
    /// `devDependencies` too: the browser and its driver.
    Test,
}

impl Packages {
    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Test => "test",
        }
    }
}

/// Where npm puts the packages.
pub(crate) fn node_modules(root: &Path) -> PathBuf {
    root.join("node_modules")
}

/// Installs the packages of package-lock.json, unless they are there since the lock file last changed.
pub(crate) fn ensure(root: &Path, node: &Node, packages: Packages) -> Result<()> {
    let lock_file = root.join("package-lock.json");
    let lock = fs::read(&lock_file).with_context(|| format!("cannot read {}", lock_file.display()))?;
    let digest = files::digest(&[&lock, std::env::consts::OS.as_bytes(), std::env::consts::ARCH.as_bytes()]);
    let stamp = node_modules(root).join(".levee-installed");
    if is_installed(&stamp, &digest, packages) {
        return Ok(());
    }
    let _lock = files::lock(&root.join("build/npm.lock"), "npm packages are being installed")?;
    if is_installed(&stamp, &digest, packages) {
        return Ok(());
    }
    let (what, may_take) = match packages {
        Packages::Run => ("Installing npm packages (wrangler, binaryen)", "half a minute"),
        Packages::Test => ("Installing npm packages (wrangler, binaryen, a headless Chromium)", "a minute"),
    };
    announce(what, Some(may_take));
    let mut command = Command::new("npm");
    // The packages work without their install scripts, and nothing runs that need not.
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]);
    if packages == Packages::Run {
        command.arg("--omit=dev");
    }
    command.current_dir(root).env("PATH", node.path());
    run::quietly(&mut command).context("npm packages could not be installed")?;
    files::write_if_changed(&stamp, format!("{digest} {}\n", packages.word()).as_bytes())?;
    Ok(())
}

/// npm empties the folder first, so that the stamp is there only when the installation was completed.
fn is_installed(stamp: &Path, digest: &str, packages: Packages) -> bool {
    let Ok(text) = fs::read_to_string(stamp) else { return false };
    let Some((present, word)) = text.trim().split_once(' ') else { return false };
    present == digest && (word == Packages::Test.word() || packages == Packages::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_for_tests_include_those_to_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let stamp = folder.path().join("stamp");
        assert!(!is_installed(&stamp, "d", Packages::Run));
        fs::write(&stamp, "d run\n").expect("written");
        assert!(is_installed(&stamp, "d", Packages::Run) && !is_installed(&stamp, "d", Packages::Test));
        fs::write(&stamp, "d test\n").expect("written");
        assert!(is_installed(&stamp, "d", Packages::Run) && is_installed(&stamp, "d", Packages::Test));
        assert!(!is_installed(&stamp, "other", Packages::Run));
    }
}
