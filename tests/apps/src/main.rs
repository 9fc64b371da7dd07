//! Real applications behind the edge: each flow of an application's own client is run directly and through the edge, and what
//! the client saw is compared. `cargo xtask test --only apps` and `cargo xtask apps` build the parts and run this.
#![forbid(unsafe_code)]

mod application;
mod copy;
mod driver;
mod edge;
mod expected;
mod judge;
mod outcome;
mod place;
mod relay;
mod report;
mod rounds;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::application::Application;
use crate::edge::{Parts, Runtime};
use crate::expected::Expected;
use crate::report::Report;

/// Runs applications directly, through the edge and behind nginx, and compares what their clients see.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The workspace.
    #[arg(long, value_name = "FOLDER")]
    root: PathBuf,
    /// An application and the folder of its installed packages, or nothing behind the `=` where it has none; repeated.
    #[arg(long = "application", value_name = "NAME=FOLDER", required = true)]
    applications: Vec<String>,
    /// What the edge runs on; repeated.
    #[arg(long = "runtime", value_name = "NAME", default_value = "native")]
    runtimes: Vec<Runtime>,
    /// Only flows whose name contains this.
    #[arg(long, value_name = "TEXT")]
    flow: Option<String>,
    /// Flows that take over ten seconds too.
    #[arg(long)]
    slow: bool,
    /// Where the report goes.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    parts: Parts,
}

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Whether the user wants an end: every wait asks.
fn stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was as expected.
fn run(arguments: &Arguments) -> Result<bool> {
    // Processes are stopped when they are dropped, which a signal must not prevent.
    ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let tests = arguments.root.join("tests/apps");
    let expected = Expected::read(&tests.join("expected.toml"))?;
    let mut applications = Vec::new();
    for given in &arguments.applications {
        let (name, packages) = given.split_once('=').context("--application wants NAME=FOLDER")?;
        let packages = (!packages.is_empty()).then(|| PathBuf::from(packages));
        applications.push(Application::read(&tests.join("applications"), name, packages)?);
    }
    expected.check_names(&Application::names(&tests.join("applications"))?)?;
    let mut report = Report::default();
    for application in &applications {
        let rounds = rounds::run(arguments, application);
        if stopped() {
            bail!("stopped");
        }
        report.add(judge::judge(application, &rounds, &expected));
    }
    report.write(&arguments.out)?;
    print!("{}", report.summary());
    println!("the whole report: {}", arguments.out.join("report.md").display());
    Ok(report.failures().next().is_none())
}
