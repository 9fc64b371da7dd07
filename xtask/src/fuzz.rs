//! `cargo xtask fuzz wire`: random clients and random origins on raw sockets, with a runtime between them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use levee_config::Overrides;

use crate::tools::{self, Node, Packages};
use crate::{config, project, run, spin, stop, worker};

/// The bundle that is tested. Its configuration is replaced when it is started.
const BUNDLE: &str = "build/wire";
/// The fuzzer, with what it runs an edge with.
const FOLDER: &str = "tests/wire";
/// Optimised, with the checks of a debug build.
const PROFILE: [&str; 2] = ["--profile", "fuzz"];

/// What CI draws from: the same rounds in each run, so that a failure belongs to the change under test.
const SEED: &str = "20261128";
/// How long CI makes up rounds for each runtime; the regressions come first.
const MINUTES: &str = "0.4";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Fuzz {
    /// Random clients and random origins on raw sockets; ends with an error when an invariant did not hold.
    Wire(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What stands between clients and origins.
    #[arg(long, default_value = "native")]
    runtime: Runtime,
    /// How long rounds are made up; a minute by default.
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<f64>,
    /// The same seed makes up the same rounds; 1 by default.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Ends after so many requests of clients.
    #[arg(long, value_name = "NUMBER")]
    exchanges: Option<u64>,
    /// Only this round of the seed.
    #[arg(long, value_name = "NUMBER")]
    round: Option<u64>,
    /// Only this regression.
    #[arg(long, value_name = "NAME")]
    regression: Option<String>,
    /// How often one round or regression is run, each time with a new edge.
    #[arg(long, value_name = "NUMBER")]
    times: Option<usize>,
    /// Rounds under way at once.
    #[arg(long, value_name = "NUMBER")]
    at_once: Option<usize>,
    /// Faults after which it ends; 1000 by default.
    #[arg(long, value_name = "NUMBER")]
    faults: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// The native server.
    Native,
    /// The Worker on bare workerd.
    Worker,
    /// The Spin component in the component host.
    Spin,
}

/// `cargo xtask fuzz`.
pub(crate) fn run(fuzz: &Fuzz) -> Result<()> {
    let Fuzz::Wire(args) = fuzz;
    let mut command = prepare(&project::root()?, args.runtime, &PROFILE)?;
    let mut pass = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    };
    pass("--minutes", args.minutes.map(|minutes| minutes.to_string()));
    pass("--seed", args.seed.map(|seed| seed.to_string()));
    pass("--exchanges", args.exchanges.map(|exchanges| exchanges.to_string()));
    pass("--round", args.round.map(|round| round.to_string()));
    pass("--regression", args.regression.clone());
    pass("--times", args.times.map(|times| times.to_string()));
    pass("--at-once", args.at_once.map(|at_once| at_once.to_string()));
    pass("--faults", args.faults.map(|faults| faults.to_string()));
    run::shown(&mut command)
}

/// The regressions and a few rounds on each runtime, as CI runs them.
pub(crate) fn hold(root: &Path) -> Result<()> {
    for runtime in [Runtime::Native, Runtime::Worker, Runtime::Spin] {
        let mut command = prepare(root, runtime, &[])?;
        run::shown(command.args(["--seed", SEED, "--minutes", MINUTES]))?;
    }
    Ok(())
}

/// Builds what this runtime needs, and the command that fuzzes it.
fn prepare(root: &Path, runtime: Runtime, profile: &[&str]) -> Result<Command> {
    let mut command = Command::new(built(root, "levee-wire", profile)?);
    command.current_dir(root);
    match runtime {
        Runtime::Native => {
            command.args(["--runtime", "native"]).arg("--native").arg(built(root, "levee-native", profile)?);
        }
        Runtime::Worker => {
            let node = Node::ensure()?;
            tools::npm_packages(root, &node, Packages::Run)?;
            let wasm = worker::build(root, &node)?;
            let compiled = config::compile(&root.join(FOLDER).join("levee.toml"), &Overrides::default())?;
            let bundle = root.join(BUNDLE);
            worker::assemble(root, &wasm, &compiled.to_bytes(), &bundle)?;
            command.args(["--runtime", "worker"]).arg("--bundle").arg(bundle);
            command.arg("--node-modules").arg(tools::node_modules(root));
        }
        Runtime::Spin => {
            command.args(["--runtime", "spin"]).arg("--component").arg(spin::build(root)?);
            command.arg("--component-host").arg(tools::component_host(root)?);
        }
    }
    Ok(command)
}

fn built(root: &Path, package: &str, profile: &[&str]) -> Result<PathBuf> {
    let built = levee_harness::cargo_build(root, &[package], profile, stop::requested)?;
    let built = built.into_iter().next().with_context(|| format!("cargo named no {package}"))?;
    Ok(built.artifact)
}
