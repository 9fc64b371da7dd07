//! `cargo xtask lab compare`: Levee beside what its users would run instead, in one run and in turns.
//!
//! `docs/comparison.md` says what is measured and why it is fair, and holds the table.

mod contender;
mod generator;
mod keep;
mod parts;
mod results;
mod targets;
mod turn;
mod usage;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::{project, stop};
use contender::{ALL, Contender};
pub(super) use generator::{Generator, Load};
use parts::Parts;
pub(super) use parts::{Worker, constant_worker, worker};
use results::{Results, SHOWN};
pub(super) use targets::Targets;
use turn::{Amount, Counted};

/// What `GET /data/{key}` takes at the origin.
const DELAY: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds; in each every contender has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Compare these alone, by name: native, workerd, component, nginx, varnish, classic, constant.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<String>,
    /// How long each load is sent, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The fixed rate at which latencies are taken, in requests a second: one that all contenders can carry.
    #[arg(long, default_value_t = 400.0)]
    rate: f64,
    /// Films that an empty cache is asked for, each once.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u16).range(1..=3000))]
    films: u16,
    /// Clients that wait at once for one cold key.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=2000))]
    clients: u16,
    /// Only print; keep the evidence and the tables that are there.
    #[arg(long)]
    dry_run: bool,
    /// Use unoptimised builds: to see that all is started, asked and stopped. The figures mean nothing, so nothing is kept.
    #[arg(long)]
    dev: bool,
}

/// A turn of each contender that this machine has, as short as can be, with unoptimised builds. Returns what was left out.
pub(crate) fn smoke(root: &Path) -> Result<Vec<String>> {
    let args = Args {
        rounds: 1,
        only: ["native", "nginx", "varnish", "classic"].map(str::to_owned).to_vec(),
        seconds: 0.3,
        rate: 30.0,
        films: 20,
        clients: 20,
        dry_run: true,
        dev: true,
    };
    let (_, results, skipped) = compare(root, &args)?;
    let once = results.series("native", "stampede_origin_requests");
    if once.0 != [1.0] {
        bail!("a stampede was {:?} origin requests, natively", once.0);
    }
    for contender in results.contenders() {
        for phase in ["data", "pages"] {
            let asked = results.series(contender.name, &format!("{phase}_origin_requests"));
            if asked.0 != [0.0] {
                bail!(
                    "{}: what is cached ({phase}) was asked of the origin, {:?} times",
                    contender.title,
                    asked.0
                );
            }
        }
    }
    Ok(skipped)
}

/// `cargo xtask lab compare`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let (parts, results, skipped) = compare(&root, args)?;
    print(&results);
    if args.dry_run || args.dev { Ok(()) } else { keep::keep(&parts, args, &results, &skipped) }
}

fn compare(root: &Path, args: &Args) -> Result<(Parts, Results, Vec<String>)> {
    if let Some(name) = args.only.iter().find(|name| !ALL.iter().any(|contender| contender.name == **name)) {
        let names: Vec<_> = ALL.iter().map(|contender| contender.name).collect();
        bail!("--only: there is no `{name}`; the contenders are {}", names.join(", "));
    }
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let parts = Parts::prepare(root, args.dev, wanted)?;
    let mut skipped = Vec::new();
    let mut contenders: Vec<&Contender> = Vec::new();
    for contender in ALL.iter().filter(|contender| wanted(contender.name)) {
        match (contender.lacks)(&parts) {
            None => contenders.push(contender),
            Some(lacks) => skipped.push(format!("{} is left out: {lacks}", contender.title)),
        }
    }
    for sentence in &skipped {
        println!("{sentence}");
    }
    if contenders.is_empty() {
        bail!("there is nothing to compare");
    }
    let results = measure(&parts, &contenders, args)?;
    Ok((parts, results, skipped))
}

/// The CPU time of a process and its descendants so far.
pub(super) fn cpu_of(pid: u32) -> Result<Duration> {
    Ok(usage::of(&[pid])?.cpu)
}

fn measure(parts: &Parts, contenders: &[&Contender], args: &Args) -> Result<Results> {
    let amount = Amount {
        length: Duration::try_from_secs_f64(args.seconds)?,
        rate: args.rate,
        films: args.films.into(),
        clients: args.clients,
    };
    let generator = Generator::new(&parts.generator)?;
    let origin = Counted::start(parts, DELAY)?;
    let targets = Targets::read(&parts.root, origin.url())?;
    let mut results = Results::default();
    for round in 0..args.rounds {
        let mut order = contenders.to_vec();
        // In turns, and every other round backwards.
        if round % 2 == 1 {
            order.reverse();
        }
        for contender in order {
            println!("round {} of {}: {}", round + 1, args.rounds, contender.title);
            let figures = turn::run(parts, contender, &origin, &generator, &targets, &amount)?;
            results.add(contender, figures);
            if stop::requested() {
                bail!("stopped");
            }
        }
    }
    Ok(results)
}

fn print(results: &Results) {
    for shown in &SHOWN {
        println!("\n{}, {}: median (least - most)", shown.words, shown.unit);
        for contender in results.contenders() {
            let series = results.series(contender.name, shown.figure);
            if series.0.is_empty() {
                continue;
            }
            let scaled =
                crate::bench::results::Series(series.0.iter().map(|figure| figure / shown.divisor).collect());
            println!("  {:<32} {}", contender.title, scaled.shown(shown.digits));
        }
    }
    println!();
    for target in results.targets() {
        let met = if target.met() { "met" } else { "NOT MET" };
        println!(
            "{:<66} {} wanted {} {}: {met}",
            target.words,
            target.reached.shown(2),
            target.comparison,
            target.wanted
        );
    }
    println!();
    for sentence in results.behind() {
        println!("{sentence}");
    }
}
