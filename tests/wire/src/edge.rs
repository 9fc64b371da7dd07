//! The edge under test: its configuration, and how each runtime is started with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use levee_config::{Compiled, Overrides};
use levee_harness::{ComponentHost, Native, Process, SpinApp, Workerd};

/// The configuration, with a route for each of [`crate::plan::Route`].
pub const CONFIG: &str = include_str!("../levee.toml");
/// What opens the status page.
pub const TOKEN: &str = "wire";
/// `limits.memory` of [`CONFIG`], in bytes.
pub const BUDGET: u64 = 8 << 20;

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    Native,
    Worker,
    Spin,
}

impl Runtime {
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Worker => "worker",
            Self::Spin => "spin",
        }
    }

    /// Whether its own parser refuses heads that the native edge must take.
    pub fn is_strict(self) -> bool {
        self != Self::Native
    }
}

/// What is started.
#[derive(Clone, Debug, clap::Args)]
pub struct Parts {
    /// `levee-native`.
    #[arg(long, value_name = "FILE", env = "LEVEE_NATIVE_BIN")]
    pub native: Option<PathBuf>,
    /// The folder of the Worker's bundle.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// The npm packages, for workerd.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_NODE_MODULES")]
    pub node_modules: Option<PathBuf>,
    /// The Spin component.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT")]
    pub component: Option<PathBuf>,
    /// `levee-component-host`.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT_HOST_BIN")]
    pub component_host: Option<PathBuf>,
    /// The project's `spin.toml`.
    #[arg(long, value_name = "FILE", default_value = "spin.toml")]
    pub manifest: PathBuf,
}

/// Starts the edge before this origin.
pub fn start(runtime: Runtime, parts: &Parts, origin: &str) -> Result<Process> {
    let folder = Arc::new(tempfile::tempdir()?);
    let config = folder.path().join("levee.toml");
    std::fs::write(&config, CONFIG)?;
    let part = |given: &Option<PathBuf>, what: &str| {
        given.clone().with_context(|| format!("{what} is needed; `cargo xtask fuzz wire` builds it"))
    };
    let process = match runtime {
        Runtime::Native => Native::new(part(&parts.native, "--native")?)
            .config(config)
            .origin("main", origin)
            .with(|spec| spec.env("LEVEE_STATUS_TOKEN", TOKEN))
            .start()?,
        Runtime::Worker => Workerd::new(
            Workerd::binary_in(&part(&parts.node_modules, "--node-modules")?)?,
            part(&parts.bundle, "--bundle")?,
        )
        .module("levee.bin", compile(&config, origin)?.to_bytes())
        .var("LEVEE_STATUS_TOKEN", TOKEN)
        .start()?,
        Runtime::Spin => {
            let app =
                SpinApp::new(part(&parts.component, "--component")?, compile(&config, origin)?.to_bytes());
            let manifest = app.reach(origin).write(&parts.manifest, folder.path())?;
            ComponentHost::new(part(&parts.component_host, "--component-host")?, manifest)
                .variable("levee_status_token", TOKEN)
                // The first start compiles the component.
                .with(|spec| {
                    spec.args(["--max-instance-reuse-count", "1000000"])
                        .args(["--max-instance-concurrent-reuse-count", "1000"])
                        .args(["--idle-instance-timeout", "600s"])
                        .within(Duration::from_secs(300))
                })
                .start()?
        }
    };
    Ok(process.keep(folder))
}

fn compile(file: &Path, origin: &str) -> Result<Compiled> {
    let overrides = Overrides { hosts: Vec::new(), origins: vec![("main".to_owned(), origin.to_owned())] };
    levee_config::compile_file(file, &overrides)
        .map_err(|error| anyhow!("{}", error.to_string().trim_start_matches("error: ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Route;

    #[test]
    fn the_configuration_is_right_and_has_each_route() {
        let compiled =
            levee_config::compile_str("levee.toml", CONFIG, &Overrides::default()).expect("it compiles");
        assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
        assert_eq!(compiled.config.limits.memory, BUDGET);
        for route in Route::EVERY.iter().filter(|route| **route != Route::Plain) {
            assert!(compiled.config.routes.iter().any(|there| there.name == route.segment()), "{route:?}");
        }
    }
}
