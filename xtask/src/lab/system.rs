//! The system under load: one or more box offices on one database, and an edge before them, all in release builds.

mod native;
mod spin;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use levee_harness::{Origin, Process};
use tempfile::TempDir;

use super::counts::OriginLog;
use super::sample::Sampler;
use crate::stop;

/// What an edge can run on. A further one is one file here, and a line in each of the three functions below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Runtime {
    /// Cloudflare's workerd itself, with the bundle that is deployed, and KV.
    Worker,
    /// The native server, with memory and SQLite.
    Native,
    /// The Spin component in the project's component host, with a key-value store in memory.
    Spin,
}

impl Runtime {
    pub(crate) const ALL: [Self; 3] = [Self::Native, Self::Worker, Self::Spin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Native => "native",
            Self::Spin => "spin",
        }
    }

    /// Installs and builds what it needs.
    fn prepare(self, root: &Path, build: Build, native: PathBuf) -> Result<Edge> {
        match self {
            Self::Worker => worker::prepare(root),
            Self::Native => Ok(Edge::Native(native::Native::new(native))),
            Self::Spin => spin::prepare(root, build),
        }
    }
}

/// A built edge.
#[derive(Debug)]
enum Edge {
    Worker(worker::Worker),
    Native(native::Native),
    Spin(spin::Spin),
}

impl Edge {
    /// Starts it with a configuration file; what it stores goes below `folder`.
    fn start(&self, config: &Path, folder: &Path) -> Result<Started> {
        match self {
            Self::Worker(worker) => worker.start(config),
            Self::Native(native) => native.start(config, folder).map(Started::from),
            Self::Spin(spin) => spin.start(config, folder).map(Started::from),
        }
    }

    fn versions(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Worker(worker) => worker.versions(),
            Self::Native(_) | Self::Spin(_) => Vec::new(),
        }
    }
}

/// A running edge.
#[derive(Debug)]
struct Started {
    edge: Process,
    /// What stands in for a service of its platform, under the name that charts use.
    beside: Option<(&'static str, Process)>,
}

impl From<Process> for Started {
    fn from(edge: Process) -> Self {
        Self { edge, beside: None }
    }
}

/// Built parts, to start a system from as often as wanted.
#[derive(Debug)]
pub(super) struct Parts {
    root: PathBuf,
    origin: PathBuf,
    edge: Option<Edge>,
}

impl Parts {
    /// Builds the origin and, unless only that is wanted, an edge.
    pub(super) fn build(root: &Path, runtime: Option<Runtime>, build: Build) -> Result<Self> {
        println!("Building the system");
        // Always both: built alone, each would be compiled once more with its own choice of features of what they share.
        let [origin, native] = build.programs(root, ["levee-origin", "levee-native"])?;
        let edge = runtime.map(|runtime| runtime.prepare(root, build, native)).transpose()?;
        Ok(Self { root: root.to_path_buf(), origin, edge })
    }

    pub(super) fn versions(&self) -> Vec<(&'static str, String)> {
        self.edge.as_ref().map(Edge::versions).unwrap_or_default()
    }
}

/// How programs of the workspace are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    /// As they are deployed.
    Release,
    /// Quickly, to check the lab and not the system.
    Debug,
}

impl Build {
    fn programs<const N: usize>(self, root: &Path, packages: [&str; N]) -> Result<[PathBuf; N]> {
        let args: &[&str] = if self == Self::Release { &["--release"] } else { &[] };
        let built = levee_harness::cargo_build(root, &packages, args, stop::requested)?;
        let found: Vec<PathBuf> = built.into_iter().map(|built| built.artifact).collect();
        found
            .try_into()
            .map_err(|_| anyhow::anyhow!("cargo named fewer programs than {}", packages.join(", ")))
    }
}

/// A running system.
#[derive(Debug)]
pub(super) struct System {
    parts: Parts,
    edge: Option<Process>,
    /// Stopped after the edge, which uses it.
    beside: Option<(&'static str, Process)>,
    /// By number, from 1; those that are not there are `None`.
    origins: Vec<Option<Process>>,
    ports: Vec<u16>,
    log: OriginLog,
    /// The database, the configuration, the edge's store. Gone when the system is.
    folder: TempDir,
}

impl System {
    /// Starts origins number 1 to `present` of `all`, and the edge before all of them.
    pub(super) fn start(parts: Parts, all: usize, present: usize, began: Instant) -> Result<Self> {
        println!("Starting the system");
        let ports = (0..all).map(|_| levee_harness::free_port()).collect::<Result<Vec<_>, _>>()?;
        let mut system = Self {
            parts,
            edge: None,
            beside: None,
            origins: (0..all).map(|_| None).collect(),
            ports,
            log: OriginLog::new(began),
            folder: tempfile::Builder::new().prefix("levee-lab-").tempdir()?,
        };
        for number in 1..=present {
            system.add(number)?;
        }
        if let Some(edge) = &system.parts.edge {
            let config = system.folder.path().join("levee.toml");
            fs::write(&config, system.configuration()?)?;
            let Started { edge, beside } = edge.start(&config, system.folder.path())?;
            system.beside = beside;
            let status = format!("{}/.levee/status", edge.url());
            let deadline = Instant::now() + std::time::Duration::from_secs(30);
            loop {
                match levee_harness::get(&status) {
                    Some((200, _)) => break,
                    // It runs, and refuses: nothing that follows would be an answer of the system.
                    Some((code, body)) => {
                        bail!("the edge answers {code} when it is asked for its counters:\n{body}")
                    }
                    None => {}
                }
                if stop::requested() || Instant::now() > deadline || !edge.is_running() {
                    bail!("the edge does not answer; its last lines:\n{}", edge.log().tail(25));
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            system.edge = Some(edge);
        }
        Ok(system)
    }

    /// The project's own levee.toml, with our origins in place of its one, each of the same weight.
    fn configuration(&self) -> Result<String> {
        let file = self.parts.root.join("levee.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut table: toml::Table =
            text.parse().with_context(|| format!("{} is damaged", file.display()))?;
        let origins = self.ports.iter().enumerate().map(|(at, port)| {
            let url = toml::Value::from(format!("http://127.0.0.1:{port}"));
            let name = if self.ports.len() == 1 {
                String::from("box-office")
            } else {
                format!("box-office-{}", at + 1)
            };
            (name, toml::Value::Table([(String::from("url"), url)].into_iter().collect()))
        });
        table.insert(String::from("origins"), toml::Value::Table(origins.collect()));
        table.insert(String::from("hosts"), toml::Value::from(vec!["127.0.0.1", "localhost"]));
        Ok(toml::to_string(&table)?)
    }

    /// Starts an origin at the address that the edge knows it under.
    pub(super) fn add(&mut self, number: usize) -> Result<()> {
        let log = self.log.clone();
        let process = Origin::new(&self.parts.origin)
            .port(self.ports[number - 1])
            .database(self.folder.path().join("box-office.sqlite"))
            .with(|spec| {
                spec.env("LEVEE_LOG_FORMAT", "json")
                    .env("RUST_LOG", "info")
                    .cancelled_by(stop::requested)
                    .echo(move |line| log.line(number, line))
            })
            .start()?;
        self.origins[number - 1] = Some(process);
        Ok(())
    }

    /// Asks an origin to stop, as a platform does that scales down, and waits until it has.
    pub(super) fn remove(&mut self, number: usize) {
        if let Some(process) = self.origins[number - 1].take() {
            process.stop();
        }
    }

    /// Where clients reach the system: the edge, or the first origin where there is none.
    pub(super) fn url(&self) -> &str {
        self.edge.as_ref().map_or_else(|| self.origin_url(), Process::url)
    }

    /// Where the first origin answers.
    pub(super) fn origin_url(&self) -> &str {
        self.origins.first().and_then(Option::as_ref).map_or("", Process::url)
    }

    pub(super) fn origin_log(&self) -> &OriginLog {
        &self.log
    }

    /// Has every process of the system watched, under the names that charts use.
    pub(super) fn watch(&self, sampler: &Sampler) {
        if let Some(edge) = &self.edge {
            sampler.watch("edge", edge.pid());
        }
        if let Some((name, process)) = &self.beside {
            sampler.watch(name, process.pid());
        }
        for (at, origin) in self.origins.iter().enumerate() {
            if let Some(origin) = origin {
                sampler.watch(&self.origin_name(at + 1), origin.pid());
            }
        }
    }

    /// What an origin is called.
    pub(super) fn origin_name(&self, number: usize) -> String {
        if self.ports.len() == 1 { String::from("origin") } else { format!("origin {number}") }
    }

    /// # Errors
    /// When a process that should run has ended.
    pub(super) fn check(&self) -> Result<()> {
        let beside = self.beside.iter().map(|(_, process)| process);
        for process in self.edge.iter().chain(beside).chain(self.origins.iter().flatten()) {
            if !process.is_running() {
                bail!("{} has ended; its last lines:\n{}", process.name(), process.log().tail(25));
            }
        }
        Ok(())
    }
}
