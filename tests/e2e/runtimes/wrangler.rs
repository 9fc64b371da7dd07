//! `wrangler dev`, as `cargo xtask up` starts it.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use levee_harness::{Parts, Process, WranglerDev};

use super::Setup;
use crate::world::log_file;

/// One at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Starts the bundle with this setup's configuration; the Cache API and KV are kept in the setup's folder.
pub(crate) fn start(parts: &Parts, setup: &Setup) -> Result<Process> {
    let bundle = setup.state.join("worker");
    copy(&parts.bundle, &bundle)?;
    fs::write(bundle.join("levee.bin"), setup.compile()?.to_bytes())?;
    let config = setup.state.join("wrangler.json");
    fs::write(&config, WranglerDev::config_for(parts.root.join("wrangler.toml"), "worker/index.mjs")?)?;
    // Two that start at once may choose the same port for their own use.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let wrangler = WranglerDev::new(&parts.node, &parts.node_modules, &config)
        .persist_to(setup.state.join("kept"))
        .with(|spec| spec.log_file(log_file(&setup.name)));
    let wrangler = match &setup.token {
        Some(token) => wrangler.var("LEVEE_STATUS_TOKEN", token),
        None => wrangler.var("LEVEE_ENVIRONMENT", "local"),
    };
    Ok(wrangler.start()?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
