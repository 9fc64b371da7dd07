//! Levee as a component beside the smallest component, in the project's component host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, bail};
use levee_config::Overrides;
use levee_harness::{ComponentHost, Process, SpinApp};
use serde_json::{Map, Value, json};

use super::load::{self, Request};
use super::results::Series;
use super::{cpu, origin};
use crate::{files, project, spin, stop, tools};

/// Where the figures are kept.
const OUT: &str = "report/evidence/bench-spin";
/// The smallest component.
const HELLO: &str = "levee-guest-hello";
const TARGET: &str = "/object";
/// As large as what the Worker is measured with, in bytes.
const BODY: usize = 2_048;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds; in each every contender is measured once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Requests in a measurement.
    #[arg(long, default_value_t = 20_000)]
    requests: u64,
    /// Measure in this component host instead of building one; it must be optimised.
    #[arg(long, value_name = "FILE")]
    host: Option<PathBuf>,
    /// Only print; keep what report/evidence/bench-spin holds.
    #[arg(long)]
    dry_run: bool,
}

/// How long instances live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reuse {
    /// As Spin has it: 128 requests, 16 at once, 1 s idle.
    Default,
    /// As an edge cache wants it.
    Long,
}

struct Measured {
    name: &'static str,
    process: Process,
    request: Request,
    /// CPU time of the process a request, in microseconds.
    cpu: Series,
    /// Requests a second.
    rate: Series,
}

const HELLO_LONG: &str = "hello, long-lived instances";
const HELLO_DEFAULT: &str = "hello, default reuse";
const LEVEE_LONG: &str = "Levee memory hit, long-lived instances";
const LEVEE_DEFAULT: &str = "Levee hit, default reuse";
const LEVEE_KV: &str = "Levee key-value hit, long-lived instances";

/// What is compared with what, and the least ratio of requests a second that is asked for.
const PAIRS: [(&str, &str, Option<f64>); 3] =
    [(LEVEE_LONG, HELLO_LONG, Some(0.7)), (LEVEE_DEFAULT, HELLO_DEFAULT, None), (LEVEE_KV, HELLO_LONG, None)];

/// `cargo xtask bench spin`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let (hello, levee) = (spin::compile(&root, HELLO)?, spin::build(&root)?);
    let host = match &args.host {
        Some(host) => project::given(host)?,
        None => tools::optimised_component_host(&root)?,
    };
    let origin = origin::start("o".repeat(BODY))?;
    let folder = tempfile::tempdir()?;
    let setting = Setting { root: &root, host: &host, folder: folder.path(), origin: &origin };
    let plain = |expect| Request { target: TARGET, fields: String::new(), expect };
    let mut all = Vec::new();
    for (name, component, memory, reuse, expect) in [
        (HELLO_LONG, &hello, None, Reuse::Long, ""),
        (LEVEE_LONG, &levee, Some("32MiB"), Reuse::Long, r#"tier;desc="memory""#),
        (HELLO_DEFAULT, &hello, None, Reuse::Default, ""),
        // The first request of an instance finds what another has left in the key-value store.
        (LEVEE_DEFAULT, &levee, Some("32MiB"), Reuse::Default, "levee; hit"),
        (LEVEE_KV, &levee, Some("0B"), Reuse::Long, r#"tier;desc="kv""#),
    ] {
        let process = setting.start(name, component, memory, reuse)?;
        let request = plain(expect);
        // Fills what is to be hit.
        load::send(process.port(), &Request { expect: "", ..request.clone() }, 500)?;
        all.push(Measured { name, process, request, cpu: Series::default(), rate: Series::default() });
    }
    for round in 0..args.rounds {
        println!("round {} of {}", round + 1, args.rounds);
        let count = all.len();
        for turn in 0..count {
            // In turns, and every other round backwards.
            measure(&mut all[if round % 2 == 0 { turn } else { count - 1 - turn }], args.requests)?;
        }
    }
    print(&all);
    if !args.dry_run {
        keep(&root, args, &all)?;
    }
    hold(&all)
}

struct Setting<'a> {
    root: &'a Path,
    host: &'a Path,
    folder: &'a Path,
    origin: &'a str,
}

impl Setting<'_> {
    fn start(&self, name: &str, component: &Path, memory: Option<&str>, reuse: Reuse) -> Result<Process> {
        let folder = self.folder.join(name.replace([' ', ','], "-"));
        let app = SpinApp::new(component, self.config(memory)?).reach(self.origin);
        let manifest = app.write(self.root.join("spin.toml"), &folder)?;
        let host = ComponentHost::new(self.host, manifest).with(|spec| {
            let spec = if reuse == Reuse::Long { spec.args(spin::LONG_LIVED) } else { spec };
            spec.cancelled_by(stop::requested)
        });
        Ok(host.start()?)
    }

    fn config(&self, memory: Option<&str>) -> Result<Vec<u8>> {
        let text = format!(
            "version = 1\nhosts = [\"localhost\"]\n[origins.bench]\nurl = \"{}\"\n[limits]\nmemory = \"{}\"\n",
            self.origin,
            memory.unwrap_or("32MiB")
        );
        let compiled = levee_config::compile_str("levee.toml", &text, &Overrides::default());
        Ok(compiled.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes())
    }
}

fn measure(measured: &mut Measured, requests: u64) -> Result<()> {
    let before = cpu::used(measured.process.pid())?;
    let began = Instant::now();
    load::send(measured.process.port(), &measured.request, requests)
        .with_context(|| format!("measuring {}", measured.name))?;
    let wall = began.elapsed();
    let used = cpu::used(measured.process.pid())?.saturating_sub(before);
    measured.cpu.0.push(used.as_secs_f64() * 1e6 / requests as f64);
    measured.rate.0.push(requests as f64 / wall.as_secs_f64());
    Ok(())
}

fn pairs(all: &[Measured]) -> Vec<(&Measured, &Measured, Option<f64>)> {
    let find = |name| all.iter().find(|measured| measured.name == name);
    PAIRS.iter().filter_map(|&(own, other, least)| Some((find(own)?, find(other)?, least))).collect()
}

fn print(all: &[Measured]) {
    println!("\nmedian (least - most)\n");
    println!("{:<44} {:<28} requests a second", "", "CPU of the host, us a request");
    for measured in all {
        println!("{:<44} {:<28} {}", measured.name, measured.cpu.shown(1), measured.rate.shown(0));
    }
    println!("\nRatios, round by round: median (least - most)\n");
    for (own, other, _) in pairs(all) {
        println!("{} / {}", own.name, other.name);
        println!(
            "{:<44} {:<28} {}",
            "",
            own.cpu.beside(&other.cpu).shown(3),
            own.rate.beside(&other.rate).shown(3)
        );
    }
}

fn keep(root: &Path, args: &Args, all: &[Measured]) -> Result<()> {
    let mut measured = Map::new();
    for one in all {
        let both = json!({ "cpu_us": one.cpu.json(), "requests_a_second": one.rate.json() });
        measured.insert(one.name.to_owned(), both);
    }
    let mut ratios = Map::new();
    for (own, other, _) in pairs(all) {
        let both = json!({
            "cpu": own.cpu.beside(&other.cpu).json(),
            "requests_a_second": own.rate.beside(&other.rate).json(),
        });
        ratios.insert(format!("{} / {}", own.name, other.name), both);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let whole: Value = json!({
        "command": format!("cargo xtask bench spin --rounds {} --requests {}", args.rounds, args.requests),
        "unix_time": now,
        "host": "levee-component-host, which is not Spin",
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "measured": measured,
        "ratios": ratios,
    });
    let folder = root.join(OUT);
    fs::create_dir_all(&folder)?;
    let file = folder.join("result.json");
    files::write_if_changed(&file, format!("{}\n", serde_json::to_string_pretty(&whole)?).as_bytes())?;
    println!("{}", project::shown(root, &file));
    Ok(())
}

fn hold(all: &[Measured]) -> Result<()> {
    for (own, other, least) in pairs(all) {
        let ratio = own.rate.beside(&other.rate).median();
        if least.is_some_and(|least| ratio < least) {
            bail!("{} has {ratio:.2} of the requests a second of {}", own.name, other.name);
        }
    }
    Ok(())
}
