//! Bare `workerd serve`: the Worker's real runtime without a proxy before it, for tests and measurements.

mod config;
mod stores;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use config::Worker;
pub use stores::WorkerdStores;

use crate::{Error, Process, Ready, Result, Spec, build};

/// The KV store that stands in for Cloudflare's: a Worker that speaks workerd's KV protocol.
const KV: &str = include_str!("../../workerd/kv.mjs");

/// The data centre's cache that stands in for Cloudflare's: a Worker that speaks workerd's Cache API protocol.
const CACHE: &str = include_str!("../../workerd/cache.mjs");

/// A Worker bundle on bare workerd, with the KV namespace `LEVEE_KV` and the Cache API in memory and a network that reaches
/// loopback.
#[derive(Debug)]
pub struct Workerd {
    spec: Spec,
    binary: PathBuf,
    bundle: PathBuf,
    port: u16,
    worker: Worker,
}

impl Workerd {
    /// The `workerd` to run (see [`Workerd::binary_in`]) and the folder of a built bundle, with `index.mjs` in it.
    pub fn new(binary: impl AsRef<Path>, bundle: impl AsRef<Path>) -> Self {
        Self {
            spec: Spec::new("workerd", binary.as_ref()),
            binary: binary.as_ref().to_path_buf(),
            bundle: bundle.as_ref().to_path_buf(),
            port: 0,
            worker: Worker::default(),
        }
    }

    /// The executable that npm installed for this machine.
    ///
    /// # Errors
    /// [`Error::Missing`] when the npm packages are not installed.
    pub fn binary_in(node_modules: &Path) -> Result<PathBuf> {
        let system = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
        let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "64" };
        let binary = node_modules.join(format!("@cloudflare/workerd-{system}-{machine}/bin/workerd"));
        build::present(&binary, "npm ci")?;
        Ok(binary)
    }

    /// Listens on this port of 127.0.0.1 instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// A variable or secret of the Worker.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.worker.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts this file in place of the bundle's module of the same path, such as `levee.bin` of another configuration.
    pub fn module(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.worker.replaced.push((path.to_owned(), content.into()));
        self
    }

    /// The compatibility date and flags; the harness's own date and no flags by default.
    pub fn compatibility(mut self, date: &str, flags: &[&str]) -> Self {
        date.clone_into(&mut self.worker.date);
        self.worker.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
        self
    }

    /// Runs without KV, as a Worker whose configuration binds none.
    pub fn without_kv(mut self) -> Self {
        self.worker.kv = false;
        self
    }

    /// Runs without a cache service: every call of the Cache API throws.
    pub fn without_cache(mut self) -> Self {
        self.worker.cache = None;
        self
    }

    /// The Cache API keeps so many responses: the oldest gives way. With none it takes all and keeps nothing, as on
    /// `workers.dev`.
    pub fn cache_entries(mut self, most: u32) -> Self {
        self.worker.cache = Some(most);
        self
    }

    /// Runs with KV and the Cache API of another process, as when deployed, so that this one's CPU time and memory are the
    /// Worker's alone.
    pub fn stores(mut self, stores: &WorkerdStores) -> Self {
        self.worker.apart = Some((stores.kv, stores.cache));
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// [`Error::Missing`] and [`Error::Io`] about its files; else as [`Process::start`].
    pub fn start(self) -> Result<Process> {
        build::present(&self.binary, "npm ci")?;
        build::present(&self.bundle.join("index.mjs"), "cargo xtask build worker")?;
        // The bundle is copied: a build that runs meanwhile must not change what this process serves.
        let folder = build::scratch("workerd")?;
        let modules = self.worker.copy(&self.bundle, folder.path())?;
        let config = folder.path().join("levee.capnp");
        let write = |path: &Path, text: &str| {
            fs::write(path, text).map_err(Error::io(format!("writing {}", path.display())))
        };
        write(&folder.path().join("kv.mjs"), KV)?;
        write(&folder.path().join("cache.mjs"), CACHE)?;
        write(&config, &self.worker.capnp(&modules, self.port))?;
        let spec = self.spec.args(["serve", "--control-fd=1"]).arg(&config);
        Ok(Process::start(spec, &Ready::WorkerdControl)?.keep(folder))
    }
}
