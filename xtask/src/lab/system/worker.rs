use std::path::{Path, PathBuf};

use anyhow::Result;
use levee_config::Overrides;
use levee_harness::{Workerd, WorkerdStores};
use tempfile::TempDir;

use super::{Edge, Started};
use crate::tools::{self, Node, Packages};
use crate::{config, run, stop, worker};

/// The bundle that is deployed, in a folder of its own: a build that runs meanwhile changes nothing here.
#[derive(Debug)]
pub(super) struct Worker {
    workerd: PathBuf,
    bundle: TempDir,
}

pub(super) fn prepare(root: &Path) -> Result<Edge> {
    let node = Node::ensure()?;
    tools::npm_packages(root, &node, Packages::Run)?;
    let wasm = worker::build(root, &node)?;
    let compiled = config::compile(&root.join("levee.toml"), &Overrides::default())?;
    let bundle = tempfile::Builder::new().prefix("levee-lab-").tempdir()?;
    worker::assemble(root, &wasm, &compiled.to_bytes(), bundle.path())?;
    let workerd = Workerd::binary_in(&tools::node_modules(root))?;
    Ok(Edge::Worker(Worker { workerd, bundle }))
}

impl Worker {
    /// KV and the Cache API are another process: when deployed they are elsewhere too, and what they keep and cost is not the
    /// Worker's.
    pub(super) fn start(&self, file: &Path) -> Result<Started> {
        let compiled = config::compile(file, &Overrides::default())?;
        let stores = WorkerdStores::start(&self.workerd, |spec| spec.cancelled_by(stop::requested))?;
        let workerd = Workerd::new(&self.workerd, self.bundle.path())
            .module("levee.bin", compiled.to_bytes())
            // Opens the status page, whose counters are read while the run goes on.
            .var("LEVEE_ENVIRONMENT", "local")
            .stores(&stores)
            .with(|spec| spec.cancelled_by(stop::requested));
        Ok(Started { edge: workerd.start()?, beside: Some(("KV", stores.into_process())) })
    }

    pub(super) fn versions(&self) -> Vec<(&'static str, String)> {
        let workerd = run::ask(&self.workerd, &["--version"]);
        workerd
            .map(|version| ("workerd", version.trim_start_matches("workerd ").to_owned()))
            .into_iter()
            .collect()
    }
}
