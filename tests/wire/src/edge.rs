//! The edge under test: its configuration, and how each runtime is started with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use levee_config::{Compiled, Overrides};
use levee_harness::{ComponentHost, Native, Process, SpinApp, Workerd, WorkerdStores};

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

    /// What its own HTTP server and client decide, which an edge on it cannot change.
    pub fn limits(self) -> Limits {
        match self {
            Self::Native => Limits::default(),
            Self::Worker => Limits {
                strict_heads: true,
                utf8_fields: true,
                repeats_nothing: true,
                passes_stalls: true,
                hides_breaks: true,
                older_versions: true,
                takes_bare_lf: true,
                takes_two_hosts: false,
            },
            Self::Spin => Limits {
                strict_heads: true,
                utf8_fields: true,
                repeats_nothing: true,
                passes_stalls: false,
                hides_breaks: true,
                older_versions: true,
                takes_bare_lf: true,
                takes_two_hosts: true,
            },
        }
    }
}

/// What a runtime's own HTTP server and client do. `docs/spin.md` and `edge/worker/README.md` say why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Its parser refuses odd heads of origins.
    pub strict_heads: bool,
    /// It replaces or refuses fields that are not UTF-8.
    pub utf8_fields: bool,
    /// It does not tell an edge that a kept connection was closed as a request was sent.
    pub repeats_nothing: bool,
    /// Content that is only passed does not go through the edge, and the platform ends what stalls, which it does not locally.
    pub passes_stalls: bool,
    /// Content that ends with the connection, to HTTP/1.0, ends alike when it breaks off.
    pub hides_breaks: bool,
    /// It speaks HTTP/1.0 to an origin that does, and then loses content whose length it does not know: origins do not.
    pub older_versions: bool,
    /// Its parser of requests takes a bare line feed for the end of a line.
    pub takes_bare_lf: bool,
    /// It hands on one of two `Host` fields, and an edge does not see that there were two.
    pub takes_two_hosts: bool,
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
        Runtime::Worker => {
            let binary = Workerd::binary_in(&part(&parts.node_modules, "--node-modules")?)?;
            // KV and the Cache API keep what they are given. In the edge's own process, that would count as the edge's memory.
            let stores = WorkerdStores::start(&binary, |spec| spec)?;
            let process = Workerd::new(binary, part(&parts.bundle, "--bundle")?)
                .module("levee.bin", compile(&config, origin)?.to_bytes())
                .var("LEVEE_STATUS_TOKEN", TOKEN)
                .stores(&stores)
                .start()?;
            process.keep(stores)
        }
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
