use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{announce, cache};
use crate::{files, run};

/// The version that is built where none is installed.
const VERSION: &str = "1.8.1";

/// The k6 on PATH, else the one in the per-user cache, built from its Go module where Go is. With its version.
///
/// # Errors
/// Where neither k6 nor Go is here, and says what to install.
pub(crate) fn k6() -> Result<(PathBuf, String)> {
    if let Some(found) = k6_here() {
        return Ok(found);
    }
    let tools = cache::folder()?.join("tools");
    let home = tools.join(format!("k6-{VERSION}"));
    let program = home.join("k6");
    if run::ask("go", &["version"]).is_none() {
        bail!(
            "k6 is missing: install it from https://k6.io, or Go from https://go.dev, by which version {VERSION} is then built"
        );
    }
    let _lock = files::lock(&tools.join(format!("k6-{VERSION}.lock")), "k6 is being built")?;
    if let Some(version) = version(&program) {
        return Ok((program, version));
    }
    announce(&format!("Building k6 {VERSION} into {}", home.display()), Some("three to ten minutes, once"));
    let partial = tools.join(format!("k6-{VERSION}.partial"));
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    let mut command = Command::new("go");
    command
        .args(["install", &format!("go.k6.io/k6@v{VERSION}")])
        .current_dir(&partial)
        .env("GOBIN", &partial)
        .env("GOFLAGS", "-trimpath");
    run::quietly(&mut command).with_context(|| {
        format!("k6 {VERSION} could not be built from its Go module; install k6 yourself, from https://k6.io")
    })?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(&partial, &home).with_context(|| format!("cannot move k6 to {}", home.display()))?;
    let version = version(&program).with_context(|| format!("{} does not run", program.display()))?;
    Ok((program, version))
}

/// The one on PATH, or the one in the cache.
pub(crate) fn k6_here() -> Option<(PathBuf, String)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = env::split_paths(&path).map(|folder| folder.join("k6")).find(|file| file.is_file());
    let cached =
        cache::folder().ok().map(|cache| cache.join("tools").join(format!("k6-{VERSION}")).join("k6"));
    [installed, cached].into_iter().flatten().find_map(|program| Some((program.clone(), version(&program)?)))
}

/// `k6 v1.8.1 (go1.26, linux/amd64)` is 1.8.1.
fn version(program: &PathBuf) -> Option<String> {
    let said = run::ask(program, &["version"])?;
    Some(said.split_whitespace().nth(1)?.trim_start_matches('v').to_owned())
}
