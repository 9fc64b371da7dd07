//! `levee-load`: requests over keep-alive connections, and what their answers took.
//!
//! One thread and one `poll` for all connections, so that it takes little from the machine that it measures: about as
//! much as wrk. Three ways to send, because each question needs its own:
//!
//! - `closed`: each connection asks again when it was answered. How much is carried; its latencies say nothing about waiting.
//! - `rate`: an open model. Requests are due at fixed times whatever the server does, and a latency runs from the time a
//!   request was due, so that a stall is felt by all that should have been sent during it.
//! - `once`: each target once, over all connections. Filling caches, and what an empty one costs.
//! - `burst`: all connections are open first, then each asks for the first target at the same time.
#![forbid(unsafe_code)]

mod answer;
mod connection;
mod report;
mod run;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};

/// Sends requests and prints what came of them, as one JSON object.
#[derive(Debug, Parser)]
#[command(name = "levee-load", version)]
pub(crate) struct Args {
    /// Where the server listens: a loopback address, because load is for one's own machine.
    #[arg(long)]
    address: SocketAddr,
    /// The `Host` of each request.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// A file with a target (path and query) a line; they are asked for in turn.
    #[arg(long, value_name = "FILE")]
    targets: PathBuf,
    #[arg(long, value_enum)]
    mode: Mode,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// How long `closed` and `rate` send.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Requests a second, for `rate`.
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// How long one answer may take, in seconds.
    #[arg(long, default_value_t = 60.0)]
    patience: f64,
}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Closed,
    Rate,
    Once,
    Burst,
}

fn main() -> ExitCode {
    match work(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("levee-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work(args: &Args) -> Result<serde_json::Value> {
    if !args.address.ip().is_loopback() {
        bail!("{} is not a loopback address; load is sent to this machine alone", args.address);
    }
    let targets = std::fs::read_to_string(&args.targets)
        .with_context(|| format!("cannot read {}", args.targets.display()))?;
    let targets: Vec<&str> = targets.lines().filter(|line| !line.is_empty()).collect();
    if targets.is_empty() || targets.iter().any(|target| !target.starts_with('/') || target.contains(' ')) {
        bail!("{}: each line is a path, with a query if need be", args.targets.display());
    }
    let length = |seconds: f64, what| {
        Duration::try_from_secs_f64(seconds)
            .with_context(|| format!("{what}: {seconds} is no length of time"))
    };
    if args.mode == Mode::Rate && !(args.rate > 0.0 && args.rate.is_finite()) {
        bail!("--rate: {} is no number of requests a second", args.rate);
    }
    let plan = run::Plan {
        address: args.address,
        requests: targets.iter().map(|target| request(target, &args.host)).collect(),
        mode: args.mode,
        connections: usize::from(args.connections),
        length: length(args.seconds, "--seconds")?,
        rate: args.rate,
        patience: length(args.patience, "--patience")?,
    };
    Ok(run::run(&plan)?.json())
}

fn request(target: &str, host: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nUser-Agent: levee-load\r\n\r\n")
        .into_bytes()
}
