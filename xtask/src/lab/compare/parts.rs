//! What contenders are made of, built or found; what is not there says so in a sentence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use levee_config::Overrides;
use levee_harness::{Nginx, Varnish, Workerd};

use crate::tools::{self, Node, Packages};
use crate::{config, files, project, run, spin, stop, worker};

/// The bundle and the `workerd` that runs it.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) workerd: PathBuf,
    pub(crate) bundle: PathBuf,
}

/// The component as it is deployed, and the host that runs it.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) host: PathBuf,
    /// `spin.toml`, beside the component and its files.
    pub(crate) manifest: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) root: PathBuf,
    pub(crate) generator: PathBuf,
    pub(crate) origin: PathBuf,
    pub(crate) native: PathBuf,
    pub(crate) worker: Result<Worker, String>,
    pub(crate) component: Result<Component, String>,
    pub(crate) constant: Result<Worker, String>,
    pub(crate) nginx: Result<PathBuf, String>,
    pub(crate) varnish: Result<PathBuf, String>,
    pub(crate) redis: Result<PathBuf, String>,
    /// The virtual environment of the classic stack.
    pub(crate) python: Result<PathBuf, String>,
}

impl Parts {
    /// Builds and installs what the contenders that `wanted` names need.
    pub(crate) fn prepare(root: &Path, dev: bool, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        println!("Building the edge, the origin and the generator");
        let packages = ["levee-load", "levee-origin", "levee-native"];
        let flags: &[&str] = if dev { &[] } else { &["--release"] };
        let built = levee_harness::cargo_build(root, &packages, flags, stop::requested)?;
        let artifact = |package: &str| {
            let built = built.iter().find(|built| built.package == package);
            built.map(|built| built.artifact.clone()).with_context(|| format!("cargo named no {package}"))
        };
        let unwanted = || String::from("it was not asked for");
        let worker = if wanted("workerd") { worker(root).map_err(sentence) } else { Err(unwanted()) };
        let constant =
            if wanted("constant") { constant_worker(root).map_err(sentence) } else { Err(unwanted()) };
        let component = if wanted("component") { component(root).map_err(sentence) } else { Err(unwanted()) };
        let python = if wanted("classic") { environment(root).map_err(sentence) } else { Err(unwanted()) };
        Ok(Self {
            generator: artifact("levee-load")?,
            origin: artifact("levee-origin")?,
            native: artifact("levee-native")?,
            worker,
            component,
            constant,
            nginx: Nginx::binary().map_err(|error| error.to_string()),
            varnish: Varnish::binary().map_err(|error| error.to_string()),
            redis: levee_harness::find_redis().map_err(|error| error.to_string()),
            python,
            root: root.to_path_buf(),
        })
    }

    pub(crate) fn baseline(&self) -> PathBuf {
        baseline(&self.root)
    }

    /// What takes part, and of which version.
    pub(crate) fn versions(&self) -> Vec<(&'static str, String)> {
        let mut versions = Vec::new();
        let mut add = |what, version: Option<String>| versions.extend(version.map(|version| (what, version)));
        if let Ok(worker) = &self.worker {
            add("workerd", run::ask(&worker.workerd, &["--version"]));
        }
        for (what, binary, flag) in [
            ("nginx", &self.nginx, "-v"),
            ("varnish", &self.varnish, "-V"),
            ("redis", &self.redis, "--version"),
        ] {
            let said = binary.as_ref().ok().and_then(|binary| run::said(binary, &[flag]));
            add(what, said.and_then(|said| said.lines().next().map(str::to_owned)));
        }
        if let Ok(environment) = &self.python {
            let script = "import platform, flask, gunicorn, importlib.metadata as m; \
                          print('Python', platform.python_version(), 'Flask', m.version('flask'), 'gunicorn', gunicorn.__version__)";
            add("classic", run::ask(environment.join("bin/python"), &["-c", script]));
        }
        versions
    }

    /// `levee.toml`, compiled for a local run before this origin.
    pub(crate) fn compiled(&self, origin: &str) -> Result<Vec<u8>> {
        let origins = vec![(String::from("box-office"), origin.to_owned())];
        compiled(&self.root, Overrides { hosts: vec![String::from("localhost")], origins })
    }
}

fn baseline(root: &Path) -> PathBuf {
    root.join("loadtest/baseline")
}

fn sentence(error: anyhow::Error) -> String {
    format!("{error:#}")
}

fn compiled(root: &Path, overrides: Overrides) -> Result<Vec<u8>> {
    Ok(config::compile(&root.join("levee.toml"), &overrides)?.to_bytes())
}

/// The component as it is deployed, but for the hosts that it answers, and a host that is optimised as the others are.
fn component(root: &Path) -> Result<Component> {
    let host = tools::optimised_component_host(root)?;
    let out = root.join("build/compare-component");
    let hosts = vec![String::from("localhost")];
    let config = compiled(root, Overrides { hosts, ..Overrides::default() })?;
    spin::assemble(&spin::build(root)?, &config, &out)?;
    let text = fs::read_to_string(root.join("spin.toml")).context("cannot read spin.toml")?;
    let manifest = out.join("spin.toml");
    files::write_if_changed(&manifest, text.replace("build/spin/", "").as_bytes())?;
    Ok(Component { host, manifest })
}

/// The bundle as it is deployed.
pub(crate) fn worker(root: &Path) -> Result<Worker> {
    let node = Node::ensure()?;
    tools::npm_packages(root, &node, Packages::Run)?;
    let wasm = worker::build(root, &node)?;
    let bundle = root.join("build/compare");
    worker::assemble(root, &wasm, &compiled(root, Overrides::default())?, &bundle)?;
    Ok(Worker { workerd: Workerd::binary_in(&tools::node_modules(root))?, bundle })
}

/// The least that a Worker can do: what workerd itself costs a request.
pub(crate) fn constant_worker(root: &Path) -> Result<Worker> {
    let node = Node::ensure()?;
    tools::npm_packages(root, &node, Packages::Run)?;
    let (modules, bundle) = (root.join("edge/worker/bench"), root.join("build/compare-constant"));
    for (module, name) in [("constant.mjs", "index.mjs"), ("body.mjs", "body.mjs")] {
        let module = modules.join(module);
        let text = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
        files::write_if_changed(&bundle.join(name), &text)?;
    }
    Ok(Worker { workerd: Workerd::binary_in(&tools::node_modules(root))?, bundle })
}

fn environment(root: &Path) -> Result<PathBuf> {
    let requirements = baseline(root).join("classic/requirements.txt");
    let listed = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", project::shown(root, &requirements)))?;
    tools::python_environment("classic", &listed)
}
