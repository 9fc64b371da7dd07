//! The processes of a measurement: each contender, the stores (KV and the Cache API) and the origin in a workerd of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use levee_harness::{Process, Ready, Spec, Workerd, WorkerdStores};
use tempfile::TempDir;

use crate::{files, stop, tools};

/// Where the JavaScript contenders are.
const MODULES: &str = "edge/worker/bench";

/// A Worker to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// The module in `edge/worker/bench`.
    pub(crate) module: &'static str,
    /// For Levee: the compiled configuration beside the bundle.
    pub(crate) levee_bin: Option<Vec<u8>>,
    /// Whether there is a service behind the Cache API.
    pub(crate) cache: bool,
}

/// Files that every process of the measurement is started from.
#[derive(Debug)]
pub(crate) struct Setting {
    root: PathBuf,
    workerd: PathBuf,
    /// A bundle as `cargo xtask build worker` makes it.
    bundle: PathBuf,
    pub(crate) kv_port: u16,
    pub(crate) cache_port: u16,
    pub(crate) origin_port: u16,
}

impl Setting {
    pub(crate) fn new(root: &Path, bundle: &Path) -> Result<Self> {
        let workerd = Workerd::binary_in(&tools::node_modules(root))?;
        Ok(Self {
            root: root.to_path_buf(),
            workerd,
            bundle: bundle.to_path_buf(),
            kv_port: 0,
            cache_port: 0,
            origin_port: 0,
        })
    }

    pub(crate) fn workerd_version(&self) -> String {
        crate::run::ask(&self.workerd, &["--version"]).unwrap_or_default()
    }

    /// KV and the Cache API, in a process of their own.
    pub(crate) fn stores(&self) -> Result<WorkerdStores> {
        Ok(WorkerdStores::start(&self.workerd, |spec| spec.cancelled_by(stop::requested))?)
    }

    pub(crate) fn origin(&self) -> Result<Process> {
        let folder = tempfile::tempdir()?;
        self.copy("body.mjs", folder.path(), "body.mjs")?;
        self.copy("origin.mjs", folder.path(), "bench.mjs")?;
        self.serve("origin", folder, false)
    }

    pub(crate) fn start(&self, contender: &Contender) -> Result<Process> {
        let folder = self.folder(contender)?;
        self.serve(contender.module, folder, contender.cache)
    }

    /// A contender's files, ready for `workerd serve` on a port.
    pub(crate) fn folder(&self, contender: &Contender) -> Result<TempDir> {
        let folder = tempfile::tempdir()?;
        self.copy("bench.mjs", folder.path(), "bench.mjs")?;
        self.copy("body.mjs", folder.path(), "body.mjs")?;
        self.copy(&format!("{}.mjs", contender.module), folder.path(), "contender.mjs")?;
        if let Some(config) = &contender.levee_bin {
            for path in files::below(&self.bundle)? {
                let to = Path::new("levee").join(&path);
                put(folder.path(), &to.to_string_lossy(), &fs::read(self.bundle.join(&path))?)?;
            }
            put(folder.path(), "levee/levee.bin", config)?;
        }
        Ok(folder)
    }

    fn copy(&self, module: &str, to: &Path, name: &str) -> Result<()> {
        let from = self.root.join(MODULES).join(module);
        put(to, name, &fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?)
    }

    fn serve(&self, name: &str, folder: TempDir, cache: bool) -> Result<Process> {
        let config = self.configure(folder.path(), 0, cache)?;
        let spec = Spec::new(format!("workerd ({name})"), &self.workerd)
            .args(["serve", "--control-fd=1"])
            .arg(config)
            .cancelled_by(stop::requested);
        Ok(Process::start(spec, &Ready::WorkerdControl)?.keep(folder))
    }

    pub(crate) fn workerd(&self) -> &Path {
        &self.workerd
    }

    /// Writes the configuration of a folder of modules.
    pub(crate) fn configure(&self, folder: &Path, port: u16, cache: bool) -> Result<PathBuf> {
        let mut modules: Vec<String> =
            files::below(folder)?.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        modules.sort_by_key(|path| (path != "bench.mjs", path.clone()));
        let listed: String = modules.iter().filter_map(|path| module(path)).collect();
        let (kv, cached, origin) = (self.kv_port, self.cache_port, self.origin_port);
        let outbound = if cache { "\n  cacheApiOutbound = \"cache\"," } else { "" };
        let config = folder.join("bench.capnp");
        let text = format!(
            r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "bench", worker = .bench),
    (name = "kv", external = (address = "127.0.0.1:{kv}", http = ())),
    (name = "cache", external = (address = "127.0.0.1:{cached}", http = ())),
    (name = "internet", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "bench")]
);

const bench :Workerd.Worker = (
  modules = [
{listed}  ],
  bindings = [
    (name = "LEVEE_KV", kvNamespace = "kv"),
    (name = "LEVEE_ORIGIN_BENCH_URL", text = "http://127.0.0.1:{origin}"),
  ],{outbound}
  compatibilityDate = "2026-10-01"
);
"#
        );
        fs::write(&config, text)?;
        Ok(config)
    }
}

fn module(path: &str) -> Option<String> {
    let kind = match path.rsplit('.').next()? {
        "mjs" | "js" => "esModule",
        "wasm" => "wasm",
        "bin" => "data",
        _ => return None,
    };
    Some(format!("    (name = \"{path}\", {kind} = embed \"{path}\"),\n"))
}

fn put(folder: &Path, path: &str, content: &[u8]) -> Result<()> {
    let to = folder.join(path);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&to, content).with_context(|| format!("cannot write {}", to.display()))
}
