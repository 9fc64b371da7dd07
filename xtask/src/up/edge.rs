use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::{ComponentHost, Native, Process, SpinApp, SpinUp, WranglerDev, answers};

use super::folder::Folder;
use super::plan::HOSTS;
use super::plan::Plan;
use super::{Runtime, common};
use crate::spin::{self, SpinCommand};
use crate::tools::{self, Node, Packages};
use crate::{files, stop, worker};

/// How long the edge may take from its first line to its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(30);

/// What was built of an edge, where the build put it: a later build may change it.
pub(super) enum Built {
    Worker { node: Node, wasm: PathBuf },
    Native { binary: PathBuf },
    Spin { component: PathBuf, host: Host },
}

/// What runs a component.
#[derive(Clone)]
pub(super) enum Host {
    /// The `spin` command.
    Spin(PathBuf),
    /// `levee-component-host`.
    Own(PathBuf),
}

/// Installs and builds what this runtime needs.
pub(super) fn build(root: &Path, runtime: Runtime) -> Result<Built> {
    match runtime {
        Runtime::Worker => {
            let node = Node::ensure()?;
            tools::npm_packages(root, &node, Packages::Run)?;
            println!("Building the edge for Workers");
            let wasm = worker::build(root, &node)?;
            Ok(Built::Worker { node, wasm })
        }
        Runtime::Native => {
            println!("Building the native edge");
            let built = levee_harness::cargo_build(root, &["levee-native"], &[], stop::requested)?;
            let binary = built.into_iter().next().context("cargo named no levee-native")?.artifact;
            Ok(Built::Native { binary })
        }
        Runtime::Spin => {
            println!("Building the edge for Spin");
            let component = spin::build(root)?;
            let host = match spin::find_command() {
                SpinCommand::Usable(program) => Host::Spin(program),
                missing => {
                    println!("{}", missing.remedy());
                    println!(
                        "Until then the component runs in the project's own component host, which is not Spin: \
                         good for trying it out, not for measuring or deploying."
                    );
                    Host::Own(tools::component_host(root)?)
                }
            };
            Ok(Built::Spin { component, host })
        }
    }
}

/// An edge in the folder of its run, ready to be started.
pub(super) struct Edge<'a> {
    root: &'a Path,
    folder: &'a Folder,
    plan: &'a Plan,
    port: u16,
    parts: Parts,
}

/// What it is started from: copies of what was built.
enum Parts {
    /// The bundle lies in the folder.
    Worker {
        node: Node,
    },
    Native {
        binary: PathBuf,
    },
    Spin {
        component: PathBuf,
        host: Host,
    },
}

impl<'a> Edge<'a> {
    /// Puts what was built into the folder. The copies carry this machine's addresses and are never what is deployed.
    pub(super) fn new(
        root: &'a Path,
        built: &Built,
        folder: &'a Folder,
        plan: &'a Plan,
        port: u16,
    ) -> Result<Self> {
        let parts = match built {
            Built::Worker { node, wasm } => {
                let compiled = plan.compile(None)?;
                worker::assemble(root, wasm, &compiled.to_bytes(), &folder.path().join("worker"))?;
                Parts::Worker { node: node.clone() }
            }
            Built::Native { binary } => Parts::Native { binary: folder.keep(binary)? },
            Built::Spin { component, host } => {
                let host = match host {
                    Host::Own(host) => Host::Own(folder.keep(host)?),
                    installed @ Host::Spin(_) => installed.clone(),
                };
                Parts::Spin { component: folder.keep(component)?, host }
            }
        };
        Ok(Self { root, folder, plan, port, parts })
    }

    /// Starts it and waits until it answers.
    pub(super) fn start(&self, origin: Option<&Process>) -> Result<Process> {
        println!("Starting the edge");
        let process = match &self.parts {
            Parts::Worker { node } => self.start_worker(node, origin)?,
            Parts::Native { binary } => {
                let mut native = Native::new(binary)
                    .port(self.port)
                    .config(self.plan.native_file(self.folder)?)
                    .store(self.stored()?.join("native.sqlite"))
                    .with(common(self.folder, "edge"));
                let overrides = self.plan.overrides(origin.map(Process::url));
                for host in &overrides.hosts {
                    native = native.host(host);
                }
                for (name, url) in &overrides.origins {
                    native = native.origin(name, url);
                }
                native.start()?
            }
            Parts::Spin { component, host } => self.start_component(component, host, origin)?,
        };
        let began = Instant::now();
        while !answers(&format!("{}/.levee/", process.url())) {
            if stop::requested() {
                bail!("stopped");
            }
            if began.elapsed() > FIRST_ANSWER || !process.is_running() {
                bail!("the edge does not answer; its last lines:\n{}", process.log().tail(25));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(process)
    }

    /// Takes a changed configuration into use. A wrong one is reported and the edge goes on with the one it has.
    pub(super) fn reconfigure(&self, running: Process, origin: Option<&Process>) -> Result<Process> {
        if let Err(error) = self.plan.compile(origin.map(Process::url)) {
            eprintln!("the changed configuration is not used: {error:#}");
            return Ok(running);
        }
        println!("The configuration has changed: it holds from now on");
        match &self.parts {
            // wrangler watches the bundle and loads it anew.
            Parts::Worker { .. } => {
                self.write_worker_config(origin)?;
                Ok(running)
            }
            Parts::Native { .. } | Parts::Spin { .. } => {
                running.stop();
                self.start(origin)
            }
        }
    }

    fn start_worker(&self, node: &Node, origin: Option<&Process>) -> Result<Process> {
        self.write_worker_config(origin)?;
        let config = self.folder.path().join("wrangler.json");
        let wrangler = WranglerDev::config_for(self.root.join("wrangler.toml"), "worker/index.mjs")?;
        files::write_if_changed(&config, wrangler.as_bytes())?;
        let process = WranglerDev::new(&node.program, tools::node_modules(self.root), config)
            .port(self.port)
            // The status page asks for no token then, on loopback.
            .var("LEVEE_ENVIRONMENT", "local")
            .persist_to(self.stored()?.join("wrangler"))
            .with(|spec| {
                // Elsewhere each Worker of this name would stand in for the others.
                let registry = self.folder.path().join("registry");
                common(self.folder, "edge")(
                    spec.env("PATH", node.path()).env("WRANGLER_REGISTRY_PATH", registry),
                )
            })
            .start()?;
        Ok(process)
    }

    /// The bundle's configuration, with this machine's addresses.
    fn write_worker_config(&self, origin: Option<&Process>) -> Result<()> {
        let compiled = self.plan.compile(origin.map(Process::url))?;
        files::write_if_changed(&self.folder.path().join("worker/levee.bin"), &compiled.to_bytes())?;
        Ok(())
    }

    /// Starts the component with this machine's addresses, with a manifest of its own.
    fn start_component(&self, component: &Path, host: &Host, origin: Option<&Process>) -> Result<Process> {
        let compiled = self.plan.compile(origin.map(Process::url))?;
        let mut app = SpinApp::new(component, compiled.to_bytes());
        for origin in &compiled.config.origins {
            app = app.reach(&origin.url);
        }
        let manifest = app.write(self.root.join("spin.toml"), &self.folder.path().join("spin"))?;
        let stored = self.stored()?;
        let (stacks, number) = spin::STACKS;
        match host {
            // The variable opens the status page to loopback hosts.
            Host::Own(host) => Ok(ComponentHost::new(host, manifest)
                .port(self.port)
                .variable("levee_environment", "local")
                .sqlite(stored.join("key-value.sqlite"))
                .with(|spec| common(self.folder, "edge")(spec.args(spin::LONG_LIVED).env(stacks, number)))
                .start()?),
            Host::Spin(program) => Ok(SpinUp::new(program, manifest)
                .port(self.port)
                .variable("levee_environment", "local")
                .state(stored.join("spin"))
                .with(|spec| common(self.folder, "edge")(spec.args(spin::LONG_LIVED).env(stacks, number)))
                .start()?),
        }
    }

    /// Where the edge keeps what it has stored. Each origin has a folder of its own: the same URL of another is another page.
    fn stored(&self) -> Result<PathBuf> {
        let folder = self.folder.path().join("stored").join(self.plan.origin_name());
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

impl Plan {
    /// A file for the native edge, which reads its rules as a user writes them.
    fn native_file(&self, folder: &Folder) -> Result<PathBuf> {
        if let Some(file) = self.file() {
            return Ok(file.to_path_buf());
        }
        let file = folder.path().join("neutral.toml");
        let mut text = format!("# Made by `cargo xtask up --origin`.\nversion = 1\nhosts = {HOSTS:?}\n");
        for (name, url) in self.named() {
            text.push_str(&format!("\n[origins.{name}]\nurl = {}\n", toml::Value::from(url.as_str())));
        }
        files::write_if_changed(&file, text.as_bytes())?;
        Ok(file)
    }
}
