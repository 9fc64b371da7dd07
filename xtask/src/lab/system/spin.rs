use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use levee_config::Overrides;
use levee_harness::{ComponentHost, Process};

use super::{Build, Edge};
use crate::{config, spin, stop, tools};

/// The Spin component in the project's component host, its key-value store in memory.
#[derive(Debug)]
pub(super) struct Spin {
    host: PathBuf,
    wasm: PathBuf,
}

pub(super) fn prepare(root: &Path, build: Build) -> Result<Edge> {
    let host = match build {
        Build::Release => tools::optimised_component_host(root)?,
        Build::Debug => tools::component_host(root)?,
    };
    Ok(Edge::Spin(Spin { host, wasm: spin::build(root)? }))
}

impl Spin {
    /// The component, its configuration and a manifest that names no more than both and the origins.
    pub(super) fn start(&self, file: &Path, folder: &Path) -> Result<Process> {
        let compiled = config::compile(file, &Overrides::default())?;
        let component = folder.join("component");
        spin::assemble(&self.wasm, &compiled.to_bytes(), &component)?;
        let hosts: Vec<&str> = compiled.config.origins.iter().map(|origin| origin.url.as_str()).collect();
        let manifest = component.join("spin.toml");
        let hosts = toml::Value::from(hosts);
        let text = format!(
            r#"spin_manifest_version = 2
[application]
name = "levee"
version = "0.1.0"
[[trigger.http]]
route = "/..."
component = "levee"
[component.levee]
source = "levee.wasm"
files = [{{ source = "files", destination = "/" }}]
key_value_stores = ["default"]
allowed_outbound_hosts = {hosts}
[component.levee.variables]
levee_environment = "local"
"#
        );
        fs::write(&manifest, text).with_context(|| format!("cannot write {}", manifest.display()))?;
        let host = ComponentHost::new(&self.host, &manifest).with(|spec| spec.cancelled_by(stop::requested));
        Ok(host.start()?)
    }
}
