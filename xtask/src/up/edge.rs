use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::{ComponentHost, Native, Process, SpinApp, SpinUp, WranglerDev, answers};

use super::plan::Plan;
use super::{Runtime, STATE, common};
use crate::spin::{self, SpinCommand};
use crate::tools::{self, Node, Packages};
use crate::{files, stop, worker};

/// The bundle and wrangler file of `up`. They carry this machine's addresses and are never what is deployed.
const DEV: &str = "build/dev";
/// How long the edge may take from its first line to its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(30);

/// A built edge, ready to be started.
pub(super) enum Edge {
    Worker { root: PathBuf, node: Node, wasm: PathBuf },
    Native { root: PathBuf, binary: PathBuf },
    Spin { root: PathBuf, component: PathBuf, host: Host },
}

/// What runs a component.
pub(super) enum Host {
    /// The `spin` command.
    Spin(PathBuf),
    /// `levee-component-host`.
    Own(PathBuf),
}

/// Installs and builds what this runtime needs.
pub(super) fn prepare(root: &Path, runtime: Runtime) -> Result<Edge> {
    let root = root.to_path_buf();
    match runtime {
        Runtime::Worker => {
            let node = Node::ensure()?;
            tools::npm_packages(&root, &node, Packages::Run)?;
            println!("Building the edge for Workers");
            let wasm = worker::build(&root, &node)?;
            Ok(Edge::Worker { root, node, wasm })
        }
        Runtime::Native => {
            println!("Building the native edge");
            let built = levee_harness::cargo_build(&root, &["levee-native"], &[], stop::requested)?;
            let binary = built.into_iter().next().context("cargo named no levee-native")?.artifact;
            Ok(Edge::Native { root, binary })
        }
        Runtime::Spin => {
            println!("Building the edge for Spin");
            let component = spin::build(&root)?;
            let host = match spin::find_command() {
                SpinCommand::Usable(program) => Host::Spin(program),
                missing => {
                    println!("{}", missing.remedy());
                    println!(
                        "Until then the component runs in the project's own component host, which is not Spin: \
                         good for trying it out, not for measuring or deploying."
                    );
                    Host::Own(tools::component_host(&root)?)
                }
            };
            Ok(Edge::Spin { root, component, host })
        }
    }
}

impl Edge {
    /// Starts it and waits until it answers.
    pub(super) fn start(&self, plan: &Plan, origin: Option<&Process>, port: u16) -> Result<Process> {
        println!("Starting the edge");
        let process = match self {
            Self::Worker { root, node, wasm } => {
                let config = self.write_worker(root, wasm, plan, origin)?;
                WranglerDev::new(&node.program, tools::node_modules(root), config)
                    .port(port)
                    // The status page asks for no token then, on loopback.
                    .var("LEVEE_ENVIRONMENT", "local")
                    .persist_to(plan.stored(root)?.join("wrangler"))
                    .with(|spec| common(root, "edge")(spec.env("PATH", node.path())))
                    .start()?
            }
            Self::Native { root, binary } => {
                let mut native = Native::new(binary)
                    .port(port)
                    .config(plan.native_file(&root.join(DEV))?)
                    .store(plan.stored(root)?.join("native.sqlite"))
                    .with(common(root, "edge"));
                let overrides = plan.overrides(origin.map(Process::url));
                for host in &overrides.hosts {
                    native = native.host(host);
                }
                for (name, url) in &overrides.origins {
                    native = native.origin(name, url);
                }
                native.start()?
            }
            Self::Spin { root, component, host } => {
                start_component(root, component, host, plan, origin, port)?
            }
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
    pub(super) fn reconfigure(
        &self,
        running: Process,
        plan: &Plan,
        origin: Option<&Process>,
        port: u16,
    ) -> Result<Process> {
        let compiled = match plan.compile(origin.map(Process::url)) {
            Ok(compiled) => compiled,
            Err(error) => {
                eprintln!("the changed configuration is not used: {error:#}");
                return Ok(running);
            }
        };
        println!("The configuration has changed: it holds from now on");
        match self {
            // wrangler watches the bundle and loads it anew.
            Self::Worker { root, wasm, .. } => {
                worker::assemble(root, wasm, &compiled.to_bytes(), &root.join(DEV).join("worker"))?;
                Ok(running)
            }
            Self::Native { .. } | Self::Spin { .. } => {
                running.stop();
                self.start(plan, origin, port)
            }
        }
    }

    /// Writes the bundle with this machine's addresses and the wrangler file that names it; returns the latter.
    fn write_worker(
        &self,
        root: &Path,
        wasm: &Path,
        plan: &Plan,
        origin: Option<&Process>,
    ) -> Result<PathBuf> {
        let folder = root.join(DEV);
        let compiled = plan.compile(origin.map(Process::url))?;
        worker::assemble(root, wasm, &compiled.to_bytes(), &folder.join("worker"))?;
        let config = folder.join("wrangler.json");
        let wrangler = WranglerDev::config_for(root.join("wrangler.toml"), "worker/index.mjs")?;
        files::write_if_changed(&config, wrangler.as_bytes())?;
        Ok(config)
    }
}

/// Starts the component with this machine's addresses, with a manifest of its own; nothing of it is what is deployed.
fn start_component(
    root: &Path,
    component: &Path,
    host: &Host,
    plan: &Plan,
    origin: Option<&Process>,
    port: u16,
) -> Result<Process> {
    let compiled = plan.compile(origin.map(Process::url))?;
    let mut app = SpinApp::new(component, compiled.to_bytes());
    for origin in &compiled.config.origins {
        app = app.reach(&origin.url);
    }
    let folder = root.join(DEV).join("spin");
    let manifest = app.write(root.join("spin.toml"), &folder)?;
    let stored = plan.stored(root)?;
    let (stacks, number) = spin::STACKS;
    match host {
        // The variable opens the status page to loopback hosts.
        Host::Own(host) => Ok(ComponentHost::new(host, manifest)
            .port(port)
            .variable("levee_environment", "local")
            .sqlite(stored.join("key-value.sqlite"))
            .with(|spec| common(root, "edge")(spec.args(spin::LONG_LIVED).env(stacks, number)))
            .start()?),
        Host::Spin(program) => Ok(SpinUp::new(program, manifest)
            .port(port)
            .variable("levee_environment", "local")
            .state(stored.join("spin"))
            .with(|spec| common(root, "edge")(spec.args(spin::LONG_LIVED).env(stacks, number)))
            .start()?),
    }
}

impl Plan {
    /// Where the edge keeps what it has stored. Each origin has a folder of its own: the same URL of another is another page.
    fn stored(&self, root: &Path) -> Result<PathBuf> {
        let folder = root.join(STATE).join("stored").join(self.origin_name());
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// A file for the native edge, which reads its rules as a user writes them.
    fn native_file(&self, folder: &Path) -> Result<PathBuf> {
        if let Some(file) = self.file() {
            return Ok(file.to_path_buf());
        }
        let file = folder.join("neutral.toml");
        let mut text = String::from("# Made by `cargo xtask up --origin`.\nversion = 1\n");
        for (name, url) in self.named() {
            text.push_str(&format!("\n[origins.{name}]\nurl = {}\n", toml::Value::from(url.as_str())));
        }
        files::write_if_changed(&file, text.as_bytes())?;
        Ok(file)
    }
}
