use std::path::{Path, PathBuf};

use anyhow::Result;
use levee_config::Overrides;
use levee_harness::{Process, Workerd};
use tempfile::TempDir;

use super::Edge;
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
    pub(super) fn start(&self, file: &Path) -> Result<Process> {
        let compiled = config::compile(file, &Overrides::default())?;
        let workerd = Workerd::new(&self.workerd, self.bundle.path())
            .module("levee.bin", compiled.to_bytes())
            // Opens the status page, whose counters are read while the run goes on.
            .var("LEVEE_ENVIRONMENT", "local")
            .with(|spec| spec.cancelled_by(stop::requested));
        Ok(workerd.start()?)
    }

    pub(super) fn versions(&self) -> Vec<(&'static str, String)> {
        let workerd = run::ask(&self.workerd, &["--version"]);
        workerd
            .map(|version| ("workerd", version.trim_start_matches("workerd ").to_owned()))
            .into_iter()
            .collect()
    }
}
