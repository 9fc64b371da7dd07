use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::announce;
use crate::stop;

/// Its package, and its program.
pub(crate) const PACKAGE: &str = "levee-component-host";

/// Builds the component host and says where it is. Built with other packages it would be compiled once more, with their
/// choice of features of what they share, so it is built alone.
pub(crate) fn ensure(root: &Path) -> Result<PathBuf> {
    announce("Building the component host", Some("ten minutes, once"));
    build(root, &[])
}

/// As [`ensure`], optimised as what it is measured beside: `LEVEE_COMPONENT_HOST_BIN`, or built here.
pub(crate) fn optimised(root: &Path) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("LEVEE_COMPONENT_HOST_BIN").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    announce("Building the component host, optimised", Some("ten minutes, once"));
    build(root, &["--profile", "component-host"])
}

fn build(root: &Path, flags: &[&str]) -> Result<PathBuf> {
    let built = levee_harness::cargo_build(root, &[PACKAGE], flags, stop::requested)?;
    Ok(built.into_iter().next().context("cargo named no levee-component-host")?.artifact)
}
