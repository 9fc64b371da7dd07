use std::any::Any;
use std::fmt;
use std::fs::{self, File};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::group::Group;
use crate::log::Log;
use crate::{Error, Ready, Result, Spec, http};

/// Lines of the log that an error carries.
const TAIL: usize = 25;
/// How often readiness is asked for.
const POLL: Duration = Duration::from_millis(25);
/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A running process that has said it is ready. Dropping it stops it with all its children.
pub struct Process {
    name: String,
    url: String,
    log: Log,
    group: Group,
    /// Files that must live as long as the process; dropped after it.
    kept: Vec<Box<dyn Any + Send>>,
}

impl Process {
    /// Starts a process and waits until it is ready.
    ///
    /// # Errors
    /// [`Error::Spawn`], or [`Error::Died`], [`Error::Late`] and [`Error::Cancelled`] when it does not become ready;
    /// it is stopped then.
    pub fn start(mut spec: Spec, ready: &Ready) -> Result<Self> {
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (key, value) in &spec.env {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        if let Some(dir) = &spec.dir {
            command.current_dir(dir);
        }
        let file = spec.log_file.as_deref().map(create).transpose()?;
        let log = Log::new(file, spec.sink.take());
        let mut group = Group::spawn(&mut command).map_err(|source| Error::Spawn {
            name: spec.name.clone(),
            program: spec.program.clone(),
            source,
        })?;
        if let Some(stdout) = group.child().stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = group.child().stderr.take() {
            log.follow(stderr);
        }
        let url = wait_ready(&spec, ready, &mut group, &log)?;
        Ok(Self { name: spec.name, url, log, group, kept: Vec::new() })
    }

    /// Keeps a value (a temporary folder) until the process has ended.
    pub fn keep(mut self, value: impl Any + Send) -> Self {
        self.kept.push(Box::new(value));
        self
    }

    /// The name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it answers, as `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port of [`Process::url`], to start a successor at the same address.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80)
    }

    /// Its process id, which is the id of its group.
    pub fn pid(&self) -> u32 {
        self.group.pid()
    }

    /// What it wrote.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.group.has_ended()
    }

    /// SIGTERM to the whole group, ten seconds to end, then SIGKILL. Returns the exit status of the process.
    pub fn stop(mut self) -> Option<ExitStatus> {
        self.group.stop(GRACE)
    }

    /// SIGKILL to the whole group: what a crash looks like from outside.
    pub fn kill(mut self) -> Option<ExitStatus> {
        self.group.kill()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

fn create(path: &std::path::Path) -> Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io(format!("the log folder {}", parent.display())))?;
    }
    File::create(path).map_err(Error::io(format!("the log file {}", path.display())))
}

fn wait_ready(spec: &Spec, ready: &Ready, group: &mut Group, log: &Log) -> Result<String> {
    let deadline = Instant::now() + spec.within;
    let name = || spec.name.clone();
    let mut seen = 0;
    loop {
        // Asked before the log is read: what it wrote before it ended still counts.
        let ended = group.has_ended();
        if ended {
            log.settle(Duration::from_millis(500));
        }
        let mark = log.mark();
        if !ended && let Some(url) = ready.look(log, seen) {
            return Ok(url);
        }
        seen = mark;
        if ended {
            let status = group.stop(Duration::from_secs(1)).unwrap_or_default();
            return Err(Error::Died { name: name(), status, log: log.tail(TAIL) });
        }
        if spec.cancelled.is_some_and(|cancelled| cancelled()) {
            group.stop(GRACE);
            return Err(Error::Cancelled { name: name() });
        }
        if Instant::now() >= deadline {
            group.stop(Duration::from_secs(2));
            let awaited = ready.describe();
            return Err(Error::Late { name: name(), within: spec.within, awaited, log: log.tail(TAIL) });
        }
        log.wait_for(seen, POLL, |_| Some(()));
    }
}

impl Ready {
    fn look(&self, log: &Log, seen: usize) -> Option<String> {
        match self {
            Self::Line { before } => log.since(seen).iter().find_map(|line| url_after(line, before)),
            Self::Text { text, url } => {
                log.since(seen).iter().any(|line| line.contains(text)).then(|| url.clone())
            }
            Self::WorkerdControl => {
                log.since(seen).iter().find_map(|line| workerd_listen(line, "http")).map(at_port)
            }
            Self::Listens { url } => http::listens(url).then(|| url.clone()),
            Self::Http { url } => http::answers(url).then(|| url.trim_end_matches('/').to_owned()),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Line { before } => format!("a line with \"{before}\""),
            Self::Text { text, .. } => format!("a line with \"{text}\""),
            Self::WorkerdControl => String::from("workerd to report its port"),
            Self::Listens { url } => format!("a listening socket at {url}"),
            Self::Http { url } => format!("an answer from {url}"),
        }
    }
}

fn url_after(line: &str, before: &str) -> Option<String> {
    let rest = line.split_once(before)?.1.trim_start();
    let url = rest.split_whitespace().next()?;
    url.starts_with("http").then(|| url.trim_end_matches('/').to_owned())
}

/// The port of a socket, where a line of workerd's control messages tells it.
pub(crate) fn workerd_listen(line: &str, socket: &str) -> Option<u16> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["event"] != "listen" || message["socket"] != socket {
        return None;
    }
    message["port"].as_u64()?.try_into().ok()
}

fn at_port(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_read_from_the_line() {
        let line = "levee-origin listening on http://127.0.0.1:8081/";
        assert_eq!(url_after(line, "levee-origin listening on").as_deref(), Some("http://127.0.0.1:8081"));
        assert_eq!(url_after("levee-origin listening soon", "levee-origin listening on"), None);
    }

    #[test]
    fn only_the_http_socket_counts() {
        let line = r#"{"event":"listen","socket":"http","port":4711}"#;
        assert_eq!(workerd_listen(line, "http"), Some(4711));
        assert_eq!(workerd_listen(r#"{"event":"listen","socket":"inspector","port":9229}"#, "http"), None);
        assert_eq!(workerd_listen("listening", "http"), None);
    }
}
