//! The edge as `cargo xtask up --origin URL` starts it, with no rule of its own for any application.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use levee_config::{Compiled, Overrides};
use levee_harness::{ComponentHost, Native, Process, SpinApp, Workerd, WorkerdStores};

use crate::stopped;

/// The hosts that `up` answers.
const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];
/// The first start of a component compiles it.
const COMPILED_WITHIN: Duration = Duration::from_secs(300);

/// What the edge runs on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runtime {
    Native,
    Worker,
    Spin,
}

impl Runtime {
    pub(crate) const ALL: [Self; 3] = [Self::Native, Self::Worker, Self::Spin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Worker => "worker",
            Self::Spin => "spin",
        }
    }
}

/// Where the built parts are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Parts {
    /// A Node that runs the clients.
    #[arg(long, value_name = "FILE", env = "LEVEE_NODE")]
    pub(crate) node: PathBuf,
    /// The project's npm packages: workerd, and the browser's driver.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_NODE_MODULES")]
    pub(crate) node_modules: PathBuf,
    /// `levee-native`.
    #[arg(long, value_name = "FILE", env = "LEVEE_NATIVE_BIN")]
    pub(crate) native: Option<PathBuf>,
    /// The folder of the Worker's bundle.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_BUNDLE")]
    pub(crate) bundle: Option<PathBuf>,
    /// The Spin component.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT")]
    pub(crate) component: Option<PathBuf>,
    /// `levee-component-host`.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT_HOST_BIN")]
    pub(crate) component_host: Option<PathBuf>,
}

/// Starts an edge with nothing stored before this origin. `folder`: where it may write. `root`: the workspace.
pub(crate) fn start(
    runtime: Runtime,
    parts: &Parts,
    root: &Path,
    origin: &str,
    folder: &Path,
    log: &Path,
) -> Result<Process> {
    let part = |given: &Option<PathBuf>, what: &str| {
        given.clone().with_context(|| format!("{what} is needed; `cargo xtask apps` builds it"))
    };
    match runtime {
        Runtime::Native => {
            let config = folder.join("levee.toml");
            // What `up --origin` writes.
            std::fs::write(
                &config,
                format!("version = 1\nhosts = {HOSTS:?}\n\n[origins.application]\nurl = \"{origin}\"\n"),
            )?;
            Ok(Native::new(part(&parts.native, "--native")?)
                .config(config)
                .store(folder.join("store.sqlite"))
                .with(|spec| spec.log_file(log).cancelled_by(stopped))
                .start()?)
        }
        Runtime::Worker => {
            let binary = Workerd::binary_in(&parts.node_modules)?;
            let stores = WorkerdStores::start(&binary, |spec| spec.cancelled_by(stopped))?;
            let process = Workerd::new(binary, part(&parts.bundle, "--bundle")?)
                .module("levee.bin", neutral(origin)?.to_bytes())
                .var("LEVEE_ENVIRONMENT", "local")
                .stores(&stores)
                .with(|spec| spec.log_file(log).cancelled_by(stopped))
                .start()?;
            Ok(process.keep(stores))
        }
        Runtime::Spin => {
            let component = part(&parts.component, "--component")?;
            let app = SpinApp::new(component, neutral(origin)?.to_bytes()).reach(origin);
            let manifest = app.write(root.join("spin.toml"), folder)?;
            let host = ComponentHost::new(part(&parts.component_host, "--component-host")?, manifest)
                .variable("levee_environment", "local")
                .with(|spec| {
                    spec.args(["--max-instance-reuse-count", "1000000"])
                        .args(["--max-instance-concurrent-reuse-count", "1000"])
                        .args(["--idle-instance-timeout", "600s"])
                        .log_file(log)
                        .cancelled_by(stopped)
                        .within(COMPILED_WITHIN)
                });
            Ok(host.start()?)
        }
    }
}

fn neutral(origin: &str) -> Result<Compiled> {
    let overrides = Overrides { hosts: HOSTS.map(str::to_owned).to_vec(), origins: Vec::new() };
    Ok(levee_config::neutral(origin, &overrides)?)
}
