//! `cargo xtask conformance`: the public HTTP cache tests, in memory or over HTTP against a runtime.

mod definitions;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use levee_config::Overrides;

use crate::tools::{self, Node, Packages};
use crate::{config, project, run, spin, stop, worker};

/// Both profiles, from the workspace's root.
const PROFILES: [&str; 2] = ["levee.transparent.toml", "tests/conformance/levee.default.toml"];
/// The bundle that is tested. Its configuration is replaced when it is started.
const BUNDLE: &str = "build/conformance";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the tests are run against.
    runtime: Runtime,
    /// The configuration, whose one origin is the suite's; levee.transparent.toml by default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The suite's definitions as JSON; LEVEE_CACHE_TESTS by default, else exported from a clone of the suite.
    #[arg(long, value_name = "FILE")]
    definitions: Option<PathBuf>,
    /// The results that the suite's site publishes; LEVEE_CACHE_TESTS_PUBLISHED or `published` beside the definitions by
    /// default.
    #[arg(long, value_name = "FOLDER")]
    published: Option<PathBuf>,
    /// Run this test alone, and print what is sent and received.
    #[arg(long, value_name = "ID")]
    only: Option<String>,
    /// Write nothing: compare with the floor and no more.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// The pipeline in memory, under a virtual clock.
    Virtual,
    /// The native server, over HTTP.
    Native,
    /// The Worker on bare workerd, over HTTP.
    Worker,
    /// The Spin component in the component host, over HTTP.
    Spin,
}

/// `cargo xtask conformance`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let given = definitions::given(args.definitions.as_deref())?;
    let definitions = given.map_or_else(|| definitions::export(&root), Ok)?;
    let mut command = prepare(&root, args.runtime, &definitions)?;
    let config = args.config.as_deref().map(project::given).transpose()?;
    command.arg("--config").arg(config.unwrap_or_else(|| root.join(PROFILES[0])));
    if let Some(folder) = &args.published {
        command.arg("--published").arg(project::given(folder)?);
    }
    if let Some(only) = &args.only {
        command.arg("--only").arg(only);
    }
    if args.check {
        command.arg("--check");
    }
    run::shown(&mut command)
}

/// Every runtime over HTTP under both profiles, compared with the floor; `None` where there are no definitions.
pub(crate) fn hold(root: &Path) -> Result<Option<String>> {
    let Some(definitions) = definitions::given(None)? else { return Ok(None) };
    for runtime in [Runtime::Native, Runtime::Worker, Runtime::Spin] {
        for profile in PROFILES {
            let mut command = prepare(root, runtime, &definitions)?;
            run::shown(command.arg("--config").arg(root.join(profile)).arg("--check"))?;
        }
    }
    Ok(Some(String::from("(native, worker and spin, both profiles)")))
}

/// Builds what this runtime needs, and the command that tests it.
fn prepare(root: &Path, runtime: Runtime, definitions: &Path) -> Result<Command> {
    let runner = built(root, "levee-conformance")?;
    let mut command = Command::new(runner);
    command.current_dir(root);
    match runtime {
        Runtime::Virtual => {
            command.arg("virtual");
        }
        Runtime::Native => {
            command.arg("native").arg("--native").arg(built(root, "levee-native")?);
        }
        Runtime::Worker => {
            let node = Node::ensure()?;
            tools::npm_packages(root, &node, Packages::Run)?;
            let wasm = worker::build(root, &node)?;
            let compiled = config::compile(&root.join(PROFILES[0]), &Overrides::default())?;
            let bundle = root.join(BUNDLE);
            worker::assemble(root, &wasm, &compiled.to_bytes(), &bundle)?;
            command.arg("worker").arg("--bundle").arg(bundle);
            command.arg("--node-modules").arg(tools::node_modules(root));
        }
        Runtime::Spin => {
            command.arg("spin").arg("--component").arg(spin::build(root)?);
            command.arg("--component-host").arg(tools::component_host(root)?);
        }
    }
    command.arg("--definitions").arg(definitions);
    Ok(command)
}

fn built(root: &Path, package: &str) -> Result<PathBuf> {
    let built = levee_harness::cargo_build(root, &[package], &[], stop::requested)?;
    let built = built.into_iter().next().with_context(|| format!("cargo named no {package}"))?;
    Ok(built.artifact)
}
