use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{announce, cache};
use crate::{files, run};

/// The oldest Python that the packages run on.
const WANTED: (u32, u32) = (3, 10);

/// A virtual environment in the per-user cache with exactly these packages, made if it is not there. `requirements`: the text
/// of a file as pip reads it, every package by exact version.
///
/// # Errors
/// When there is no Python that is new enough, or the packages cannot be had.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let version = run::ask("python3", &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    let version = version.context("python3 is missing: install Python 3.10 or later")?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() < [WANTED.0, WANTED.1].as_slice() {
        bail!("python3 is {version}, and {}.{} or later is needed", WANTED.0, WANTED.1);
    }
    let digest = files::digest(&[version.as_bytes(), requirements.as_bytes()]);
    let environments = cache::folder()?.join("python");
    let name = format!("{name}-{}", &digest[..16]);
    let home = environments.join(&name);
    // Its scripts name the folder that they lie in, so it is made in its place; the last file says that it is whole.
    let whole = home.join(".levee-installed");
    if whole.is_file() {
        return Ok(home);
    }
    let _lock =
        files::lock(&environments.join(format!("{name}.lock")), "Python packages are being installed")?;
    if whole.is_file() {
        return Ok(home);
    }
    announce(&format!("Installing Python packages into {}", home.display()), Some("a minute, once"));
    let _ = fs::remove_dir_all(&home);
    run::quietly(Command::new("python3").args(["-m", "venv"]).arg(&home)).context(
        "no virtual environment can be made; Debian has what is missing in the package python3-venv",
    )?;
    let list = home.join("requirements.txt");
    fs::write(&list, requirements).with_context(|| format!("cannot write {}", list.display()))?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--no-deps", "--disable-pip-version-check", "--requirement"])
        .arg(&list);
    run::quietly(&mut pip).context("the Python packages could not be installed; they need the network")?;
    fs::write(&whole, "").with_context(|| format!("cannot write {}", whole.display()))?;
    Ok(home)
}
