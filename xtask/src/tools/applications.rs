//! The packages of the applications in `tests/apps`: each application's own, by its lock file, in the per-user cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Node, announce, cache, python_environment};
use crate::{files, run};

/// Installs what the application in this folder needs, where it is not there yet; `packages` as its `application.toml` says.
/// `None` where it needs nothing.
///
/// # Errors
/// Where a lock file is missing, or the packages cannot be had.
pub(crate) fn ensure(folder: &Path, name: &str, packages: &str, node: &Node) -> Result<Option<PathBuf>> {
    match packages {
        "none" => Ok(None),
        "npm" => npm(folder, name, node).map(Some),
        "python" => {
            let list = folder.join("requirements.txt");
            let text =
                fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
            python_environment(name, &text).map(Some)
        }
        other => bail!("{}: packages = {other:?}: npm, python or none", folder.display()),
    }
}

fn npm(folder: &Path, name: &str, node: &Node) -> Result<PathBuf> {
    let read = |file: &str| {
        let path = folder.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (package, lock) = (read("package.json")?, read("package-lock.json")?);
    let machine = [std::env::consts::OS, std::env::consts::ARCH, &node.version];
    let digest = files::digest(&[&package, &lock, machine.join(" ").as_bytes()]);
    let all = cache::folder()?.join("apps");
    let name = format!("{name}-{}", &digest[..16]);
    let home = all.join(&name);
    if home.is_dir() {
        return Ok(home);
    }
    let _lock = files::lock(&all.join(format!("{name}.lock")), "npm packages are being installed")?;
    if home.is_dir() {
        return Ok(home);
    }
    announce(&format!("Installing npm packages into {}", home.display()), Some("a minute, once"));
    let partial = all.join(format!("{name}.partial"));
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    fs::write(partial.join("package.json"), package)?;
    fs::write(partial.join("package-lock.json"), lock)?;
    let mut command = Command::new("npm");
    // The packages work without their install scripts, and nothing runs that need not.
    command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]);
    command.current_dir(&partial).env("PATH", node.path());
    run::quietly(&mut command).context("npm packages could not be installed")?;
    fs::rename(&partial, &home).with_context(|| format!("cannot move packages to {}", home.display()))?;
    Ok(home)
}
