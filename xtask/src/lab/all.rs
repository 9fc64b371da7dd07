//! `cargo xtask lab all`: every scenario, one after the other, and at the end what came of each.

use std::time::Duration;

use anyhow::{Result, bail};

use super::evidence::Outcome;
use super::run::{self, Args};
use super::scenario::Scenario;
use super::system::Runtime;
use super::tool::Tool;
use crate::stop;

/// Every scenario on every runtime with every tool, one after the other.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AllArgs {
    /// Only on this one.
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
    /// Only with this one.
    #[arg(long, value_enum)]
    tool: Option<Tool>,
    /// How long each run takes, instead of the scenario's own time.
    #[arg(long, value_name = "TIME", value_parser = run::duration)]
    duration: Option<Duration>,
    /// Keep the evidence in build/lab instead of report/evidence.
    #[arg(long)]
    scratch: bool,
}

/// Runs all, and says at the end what came of each. The worst outcome is the whole's.
pub(super) fn all(args: &AllArgs) -> Result<Outcome> {
    let mut outcomes: Vec<(String, Result<Outcome>)> = Vec::new();
    for runtime in Runtime::ALL.into_iter().filter(|runtime| args.runtime.is_none_or(|only| only == *runtime))
    {
        for tool in Tool::ALL.into_iter().filter(|tool| args.tool.is_none_or(|only| only == *tool)) {
            for (scenario, origins) in
                Scenario::ALL.into_iter().map(|scenario| (scenario, 1)).chain([(Scenario::Load, 3)])
            {
                let what = format!(
                    "{} {} {} with {origins} origin(s)",
                    scenario.name(),
                    runtime.name(),
                    tool.name()
                );
                println!("\n== {what}");
                let one = Args {
                    origins,
                    duration: args.duration,
                    scratch: args.scratch,
                    debug_build: false,
                    ..Args::short(runtime, tool)
                };
                let outcome = run::run(scenario, &one);
                if stop::requested() {
                    bail!("stopped");
                }
                if let Err(error) = &outcome {
                    eprintln!("error: {error:#}");
                }
                outcomes.push((what, outcome));
            }
        }
    }
    println!();
    let mut worst = Outcome::Held;
    for (what, outcome) in &outcomes {
        let words = outcome.as_ref().map_or("could not be run", |outcome| outcome.words());
        println!("{what:<44} {words}");
        worst = match (worst, outcome) {
            (Outcome::Void, _) | (_, Err(_) | Ok(Outcome::Void)) => Outcome::Void,
            (Outcome::Broken, _) | (_, Ok(Outcome::Broken)) => Outcome::Broken,
            _ => Outcome::Held,
        };
    }
    Ok(worst)
}
