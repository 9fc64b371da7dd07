//! `levee-wire`: what `cargo xtask fuzz wire` runs once the parts are built.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use levee_harness::Process;
use levee_wire::client::Target;
use levee_wire::edge::{self, BUDGET, Parts, Runtime};
use levee_wire::ledger::Ledger;
use levee_wire::regressions::{self, Regression};
use levee_wire::rest::{self, Allowance};
use levee_wire::run::{self, Bounds, Done, Found, Vitals};
use levee_wire::{generate, origin};

/// Random clients and random origins, with an edge between them.
#[derive(Debug, Parser)]
struct Arguments {
    /// What stands between.
    #[arg(long, default_value = "native")]
    runtime: Runtime,
    /// How long new rounds are made up.
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<f64>,
    /// Ends after so many requests of clients.
    #[arg(long, value_name = "NUMBER")]
    exchanges: Option<u64>,
    /// The same seed makes up the same rounds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this round of the seed.
    #[arg(long, value_name = "NUMBER")]
    round: Option<u64>,
    /// Only this regression.
    #[arg(long, value_name = "NAME", conflicts_with = "round")]
    regression: Option<String>,
    /// How often one round or regression is run, each time with a new edge: what depends on timing does not show each time.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    times: usize,
    /// Rounds under way at once.
    #[arg(long, value_name = "NUMBER")]
    at_once: Option<usize>,
    /// Faults after which it ends.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    faults: u64,
    /// Makes up rounds only: the regressions are left out.
    #[arg(long)]
    skip_regressions: bool,
    #[command(flatten)]
    parts: Parts,
}

/// Rounds of regressions have numbers that no generated round has.
const REGRESSIONS: u64 = 0xf0_0000_0000;

/// How long anything may take: the edge's own deadlines are seconds.
const PATIENCE: Duration = Duration::from_secs(30);

static STOPPED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    match start(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &Arguments) -> Result<bool> {
    // The edge's process is stopped when it is dropped, which a signal must not prevent.
    ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed)).context("cannot listen for Ctrl-C")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        tokio::select! {
            done = run(arguments) => done,
            () = stopped() => bail!("stopped"),
        }
    })
}

async fn stopped() {
    while !STOPPED.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An edge before an origin.
struct Edge {
    process: Process,
    ledger: Rc<Ledger>,
    target: Rc<Target>,
}

impl Edge {
    async fn start(arguments: &Arguments) -> Result<Self> {
        let ledger = Ledger::new(arguments.seed, arguments.runtime.limits());
        let origin = origin::start(ledger.clone()).await.context("the origin cannot listen")?;
        let process = edge::start(arguments.runtime, &arguments.parts, &format!("http://{origin}"))?;
        let address: SocketAddr = process.url().trim_start_matches("http://").parse()?;
        let http2 = arguments.runtime == Runtime::Native;
        let target = Rc::new(Target {
            address,
            authority: address.to_string(),
            seed: arguments.seed,
            patience: PATIENCE,
            http2,
        });
        Ok(Self { process, ledger, target })
    }
}

impl Vitals for Edge {
    fn crashed(&self) -> Option<String> {
        if !self.process.is_running() {
            return Some(format!("the process ended; it said:\n{}", self.process.log().tail(25)));
        }
        let lines = self.process.log().lines();
        lines.iter().find(|line| line.contains("panicked")).map(|line| format!("it says: {line}"))
    }

    fn descriptors(&self) -> Option<usize> {
        Some(std::fs::read_dir(format!("/proc/{}/fd", self.process.pid())).ok()?.count())
    }

    fn resident(&self) -> Option<u64> {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.process.pid())).ok()?;
        let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
        Some(pages * 4096)
    }
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let name = arguments.runtime.name();
    let mut found = Found::default();
    if let Some(number) = arguments.round {
        for _ in 0..arguments.times {
            let edge = Edge::start(arguments).await?;
            let plan = generate::round(arguments.seed, number);
            alone(&edge, number, plan, &format!("this, of seed {}", arguments.seed), &mut found).await;
        }
        return Ok(summary(&found, name));
    }
    if let Some(wanted) = &arguments.regression {
        let regression = regressions::all().find(|regression| regression.name == wanted);
        let regression = regression.with_context(|| format!("there is no regression {wanted}"))?;
        for _ in 0..arguments.times {
            let edge = Edge::start(arguments).await?;
            alone(&edge, REGRESSIONS, (regression.make)(), "this", &mut found).await;
        }
        return Ok(summary(&found, name));
    }
    let edge = Edge::start(arguments).await?;
    let level = rest::level(&edge.target, &edge.ledger, &edge).await;
    if !arguments.skip_regressions {
        regress(arguments, &edge, &mut found).await;
    }
    let minutes = arguments.minutes.or_else(|| arguments.exchanges.is_none().then_some(1.0));
    let bounds = Bounds {
        first: 0,
        at_once: arguments.at_once.unwrap_or(if arguments.runtime == Runtime::Native { 32 } else { 16 }),
        until: minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0)),
        exchanges: arguments.exchanges,
        faults: arguments.faults,
    };
    let seed = arguments.seed;
    let replay =
        move |number| format!("cargo xtask fuzz wire --runtime {name} --seed {seed} --round {number}");
    let begun = Instant::now();
    let Done { rounds, exchanges, faults, found: made_up } = run::many(
        &edge.target,
        &edge.ledger,
        &edge,
        move |number| generate::round(seed, number),
        replay,
        &bounds,
    )
    .await;
    found.join(made_up);
    let rate = exchanges as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{name}, seed {seed}: {exchanges} exchanges in {rounds} rounds, {rate:.0} a second, {faults} faults"
    );
    let allowed = allowance(arguments.runtime);
    rest::check(&edge.target, &edge.ledger, &edge, level, allowed, rest::SETTLE, &mut found).await;
    Ok(summary(&found, name))
}

/// What an edge may keep when all is quiet.
fn allowance(runtime: Runtime) -> Allowance {
    match runtime {
        Runtime::Native => Allowance {
            // One client may have three quarters of the permits.
            burst: 190,
            descriptors: 4,
            tries: 1,
            resident: BUDGET + (64 << 20),
            resident_in_all: Some(BUDGET + (64 << 20)),
        },
        // Their own heaps give memory back when they like.
        Runtime::Worker | Runtime::Spin => {
            Allowance { burst: 64, descriptors: 16, tries: 3, resident: 384 << 20, resident_in_all: None }
        }
    }
}

/// Runs one round on an edge of its own, and prints all of it.
async fn alone(edge: &Edge, number: u64, plan: levee_wire::plan::Round, replay: &str, found: &mut Found) {
    let running = run::one(&edge.target, &edge.ledger, number, plan).await;
    let mut done = Done::default();
    run::collect(&mut done, &edge.ledger, &running, replay);
    if done.faults == 0 {
        println!("round {number}: no fault in {} exchanges", done.exchanges);
    }
    found.join(done.found);
    if let Some(why) = edge.crashed() {
        found.add(levee_wire::fault::Kind::Crash, || why);
    }
}

/// Replays what has once found something.
async fn regress(arguments: &Arguments, edge: &Edge, found: &mut Found) {
    let (mut passed, mut failed) = (0, Vec::new());
    for (at, Regression { name, make, not_on }) in regressions::all().enumerate() {
        if not_on.iter().any(|(runtime, _)| *runtime == arguments.runtime) {
            continue;
        }
        let replay =
            format!("cargo xtask fuzz wire --runtime {} --regression {name}", arguments.runtime.name());
        let running = run::one(&edge.target, &edge.ledger, REGRESSIONS + at as u64, make()).await;
        let mut done = Done::default();
        run::collect(&mut done, &edge.ledger, &running, &replay);
        if done.faults == 0 {
            passed += 1;
        } else {
            failed.push(*name);
        }
        found.join(done.found);
    }
    println!(
        "{passed} regressions pass{}",
        if failed.is_empty() { String::new() } else { format!("; not: {}", failed.join(", ")) }
    );
}

/// Prints the kinds of faults; whether there are none.
fn summary(found: &Found, runtime: &str) -> bool {
    for (kind, count, _) in found.kinds() {
        println!("{runtime}: {count} x {kind:?} (invariant {})", kind.invariant());
    }
    if found.is_empty() {
        println!("{runtime}: no fault");
    }
    found.is_empty()
}
