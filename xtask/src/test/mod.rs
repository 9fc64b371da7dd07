//! `cargo xtask test`: what CI runs, step by step, with a table at the end.

mod container;
mod deny;
mod deploy;
mod h2spec;
mod lock_file;
mod steps;
mod summary;
mod up;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::tools::Node;
use crate::{project, stop};

use summary::{Outcome, Summary};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only these steps (repeat it, or separate by commas); `--list` names them.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Name the steps and run none.
    #[arg(long)]
    list: bool,
}

/// What a step says when it could be run.
pub(crate) enum Done {
    /// It passed, with a word about it.
    Passed(String),
    /// It could not be run here, and why.
    Skipped(String),
}

/// One step: its name, what it checks, and the function that does.
struct Step {
    name: &'static str,
    checks: &'static str,
    run: fn(&Cx) -> Result<Done>,
}

/// What the steps share.
pub(crate) struct Cx {
    root: PathBuf,
}

impl Cx {
    /// Node with all npm packages, installed when the first step asks.
    fn node(&self) -> Result<Node> {
        let node = Node::ensure()?;
        crate::tools::npm_packages(&self.root, &node, crate::tools::Packages::Test)?;
        Ok(node)
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for step in steps::ALL {
            println!("{:<12} {}", step.name, step.checks);
        }
        return Ok(());
    }
    if let Some(unknown) = args.only.iter().find(|only| !steps::ALL.iter().any(|step| step.name == **only)) {
        let names: Vec<_> = steps::ALL.iter().map(|step| step.name).collect();
        bail!("there is no step {unknown}; the steps are {}", names.join(", "));
    }
    let cx = Cx { root: project::root()? };
    let mut summary = Summary::default();
    for step in steps::ALL {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == step.name) {
            continue;
        }
        println!("\n== {}: {}", step.name, step.checks);
        let began = Instant::now();
        let outcome = match (step.run)(&cx) {
            Ok(Done::Passed(note)) => Outcome::Passed(note),
            Ok(Done::Skipped(why)) => Outcome::Skipped(why),
            Err(_) if stop::requested() => bail!("stopped"),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        summary.add(step.name, began.elapsed(), outcome);
    }
    summary.print();
    // The last line has been printed; the exit code is all that is left to say.
    if summary.failed() > 0 {
        std::process::exit(1);
    }
    Ok(())
}
