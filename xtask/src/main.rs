//! `cargo xtask`: the one door to set up, run, build, test and measure.
#![forbid(unsafe_code)]

mod apps;
mod bench;
mod config;
mod conformance;
mod container;
mod doctor;
mod explain;
mod files;
mod fuzz;
mod lab;
mod project;
mod report;
mod run;
mod spin;
mod stop;
mod test;
mod tools;
mod up;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything one does with Levee's repository, on macOS and Linux.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing, build, and run the edge before an origin; Ctrl-C stops it.
    Up(up::Args),
    /// Build a part that is deployed.
    #[command(subcommand)]
    Build(Build),
    /// Check, build and test everything, as CI does.
    Test(test::Args),
    /// Write levee.schema.json, which editors check levee.toml with.
    Schema {
        /// Only say whether the file is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Check a configuration, and print what is wrong with line, column and remedy.
    CheckConfig {
        /// The configuration to check.
        #[arg(default_value = "levee.toml")]
        file: PathBuf,
    },
    /// Measure what a part costs, beside the least that does the same.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Build the report and the case study from what is kept, as HTML and PDF, in build/report.
    Report(report::Args),
    /// Send real load to the real system, judge it by its objectives, and keep what was seen.
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Run the public HTTP cache tests, print the counts, and keep what was reached.
    Conformance(conformance::Args),
    /// Run real applications directly, through the edge and behind nginx, and compare what their own clients see.
    Apps(apps::Args),
    /// Look for faults that nobody has thought of.
    #[command(subcommand)]
    Fuzz(fuzz::Fuzz),
    /// Ask a running edge what it does with a request, step by step, and why.
    Explain(explain::Args),
    /// Say which tools are here, which are missing, and how to get them.
    Doctor,
}

#[derive(Debug, Subcommand)]
enum Build {
    /// The Worker's bundle, as `wrangler deploy` takes it.
    Worker(worker::Args),
    /// The Spin component and its files, as spin.toml names them.
    Spin(spin::Args),
    /// The origin's container image, as an OCI archive.
    Container,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = stop::install().and_then(|()| match cli.command {
        Command::Lab(lab) => lab::run(&lab),
        other => dispatch(other).map(|()| ExitCode::SUCCESS),
    });
    match done {
        Ok(code) => code,
        Err(_) if stop::requested() => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(args) => up::run(&args),
        Command::Build(Build::Worker(args)) => worker::run(&args),
        Command::Build(Build::Spin(args)) => spin::run(&args),
        Command::Build(Build::Container) => container::run(),
        Command::Test(args) => test::run(&args),
        Command::Schema { check } => config::schema(check),
        Command::CheckConfig { file } => config::check(&file),
        Command::Bench(bench) => bench::run(&bench),
        Command::Report(args) => report::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Apps(args) => apps::run(&args),
        Command::Fuzz(fuzz) => fuzz::run(&fuzz),
        Command::Explain(args) => explain::run(&args),
        Command::Doctor => doctor::run(),
        Command::Lab(lab) => lab::run(&lab).map(drop),
    }
}
