use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// The per-user cache: `LEVEE_CACHE`, else `levee` where the system keeps caches.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("LEVEE_CACHE") {
        return std::path::absolute(folder).context("LEVEE_CACHE is not a path");
    }
    if let Some(folder) = set("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("levee"));
    }
    let home = set("HOME").context("HOME is not set; set LEVEE_CACHE to a folder for tools")?;
    let caches = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    Ok(home.join(caches).join("levee"))
}
