//! The load generators: the same plan in, the same lines out.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::{Group, Log};
use serde_json::Value;

use super::requests::Request;
use crate::{stop, tools};

/// What an exit code says in both tools: a threshold was not held.
const CROSSED: i32 = 99;
/// How much longer than planned a run may take before it is ended.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    K6,
    Locust,
}

impl Tool {
    pub(crate) const ALL: [Self; 2] = [Self::K6, Self::Locust];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::K6 => "k6",
            Self::Locust => "locust",
        }
    }

    /// Makes sure that it is here.
    pub(super) fn ensure(self, root: &Path) -> Result<Generator> {
        let (program, version) = match self {
            Self::K6 => tools::k6()?,
            Self::Locust => tools::locust(root)?,
        };
        Ok(Generator { tool: self, program, version, scripts: root.join("loadtest").join(self.name()) })
    }
}

/// A tool that is here.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    pub(super) tool: Tool,
    program: PathBuf,
    pub(super) version: String,
    pub(super) scripts: PathBuf,
}

/// How a run is going, said once a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Seconds since the tool was started.
    pub(super) at: f64,
    /// Since the last time: answered, and of these not right.
    pub(super) answered: usize,
    pub(super) wrong: usize,
}

/// What a run brought.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) requests: Vec<Request>,
    /// The lines as the tool wrote them, and its own summary.
    pub(super) lines: String,
    pub(super) summary: Value,
    /// Arrivals that were due and not sent.
    pub(super) dropped: u64,
    /// Thresholds that the tool found crossed.
    pub(super) crossed: Vec<String>,
    /// What was said about wrong answers.
    pub(super) complaints: Vec<String>,
}

impl Generator {
    /// Runs the plan in `folder`, which takes about `seconds`. `started` gets the tool's process id; `tick` is called once a
    /// second and may do something to the system.
    ///
    /// # Errors
    /// When the tool fails for another reason than a threshold, or `tick` does.
    pub(super) fn run(
        &self,
        folder: &Path,
        seconds: f64,
        started: impl FnOnce(u32),
        mut tick: impl FnMut(Progress) -> Result<()>,
    ) -> Result<Ran> {
        let lines = folder.join("requests.csv");
        let _ = fs::remove_file(&lines);
        let mut command = self.command(folder, &lines);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = self.tool.name();
        let mut group = Group::spawn(&mut command).with_context(|| format!("{name} could not be started"))?;
        let log = Log::in_memory();
        if let Some(stdout) = group.child().stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = group.child().stderr.take() {
            log.follow(stderr);
        }
        started(group.pid());
        let (began, mut tail) = (Instant::now(), Tail::new(&lines));
        let deadline = Duration::from_secs_f64(seconds) + PATIENCE;
        let (mut said, mut failed) = (Instant::now(), None);
        let status = group.wait(|| {
            if said.elapsed() >= Duration::from_secs(1) {
                said += Duration::from_secs(1);
                let (answered, wrong) = tail.more();
                failed = tick(Progress { at: began.elapsed().as_secs_f64(), answered, wrong }).err();
            }
            stop::requested() || failed.is_some() || began.elapsed() > deadline
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(status) = status else {
            if stop::requested() {
                bail!("stopped");
            }
            bail!("{name} did not end in time; its last lines:\n{}", log.tail(25));
        };
        log.settle(Duration::from_secs(2));
        let code = status.code().unwrap_or(-1);
        let summary = fs::read_to_string(folder.join("summary.json"));
        if (code != 0 && code != CROSSED) || summary.is_err() {
            bail!("{name} failed ({status}); its last lines:\n{}", log.tail(40));
        }
        let summary: Value =
            serde_json::from_str(&summary?).with_context(|| format!("{name} wrote no summary"))?;
        let mut ran = self.judge(summary);
        if code == CROSSED && ran.crossed.is_empty() {
            bail!("{name} says that a threshold was crossed, and its summary names none");
        }
        ran.lines = fs::read_to_string(&lines).with_context(|| format!("{name} wrote no requests"))?;
        for line in ran.lines.lines() {
            match Request::read(line) {
                Some(request) => ran.requests.push(request),
                None => ran.complaints.push(line.to_owned()),
            }
        }
        if self.tool == Tool::Locust {
            ran.complaints.extend(log.lines().into_iter().filter(|line| line.contains("/ERROR/")));
        }
        Ok(ran)
    }

    fn command(&self, folder: &Path, lines: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.env("LAB_PLAN", folder).current_dir(folder);
        match self.tool {
            Tool::K6 => command
                .args([
                    "run",
                    "--quiet",
                    "--no-color",
                    "--address",
                    "",
                    "--log-format",
                    "raw",
                    "--console-output",
                ])
                .arg(lines)
                .arg("--env")
                .arg(format!("LAB_PLAN={}", folder.display()))
                .arg(self.scripts.join("main.ts"))
                // Nothing is reported to anybody, and nothing is fetched.
                .envs([("K6_NO_USAGE_REPORT", "true"), ("K6_AUTO_EXTENSION_RESOLUTION", "false")]),
            Tool::Locust => command
                .args([
                    "--headless",
                    "--users",
                    "1",
                    "--spawn-rate",
                    "1",
                    "--only-summary",
                    "--exit-code-on-error",
                    "0",
                ])
                .arg("--locustfile")
                .arg(self.scripts.join("locustfile.py"))
                .env("PYTHONPATH", &self.scripts)
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        };
        command
    }

    fn judge(&self, summary: Value) -> Ran {
        let mut crossed = Vec::new();
        let dropped = match self.tool {
            Tool::K6 => {
                for (metric, value) in summary["metrics"].as_object().into_iter().flatten() {
                    for (threshold, state) in value["thresholds"].as_object().into_iter().flatten() {
                        if state["ok"] == false {
                            crossed.push(format!("{metric} {threshold}"));
                        }
                    }
                }
                summary["metrics"]["dropped_iterations"]["values"]["count"].as_u64().unwrap_or(0)
            }
            Tool::Locust => {
                let thresholds = summary["thresholds"].as_array().into_iter().flatten();
                let missed = thresholds.filter(|threshold| threshold["held"] == false);
                crossed.extend(missed.filter_map(|threshold| threshold["name"].as_str().map(str::to_owned)));
                summary["dropped_arrivals"].as_u64().unwrap_or(0)
            }
        };
        Ran { requests: Vec::new(), lines: String::new(), summary, dropped, crossed, complaints: Vec::new() }
    }
}

/// Counts the lines of a file that grows.
#[derive(Debug)]
struct Tail<'a> {
    path: &'a Path,
    read: u64,
    rest: String,
}

impl<'a> Tail<'a> {
    fn new(path: &'a Path) -> Self {
        Self { path, read: 0, rest: String::new() }
    }

    /// Requests since the last time, and how many of them were not answered right.
    fn more(&mut self) -> (usize, usize) {
        let mut fresh = Vec::new();
        let read = File::open(self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read)).and_then(|_| file.read_to_end(&mut fresh))
        });
        let Ok(length) = read else { return (0, 0) };
        self.read += length as u64;
        self.rest.push_str(&String::from_utf8_lossy(&fresh));
        let whole = self.rest.rfind('\n').map_or(0, |end| end + 1);
        let lines: String = self.rest.drain(..whole).collect();
        let requests = lines.lines().filter_map(Request::read);
        requests.fold((0, 0), |(all, wrong), request| (all + 1, wrong + usize::from(!request.right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(tool: Tool) -> Generator {
        Generator { tool, program: PathBuf::new(), version: String::new(), scripts: PathBuf::new() }
    }

    #[test]
    fn crossed_thresholds_are_named() {
        let summary = serde_json::json!({ "metrics": {
            "dropped_iterations": { "values": { "count": 3 }, "thresholds": { "count==0": { "ok": false } } },
            "right{journey:order}": { "values": {}, "thresholds": { "rate>=0.999": { "ok": true } } },
        }});
        let ran = generator(Tool::K6).judge(summary);
        assert_eq!((ran.dropped, ran.crossed), (3, vec![String::from("dropped_iterations count==0")]));
        let summary = serde_json::json!({ "dropped_arrivals": 0, "thresholds": [
            { "name": "order.p99_ms", "held": false }, { "name": "browse.p99_ms", "held": true },
        ]});
        assert_eq!(generator(Tool::Locust).judge(summary).crossed, ["order.p99_ms"]);
    }

    #[test]
    fn only_whole_lines_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.csv");
        let mut tail = Tail::new(&path);
        assert_eq!(tail.more(), (0, 0));
        fs::write(&path, "1,seats,200,5,1,memory\n2,seats,500,5,0,er").expect("written");
        assert_eq!(tail.more(), (1, 0));
        fs::write(&path, "1,seats,200,5,1,memory\n2,seats,500,5,0,error\n").expect("written");
        assert_eq!(tail.more(), (1, 1));
    }
}
