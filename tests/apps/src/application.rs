//! An application: what its folder says of how it is started.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use levee_harness::{Group, Nginx, Process, Ready, Spec, free_port};
use serde::Deserialize;

use crate::copy::{copy, replace_folder};
use crate::stopped;

/// A build or a first start may compile.
const PREPARED_WITHIN: Duration = Duration::from_secs(600);
const STARTED_WITHIN: Duration = Duration::from_secs(90);

/// `application.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// What is tested, with its version, for the report.
    title: String,
    /// `npm` (package-lock.json), `python` (requirements.txt) or `none`: what xtask installs.
    #[allow(dead_code, reason = "xtask reads it")]
    packages: String,
    /// Whether it is part of what CI runs.
    #[allow(dead_code, reason = "xtask reads it")]
    ci: bool,
    /// Programs of the machine that it needs, such as `git`.
    #[serde(default)]
    needs: Vec<String>,
    /// Commands that are run once before the first start.
    #[serde(default)]
    prepare: Vec<Vec<String>>,
    /// Commands that fill the state of each start.
    #[serde(default)]
    fill: Vec<Vec<String>>,
    /// The command that serves on 127.0.0.1, at `{port}`.
    start: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// An application with its packages.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) name: String,
    manifest: Manifest,
    source: PathBuf,
    packages: Option<PathBuf>,
}

impl Application {
    /// Every folder that has an `application.toml`.
    pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.path().join("application.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    pub(crate) fn read(folder: &Path, name: &str, packages: Option<PathBuf>) -> Result<Self> {
        let source = folder.join(name);
        let path = source.join("application.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Manifest = toml::from_str(&text).with_context(|| path.display().to_string())?;
        if manifest.start.is_empty() {
            bail!("{}: `start` is empty", path.display());
        }
        Ok(Self { name: name.to_owned(), manifest, source, packages })
    }

    pub(crate) fn title(&self) -> &str {
        &self.manifest.title
    }

    /// Puts a copy of its files beside its packages, and runs what is to be run once.
    ///
    /// # Errors
    /// Where a program that it needs is not here, a copy or a command fails.
    pub(crate) fn prepare(&self, work: &Path, node: &Path) -> Result<Prepared<'_>> {
        for program in &self.manifest.needs {
            levee_harness::find_program(program, "install it by your system")?;
        }
        copy(&self.source, work)?;
        if let Some(packages) = &self.packages
            && self.manifest.packages == "npm"
        {
            let link = work.join("node_modules");
            let to = packages.join("node_modules");
            if fs::read_link(&link).ok().as_ref() != Some(&to) {
                let _ = fs::remove_file(&link);
                std::os::unix::fs::symlink(&to, &link)
                    .with_context(|| format!("cannot link {}", link.display()))?;
            }
        }
        let prepared = Prepared { application: self, work: work.to_path_buf(), node: node.to_path_buf() };
        for command in &self.manifest.prepare {
            prepared.run(command, work, 0)?;
        }
        Ok(prepared)
    }
}

/// An application that can be started any number of times.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) application: &'a Application,
    work: PathBuf,
    node: PathBuf,
}

impl Prepared<'_> {
    /// The module with its flows.
    pub(crate) fn flows(&self) -> PathBuf {
        self.work.join("flows.mjs")
    }

    /// Starts it with nothing in its state, on a port of its own.
    pub(crate) fn start(&self, state: &Path, log: &Path) -> Result<Process> {
        replace_folder(state)?;
        let port = free_port()?;
        for command in &self.application.manifest.fill {
            self.run(command, state, port)?;
        }
        let (program, args) = self.command(&self.application.manifest.start, state, port)?;
        let mut spec = Spec::new(&self.application.name, program)
            .args(args)
            .dir(&self.work)
            .log_file(log)
            .within(STARTED_WITHIN)
            .cancelled_by(stopped);
        for (name, value) in self.environment(state, port)? {
            spec = spec.env(name, value);
        }
        let url = format!("http://127.0.0.1:{port}");
        Ok(Process::start(spec, &Ready::Listens { url })?)
    }

    fn run(&self, command: &[String], state: &Path, port: u16) -> Result<()> {
        let (program, args) = self.command(command, state, port)?;
        let log = levee_harness::Log::in_memory();
        let mut child = Command::new(&program);
        child.args(args).current_dir(&self.work).envs(self.environment(state, port)?);
        child.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        child.stderr(std::process::Stdio::piped());
        let mut group = Group::spawn(&mut child)
            .with_context(|| format!("{} could not be started", program.display()))?;
        if let Some(stdout) = group.child().stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = group.child().stderr.take() {
            log.follow(stderr);
        }
        let deadline = std::time::Instant::now() + PREPARED_WITHIN;
        let status = group.wait(|| stopped() || std::time::Instant::now() > deadline);
        log.settle(Duration::from_secs(1));
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{} failed ({status}):\n{}", command.join(" "), log.tail(30)),
            None => bail!("{} did not end in time:\n{}", command.join(" "), log.tail(30)),
        }
    }

    fn command(&self, command: &[String], state: &Path, port: u16) -> Result<(PathBuf, Vec<String>)> {
        let mut words =
            command.iter().map(|word| self.filled(word, state, port)).collect::<Result<Vec<_>>>()?;
        let program = PathBuf::from(words.remove(0));
        Ok((program, words))
    }

    fn environment(&self, state: &Path, port: u16) -> Result<Vec<(String, String)>> {
        let own = self.application.manifest.env.iter();
        let mut all = own
            .map(|(name, value)| Ok((name.clone(), self.filled(value, state, port)?)))
            .collect::<Result<Vec<_>>>()?;
        // Neither a proxy of the machine's nor what a user has set for their own Python and Node.
        for name in ["http_proxy", "HTTP_PROXY", "NODE_OPTIONS", "PYTHONPATH"] {
            all.push((name.to_owned(), String::new()));
        }
        all.push((String::from("PYTHONDONTWRITEBYTECODE"), String::from("1")));
        Ok(all)
    }

    /// Puts addresses and folders in the place of `{port}`, `{state}`, `{work}`, `{node}`, `{nginx}` and `{packages}`.
    fn filled(&self, word: &str, state: &Path, port: u16) -> Result<String> {
        let mut filled = word
            .replace("{port}", &port.to_string())
            .replace("{state}", &state.to_string_lossy())
            .replace("{work}", &self.work.to_string_lossy())
            .replace("{node}", &self.node.to_string_lossy());
        if filled.contains("{packages}") {
            let packages = self.application.packages.as_ref().context("it has no packages")?;
            filled = filled.replace("{packages}", &packages.to_string_lossy());
        }
        if filled.contains("{nginx}") {
            filled = filled.replace("{nginx}", &Nginx::binary()?.to_string_lossy());
        }
        Ok(filled)
    }
}
