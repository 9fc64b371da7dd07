//! `cargo xtask up`: the whole chain on this machine, until Ctrl-C.

mod edge;
mod folder;
mod origin;
mod plan;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use levee::config::in_two_lines;
use levee_harness::{Process, Spec, ensure_free, free_port};

use crate::{project, stop};
use folder::Folder;

/// How often the running system is looked after.
const TICK: Duration = Duration::from_millis(250);
/// Where the edge of the first run listens if nothing else does.
const PORT: u16 = 8787;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Runtime {
    /// Cloudflare's workerd, by `wrangler dev`.
    Worker,
    /// The native server.
    Native,
    /// The Spin component: by `spin up` where Spin is installed, else in the project's component host.
    Spin,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the edge runs on.
    #[arg(long, value_enum, default_value_t = Runtime::Worker)]
    runtime: Runtime,
    /// Put the edge before this origin instead of the box office; without --config no rules of the box office apply.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The configuration; levee.toml at the root by default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the edge listens on 127.0.0.1 [default: 8787, or the next that is free; a second run begins at 8797].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    if let Some(port) = args.port {
        ensure_free(port).context("the edge cannot listen (--port)")?;
    }
    let plan = plan::Plan::new(&root, args.config.as_deref(), args.origin.as_deref())?;
    let built = edge::build(&root, args.runtime)?;
    let box_office = if plan.starts_box_office() { Some(origin::build(&root)?) } else { None };
    let folder = Folder::take(&root)?;
    let port = match args.port.or_else(|| folder.port(PORT)) {
        Some(port) => port,
        None => free_port()?,
    };
    let edge = edge::Edge::new(&root, &built, &folder, &plan, port)?;
    let origin = box_office.map(|binary| origin::start(&binary, &folder)).transpose()?;
    match (&origin, &args.origin) {
        (None, Some(url)) => origin::warn_if_silent(url),
        (None, None) => plan.origins().iter().for_each(|url| origin::warn_if_silent(url)),
        _ => {}
    }
    let mut watched = Watched::new(plan.file());
    let mut running = edge.start(origin.as_ref())?;
    if stop::requested() {
        bail!("stopped");
    }
    introduce(&root, &running, origin.as_ref(), &plan, &folder)?;
    SHOWING.store(true, Ordering::SeqCst);
    while !stop::requested() {
        thread::sleep(TICK);
        alive(&running)?;
        origin.as_ref().map_or(Ok(()), alive)?;
        if watched.changed() {
            running = edge.reconfigure(running, origin.as_ref())?;
        }
    }
    SHOWING.store(false, Ordering::SeqCst);
    println!("\nstopping");
    for process in [Some(running), origin].into_iter().flatten() {
        let name = process.name().to_owned();
        process.stop();
        println!("  {name} stopped");
    }
    Ok(())
}

fn alive(process: &Process) -> Result<()> {
    if process.is_running() || stop::requested() {
        return Ok(());
    }
    bail!("{} has ended; its last lines:\n{}", process.name(), process.log().tail(25));
}

/// Whether what the processes write is shown: not before the address is, not while they stop.
static SHOWING: AtomicBool = AtomicBool::new(false);

/// What every process of `up` has in common: a log file, its lines shown under a label, an end on Ctrl-C.
fn common(folder: &Folder, label: &'static str) -> impl Fn(Spec) -> Spec {
    let log = folder.path().join("logs").join(format!("{label}.log"));
    move |spec| {
        spec.log_file(&log).cancelled_by(stop::requested).echo(move |line| {
            if SHOWING.load(Ordering::SeqCst) && !line.trim().is_empty() {
                println!("{label:<6} | {line}");
            }
        })
    }
}

fn introduce(
    root: &Path,
    edge: &Process,
    origin: Option<&Process>,
    plan: &plan::Plan,
    folder: &Folder,
) -> Result<()> {
    println!("\nLevee is up: open {}/\n", edge.url());
    println!("  edge    {:<26} {}, process {}", edge.url(), edge.name(), edge.pid());
    match origin {
        Some(origin) => {
            println!("  origin  {:<26} {}, process {}", origin.url(), origin.name(), origin.pid());
        }
        None => plan.origins().iter().for_each(|url| println!("  origin  {url:<26} yours, not started here")),
    }
    println!("  status  {}/.levee/", edge.url());
    println!("  rules   {}", plan.describe(root));
    for line in in_two_lines(&plan.compile(origin.map(Process::url))?.config) {
        println!("          {line}");
    }
    println!("  files   {}/, of this run alone; logs/ among them, and below", folder.shown(root));
    println!(
        "\nReload a page that may be cached: the second answer comes from the edge, and the origin is not asked."
    );
    println!("Ctrl-C stops everything that was started.\n");
    Ok(())
}

/// A file whose changes take effect while `up` runs.
struct Watched {
    file: Option<PathBuf>,
    seen: Option<SystemTime>,
}

impl Watched {
    fn new(file: Option<&Path>) -> Self {
        let mut watched = Self { file: file.map(Path::to_path_buf), seen: None };
        watched.changed();
        watched
    }

    fn changed(&mut self) -> bool {
        let Some(file) = &self.file else { return false };
        // While an editor replaces the file it is not there for a moment.
        let Ok(modified) = fs::metadata(file).and_then(|meta| meta.modified()) else { return false };
        self.seen.replace(modified) != Some(modified)
    }
}
