//! Starts what is tested, and runs the suite against it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use levee_config::{Compiled, Overrides};
use levee_conformance::definitions::{Suite, Test};
use levee_conformance::memory;
use levee_conformance::network::Edge;
use levee_conformance::server::Server;
use levee_conformance::verdict::{Results, applicable};
use levee_harness::{ComponentHost, Native, Process, SpinApp, Workerd};

use crate::arguments::{Arguments, Runtime};

/// What a client calls the edge.
const HOST: &str = "127.0.0.1";

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Runs every test. Those that `lost` names afterwards are run once more by themselves: on a busy machine the suite's
/// seconds do not always suffice.
pub(crate) fn run(
    arguments: &Arguments,
    root: &Path,
    suites: &[Suite],
    lost: impl Fn(&Results) -> Vec<String>,
) -> Result<Results> {
    if arguments.runtime == Runtime::Virtual {
        let compiled = compile(&arguments.config(root), &Overrides::default())?;
        return Ok(memory::run_all(&compiled.config, suites));
    }
    // The edge's processes are stopped when they are dropped, which a signal must not prevent.
    ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            results = over_http(arguments, root, suites, lost) => results,
            () = stopped() => bail!("stopped"),
        }
    })
}

async fn stopped() {
    while !STOPPED.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn over_http(
    arguments: &Arguments,
    root: &Path,
    suites: &[Suite],
    lost: impl Fn(&Results) -> Vec<String>,
) -> Result<Results> {
    let origin = Server::start().await.context("the suite's origin cannot listen")?;
    let processes = start(arguments, root, &origin.url())?;
    let verbose = arguments.only.is_some();
    // One process serves many tests at once, or each has one of its own.
    let edges: Vec<Edge> = (0..if processes.len() > 1 { processes.len() } else { arguments.at_once })
        .map(|at| Edge::new(processes[at % processes.len()].url(), origin.clone(), verbose))
        .collect();
    let total = applicable(suites).count();
    let told = |done: usize| {
        if done.is_multiple_of(50) {
            eprintln!("{done} of {total} tests");
        }
    };
    let mut results = Edge::run_all(&edges, suites, told).await;
    let again = lost(&results);
    if !again.is_empty() {
        eprintln!("once more, a few at a time: {}", again.join(", "));
        let tests: Vec<&Test> = applicable(suites).filter(|test| again.contains(&test.id)).collect();
        results.extend(Edge::run(&edges[..edges.len().min(4)], &tests, |_| ()).await);
    }
    for process in &processes {
        if !process.is_running() {
            bail!("{} ended during the run; it said:\n{}", process.name(), process.log().lines().join("\n"));
        }
        if arguments.only.is_some() {
            process.log().lines().iter().for_each(|line| eprintln!("{}: {line}", process.name()));
        }
    }
    Ok(results)
}

/// The tests under way on Spin, each on a component host of its own.
const HOSTS: usize = 24;

/// One process, or on Spin several: a crowd of requests makes several instances there, which share no memory, and the suite asks
/// one cache.
fn start(arguments: &Arguments, root: &Path, origin: &str) -> Result<Vec<Process>> {
    let config = arguments.config(root);
    let plain = compile(&config, &Overrides::default())?;
    let [only] = &plain.config.origins[..] else {
        bail!("{} has several origins; the suite's takes the place of one", config.display());
    };
    let (name, part) =
        (only.name.clone(), |what| format!("{what} is needed; `cargo xtask conformance` builds it"));
    Ok(vec![match arguments.runtime {
        Runtime::Worker => {
            let hosts = vec![HOST.to_owned()];
            let compiled = compile(&config, &Overrides { hosts, origins: vec![(name, origin.to_owned())] })?;
            let node_modules = arguments.node_modules.as_deref().with_context(|| part("--node-modules"))?;
            let bundle = arguments.bundle.as_deref().with_context(|| part("--bundle"))?;
            Workerd::new(Workerd::binary_in(node_modules)?, bundle)
                .module("levee.bin", compiled.to_bytes())
                .start()?
        }
        Runtime::Spin => {
            let hosts = vec![HOST.to_owned()];
            let compiled = compile(&config, &Overrides { hosts, origins: vec![(name, origin.to_owned())] })?;
            let component = arguments.component.as_deref().with_context(|| part("--component"))?;
            let host = arguments.component_host.as_deref().with_context(|| part("--component-host"))?;
            let folder = Arc::new(tempfile::tempdir()?);
            let app = SpinApp::new(component, compiled.to_bytes()).reach(origin);
            let manifest = app.write(root.join("spin.toml"), folder.path())?;
            let hosts = if arguments.only.is_some() { 1 } else { HOSTS };
            let started = (0..hosts).map(|_| {
                let host = ComponentHost::new(host, &manifest).with(|spec| {
                    spec.args(["--max-instance-reuse-count", "1000000"])
                        .args(["--max-instance-concurrent-reuse-count", "1000"])
                        .args(["--idle-instance-timeout", "600s"])
                        // The first one compiles the component; the others find what it has made.
                        .within(Duration::from_secs(300))
                });
                Ok(host.start()?.keep(folder.clone()))
            });
            return started.collect();
        }
        _ => Native::new(arguments.native.as_deref().with_context(|| part("--native"))?)
            .config(config)
            .origin(&name, origin)
            .host(HOST)
            .start()?,
    }])
}

fn compile(file: &Path, overrides: &Overrides) -> Result<Compiled> {
    levee_config::compile_file(file, overrides)
        .map_err(|error| anyhow!("{}", error.to_string().trim_start_matches("error: ")))
}
