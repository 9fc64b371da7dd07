use std::env;
use std::path::{Path, PathBuf};

use crate::{Result, Workerd, build, cargo_build};

/// Where the built parts of the system are that a test starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The workspace.
    pub root: PathBuf,
    /// `levee-origin`; `LEVEE_ORIGIN_BIN`.
    pub origin: PathBuf,
    /// `levee-native`; `LEVEE_NATIVE_BIN`.
    pub native: PathBuf,
    /// The folder of the Worker's bundle; `LEVEE_BUNDLE`.
    pub bundle: PathBuf,
    /// The Spin component; `LEVEE_COMPONENT`.
    pub component: PathBuf,
    /// `levee-component-host`; `LEVEE_COMPONENT_HOST_BIN`.
    pub component_host: PathBuf,
    /// The npm packages; `LEVEE_NODE_MODULES`.
    pub node_modules: PathBuf,
    /// `workerd`, from the npm packages.
    pub workerd: PathBuf,
    /// A Node that is new enough for wrangler and the browser's driver; `LEVEE_NODE`.
    pub node: PathBuf,
}

impl Parts {
    /// Takes each part from its environment variable, as `cargo xtask test` sets them. Without them the two binaries
    /// are built by cargo, and the rest is expected where `cargo xtask build worker` leaves it.
    ///
    /// `manifest_dir` is any folder inside the workspace: `env!("CARGO_MANIFEST_DIR")` of the calling crate.
    ///
    /// # Errors
    /// [`crate::Error::Missing`] with the command that makes the part; [`crate::Error::Build`].
    pub fn locate(manifest_dir: &str) -> Result<Self> {
        let root = workspace_root(Path::new(manifest_dir));
        let (origin, native) = match (given("LEVEE_ORIGIN_BIN"), given("LEVEE_NATIVE_BIN")) {
            (Some(origin), Some(native)) => (origin, native),
            _ => {
                let built = cargo_build(&root, &["levee-origin", "levee-native"], &[], || false)?;
                let artifact = |package: &str| {
                    built.iter().find(|built| built.package == package).map(|built| built.artifact.clone())
                };
                (artifact("levee-origin").unwrap_or_default(), artifact("levee-native").unwrap_or_default())
            }
        };
        let node_modules = given("LEVEE_NODE_MODULES").unwrap_or_else(|| root.join("node_modules"));
        let bundle = given("LEVEE_BUNDLE").unwrap_or_else(|| root.join("build/worker"));
        build::present(&bundle.join("index.mjs"), "cargo xtask build worker")?;
        let component = given("LEVEE_COMPONENT").unwrap_or_else(|| root.join("build/spin/levee.wasm"));
        build::present(&component, "cargo xtask build spin")?;
        let component_host = match given("LEVEE_COMPONENT_HOST_BIN") {
            Some(host) => host,
            None => {
                // Alone: with other packages it would be compiled once more.
                let built = cargo_build(&root, &["levee-component-host"], &[], || false)?;
                built.into_iter().next().map(|built| built.artifact).unwrap_or_default()
            }
        };
        let workerd = Workerd::binary_in(&node_modules)?;
        let node = given("LEVEE_NODE").unwrap_or_else(|| PathBuf::from("node"));
        Ok(Self { root, origin, native, bundle, component, component_host, node_modules, workerd, node })
    }
}

fn given(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn workspace_root(inside: &Path) -> PathBuf {
    let found = inside.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    found.unwrap_or(inside).to_path_buf()
}
