use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::python_environment;

/// Every package by exact version, locust's own among them.
const REQUIREMENTS: &str = "loadtest/locust/requirements.txt";

/// The locust in an environment of its own in the per-user cache, installed from PyPI where it is not there. With its version.
///
/// # Errors
/// Where Python is missing or too old, or the packages cannot be had.
pub(crate) fn locust(root: &Path) -> Result<(PathBuf, String)> {
    let requirements =
        fs::read_to_string(root.join(REQUIREMENTS)).with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let Some(version) = requirements.lines().find_map(|line| line.strip_prefix("locust==")) else {
        bail!("{REQUIREMENTS} names no version of locust");
    };
    let home = python_environment("locust", &requirements).context("locust cannot be had")?;
    Ok((home.join("bin/locust"), version.to_owned()))
}
