//! The Node process that plays an application's clients: one line asks for a flow, one line says what was seen.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::Group;
use serde::Deserialize;
use serde_json::json;

use crate::outcome::Outcome;
use crate::stopped;

/// A flow ends itself sooner: this is for a driver that does not answer any more.
const PATIENCE: Duration = Duration::from_secs(360);
const POLL: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Driver {
    _group: Group,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    flows: Vec<Flow>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Flow {
    pub(crate) name: String,
    /// It takes over ten seconds.
    pub(crate) slow: bool,
}

impl Driver {
    /// Starts it with this module of flows. What it writes to stderr goes to `log`.
    pub(crate) fn start(node: &Path, script: &Path, flows: &Path, log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| log.display().to_string())?;
        let mut command = Command::new(node);
        command.arg(script).arg(flows).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // The clients are the application's own: npm and git must find neither a proxy nor this repository's settings.
        for name in ["http_proxy", "HTTP_PROXY", "NODE_OPTIONS", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]
        {
            command.env_remove(name);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let first = node.parent().map(Path::to_path_buf);
        let path = std::env::join_paths(first.into_iter().chain(std::env::split_paths(&path)))?;
        command.env("PATH", path);
        let mut group =
            Group::spawn(&mut command).context("the driver of the clients could not be started")?;
        let stdin = group.child().stdin.take().context("the driver has no stdin")?;
        let stdout = group.child().stdout.take().context("the driver has no stdout")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { _group: group, stdin, answers })
    }

    /// The flows, in their order.
    pub(crate) fn flows(&mut self) -> Result<Vec<Flow>> {
        let answer = self.ask(&json!({ "list": true }))?;
        Ok(serde_json::from_str::<Listed>(&answer)?.flows)
    }

    /// Runs one flow at this address. `origin`: where the application itself listens. `tag`: what makes names of this run its
    /// own. `folder`: where clients may write.
    pub(crate) fn run(
        &mut self,
        flow: &str,
        base: &str,
        origin: &str,
        tag: &str,
        folder: &Path,
    ) -> Result<Outcome> {
        let answer = self
            .ask(&json!({ "flow": flow, "base": base, "origin": origin, "tag": tag, "folder": folder }))
            .with_context(|| format!("flow {flow}"))?;
        Ok(serde_json::from_str(&answer)?)
    }

    fn ask(&mut self, what: &serde_json::Value) -> Result<String> {
        writeln!(self.stdin, "{what}").context("the driver does not listen")?;
        self.stdin.flush()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.answers.recv_timeout(POLL) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Timeout) if stopped() => bail!("stopped"),
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                Err(RecvTimeoutError::Timeout) => bail!("the driver has not answered for {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the driver has ended; its log says why"),
            }
        }
    }
}
