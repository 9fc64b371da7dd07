//! `cargo xtask lab`: real load on the real system, and what was seen, kept.
//!
//! `loadtest/README.md` says how it is used and what it leaves.

mod all;
mod catalogue;
mod ceiling;
pub(crate) mod chart;
pub(crate) mod compare;
mod counts;
mod draw;
pub(crate) mod evidence;
mod flame;
mod limits;
mod mix;
mod plan;
mod profile;
mod requests;
mod run;
pub(crate) mod sample;
mod scenario;
mod seen;
mod system;
mod tool;
mod traffic;
mod verdict;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use scenario::Scenario;

#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Every kind of request for a minute, every answer checked.
    Smoke(run::Args),
    /// The expected peak for five minutes.
    Load(run::Args),
    /// From a base to fifty times it within ten seconds, and back.
    Spike(run::Args),
    /// A ramp until an objective breaks.
    Stress(run::Args),
    /// A thousand clients at once on one cold key.
    Stampede(run::Args),
    /// Half an hour at a third of the peak; whether memory grows.
    Soak(run::Args),
    /// All of these, on every runtime and with every tool.
    All(all::AllArgs),
    /// Whether both tools send the traffic that is described, and the same.
    Mix(mix::Args),
    /// Levee beside what its users would run instead, in turns.
    Compare(compare::Args),
    /// What a request costs in one part, and where that goes, beside an earlier build.
    Profile(profile::Args),
}

/// Runs it. The exit code says whether the objectives held: 0 they did, 2 they did not, 3 nothing was proven, 1 it could not be run.
pub(crate) fn run(lab: &Lab) -> Result<ExitCode> {
    let scenario = |scenario, args| Ok(run::run(scenario, args)?.exit_code());
    match lab {
        Lab::Smoke(args) => scenario(Scenario::Smoke, args),
        Lab::Load(args) => scenario(Scenario::Load, args),
        Lab::Spike(args) => scenario(Scenario::Spike, args),
        Lab::Stress(args) => scenario(Scenario::Stress, args),
        Lab::Stampede(args) => scenario(Scenario::Stampede, args),
        Lab::Soak(args) => scenario(Scenario::Soak, args),
        Lab::All(args) => Ok(all::all(args)?.exit_code()),
        Lab::Mix(args) => mix::run(args).map(|()| ExitCode::SUCCESS),
        Lab::Compare(args) => compare::run(args).map(|()| ExitCode::SUCCESS),
        Lab::Profile(args) => profile::run(args).map(|()| ExitCode::SUCCESS),
    }
}

/// What CI runs: whether both tools send the same, and ten seconds of `smoke` with each on each runtime. Says what was run, and
/// which tool cannot be had here, and why.
pub(crate) fn check(root: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let (mut tools, mut skipped, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for tool in tool::Tool::ALL {
        match tool.ensure(root) {
            Ok(_) => tools.push(tool),
            Err(_) if crate::stop::requested() => anyhow::bail!("stopped"),
            Err(error) => skipped.push(format!("{error:#}").lines().next().unwrap_or_default().to_owned()),
        }
    }
    if tools.is_empty() {
        return Ok((done, skipped));
    }
    mix::run(&mix::Args::of(&tools))?;
    done.push(String::from("mix"));
    for runtime in system::Runtime::ALL {
        for tool in &tools {
            let what = format!("{} {}", runtime.name(), tool.name());
            match run::run(Scenario::Smoke, &run::Args::short(runtime, *tool))? {
                evidence::Outcome::Held => done.push(what),
                outcome => anyhow::bail!("smoke on {what}: {}", outcome.words()),
            }
        }
    }
    Ok((done, skipped))
}
