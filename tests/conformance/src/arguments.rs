use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};

/// The plain shared cache, which is what the suite is run against.
const TRANSPARENT: &str = "levee.transparent.toml";
/// The two profiles, whose results are kept.
const PROFILES: [(&str, &str); 2] =
    [("transparent", TRANSPARENT), ("default", "tests/conformance/levee.default.toml")];

/// Runs the public HTTP cache tests.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    pub(crate) runtime: Runtime,
    /// The configuration, whose one origin is the suite's; levee.transparent.toml by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The suite's definitions, as JSON.
    #[arg(long, value_name = "FILE", env = "LEVEE_CACHE_TESTS")]
    pub(crate) definitions: PathBuf,
    /// The results that the suite's site publishes; by default `published` beside the definitions, if it is there.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_CACHE_TESTS_PUBLISHED")]
    pub(crate) published: Option<PathBuf>,
    /// Run this test alone, and print what is sent and received.
    #[arg(long, value_name = "ID")]
    pub(crate) only: Option<String>,
    /// Write nothing: compare with the floor and no more.
    #[arg(long)]
    pub(crate) check: bool,
    /// Tests that run at the same time over HTTP.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) at_once: usize,
    /// `levee-native`.
    #[arg(long, value_name = "FILE", env = "LEVEE_NATIVE_BIN")]
    pub(crate) native: Option<PathBuf>,
    /// The folder of the Worker's bundle.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_BUNDLE")]
    pub(crate) bundle: Option<PathBuf>,
    /// The npm packages, for workerd.
    #[arg(long, value_name = "FOLDER", env = "LEVEE_NODE_MODULES")]
    pub(crate) node_modules: Option<PathBuf>,
    /// The Spin component.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT")]
    pub(crate) component: Option<PathBuf>,
    /// `levee-component-host`.
    #[arg(long, value_name = "FILE", env = "LEVEE_COMPONENT_HOST_BIN")]
    pub(crate) component_host: Option<PathBuf>,
}

/// What stands between the suite's client and its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    /// The pipeline in memory, under a virtual clock.
    Virtual,
    /// The native server, over HTTP.
    Native,
    /// The Worker on bare workerd, over HTTP.
    Worker,
    /// The Spin component in the component host, over HTTP.
    Spin,
}

impl Runtime {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Native => "native",
            Self::Worker => "worker",
            Self::Spin => "spin",
        }
    }
}

impl Arguments {
    /// The workspace this program was built in, or the current folder's.
    pub(crate) fn root(&self) -> Result<PathBuf> {
        let here = std::env::current_dir().context("the current folder is gone")?;
        let root = here.ancestors().find(|folder| folder.join(TRANSPARENT).is_file());
        root.map(Path::to_path_buf)
            .with_context(|| format!("{} is not inside Levee's checkout", here.display()))
    }

    pub(crate) fn config(&self, root: &Path) -> PathBuf {
        self.config.clone().unwrap_or_else(|| root.join(TRANSPARENT))
    }

    /// Which of the two profiles the configuration is.
    pub(crate) fn profile(&self, root: &Path) -> Option<String> {
        let given = self.config(root).canonicalize().ok()?;
        let is = |file: &str| root.join(file).canonicalize().is_ok_and(|file| file == given);
        PROFILES.iter().find(|(_, file)| is(file)).map(|(name, _)| (*name).to_owned())
    }

    pub(crate) fn published(&self) -> Option<PathBuf> {
        let beside = || self.definitions.parent().map(|folder| folder.join("published"));
        self.published.clone().or_else(|| beside().filter(|folder| folder.is_dir()))
    }

    /// The command that repeats this run.
    pub(crate) fn command(&self, profile: &str) -> String {
        let config = PROFILES.iter().find(|(name, file)| *name == profile && *file != TRANSPARENT);
        let config = config.map(|(_, file)| format!(" --config {file}")).unwrap_or_default();
        format!("cargo xtask conformance {}{config}", self.runtime.name())
    }
}
