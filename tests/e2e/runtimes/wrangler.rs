//! `wrangler dev`, as `cargo xtask up` starts it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use levee_harness::{Parts, Process, WranglerDev};

use super::Setup;
use crate::world::log_file;

/// Starts the bundle with this setup's configuration; KV is kept in the setup's folder.
pub(crate) fn start(parts: &Parts, setup: &Setup) -> Result<Process> {
    let bundle = setup.state.join("worker");
    copy(&parts.bundle, &bundle)?;
    fs::write(bundle.join("levee.bin"), setup.compile()?.to_bytes())?;
    let config = setup.state.join("wrangler.json");
    fs::write(&config, wrangler_json(&parts.root)?)?;
    let wrangler = WranglerDev::new(&parts.node, &parts.node_modules, config)
        .persist_to(setup.state.join("kept"))
        .with(|spec| spec.log_file(log_file(&setup.name)));
    let wrangler = match &setup.token {
        Some(token) => wrangler.var("LEVEE_STATUS_TOKEN", token),
        None => wrangler.var("LEVEE_ENVIRONMENT", "local"),
    };
    Ok(wrangler.start()?)
}

/// wrangler.toml as it is, but for the bundle it names and the build that would replace that.
fn wrangler_json(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("wrangler.toml")).context("wrangler.toml")?;
    let mut table: toml::Table = text.parse().context("wrangler.toml")?;
    table.remove("build");
    table.insert(String::from("main"), toml::Value::from("worker/index.mjs"));
    Ok(serde_json::to_string_pretty(&table)?)
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
