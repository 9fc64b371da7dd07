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
    let built = levee_harness::cargo_build(root, &[PACKAGE], &[], stop::requested)?;
    Ok(built.into_iter().next().context("cargo named no levee-component-host")?.artifact)
}
