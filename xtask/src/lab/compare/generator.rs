//! `levee-load` as a process of its own: its CPU time is in nobody's figure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::stop;

/// How a load is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// Each connection asks again when it was answered.
    Closed { connections: u16, length: Duration },
    /// Requests are due at fixed times.
    Rate { connections: u16, length: Duration, rate: f64 },
    /// Each target once.
    Once { connections: u16 },
    /// All ask for the first target at once.
    Burst { clients: u16 },
}

/// What came of a load.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    /// Answers other than 200.
    pub(crate) refused: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// How much of one core the generator itself used.
    pub(crate) generator_cores: f64,
    /// Its own delay, 99th percentile.
    pub(crate) delay_us: f64,
}

/// The built generator, and where it reads targets from.
#[derive(Debug)]
pub(crate) struct Generator {
    binary: PathBuf,
    folder: TempDir,
}

impl Generator {
    pub(crate) fn new(binary: &Path) -> Result<Self> {
        Ok(Self { binary: binary.to_path_buf(), folder: tempfile::tempdir()? })
    }

    /// Sends a load to a port of 127.0.0.1.
    ///
    /// # Errors
    /// An answer that is not 200, or that differs from an earlier one to the same target (a burst may see both).
    pub(crate) fn send(&self, port: u16, targets: &[String], load: Load) -> Result<Sent> {
        let file = self.folder.path().join("targets");
        fs::write(&file, targets.join("\n"))?;
        let mut command = Command::new(&self.binary);
        command.args(["--address", &format!("127.0.0.1:{port}"), "--targets"]).arg(&file);
        let (mode, connections, length, rate) = match load {
            Load::Closed { connections, length } => ("closed", connections, Some(length), None),
            Load::Rate { connections, length, rate } => ("rate", connections, Some(length), Some(rate)),
            Load::Once { connections } => ("once", connections, None, None),
            Load::Burst { clients } => ("burst", clients, None, None),
        };
        command.args(["--mode", mode, "--connections", &connections.to_string()]);
        if let Some(length) = length {
            command.args(["--seconds", &length.as_secs_f64().to_string()]);
        }
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let output = command.stdin(Stdio::null()).output().context("levee-load could not be started")?;
        if stop::requested() {
            bail!("stopped");
        }
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        read(&serde_json::from_slice(&output.stdout).context("levee-load printed no JSON")?)
    }
}

fn read(report: &Value) -> Result<Sent> {
    let number = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_f64);
        value.with_context(|| format!("levee-load printed no {pointer}"))
    };
    let requests = number("/requests")?;
    Ok(Sent {
        requests,
        seconds: number("/seconds")?,
        per_second: number("/requests_per_second")?,
        refused: requests - report.pointer("/statuses/200").and_then(Value::as_f64).unwrap_or(0.0),
        p50_us: number("/latency_us/p50")?,
        p99_us: number("/latency_us/p99")?,
        generator_cores: number("/generator/cores")?,
        delay_us: report.pointer("/generator/delay_p99_us").and_then(Value::as_f64).unwrap_or(0.0),
    })
}
