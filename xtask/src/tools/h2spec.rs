use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{announce, cache};
use crate::{files, run};

/// What is run; the module's later versions cannot be had by their path.
const VERSION: &str = "2.2.1";

/// h2spec in the per-user cache, built from its Go module where it is not there. `None`: there is no Go.
pub(crate) fn h2spec() -> Result<Option<PathBuf>> {
    let tools = cache::folder()?.join("tools");
    let home = tools.join(format!("h2spec-{VERSION}"));
    let program = home.join("h2spec");
    if program.is_file() {
        return Ok(Some(program));
    }
    if run::ask("go", &["version"]).is_none() {
        return Ok(None);
    }
    let _lock = files::lock(&tools.join(format!("h2spec-{VERSION}.lock")), "h2spec is being built")?;
    if program.is_file() {
        return Ok(Some(program));
    }
    announce(&format!("Building h2spec {VERSION} into {}", home.display()), Some("a minute, once"));
    let partial = tools.join(format!("h2spec-{VERSION}.partial"));
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    let mut command = Command::new("go");
    command
        .args(["install", &format!("github.com/summerwind/h2spec/cmd/h2spec@v{VERSION}+incompatible")])
        .current_dir(&partial)
        .env("GOBIN", &partial)
        .env("GOFLAGS", "-trimpath");
    run::quietly(&mut command)
        .with_context(|| format!("h2spec {VERSION} could not be built from its Go module"))?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(&partial, &home).with_context(|| format!("cannot move h2spec to {}", home.display()))?;
    Ok(Some(program))
}
