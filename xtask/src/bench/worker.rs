//! Levee on bare workerd beside plain JavaScript Workers.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use levee_config::Overrides;
use levee_harness::Process;
use serde_json::{Map, Value, json};

use super::load::{self, Request};
use super::results::Series;
use super::setting::{Contender, Setting};
use super::{cpu, start};
use crate::tools::{self, Node, Packages};
use crate::{files, project, worker};

/// Where the figures are kept.
const OUT: &str = "report/evidence/bench-worker";
const TARGET: &str = "/object";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds; in each every contender is measured once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Requests over HTTP in a measurement.
    #[arg(long, default_value_t = 8_000)]
    requests: u64,
    /// Measure this bundle instead of building one, as `cargo xtask build worker --out FOLDER` makes it.
    #[arg(long, value_name = "FOLDER")]
    bundle: Option<std::path::PathBuf>,
    /// Only print; keep what report/evidence/bench-worker holds.
    #[arg(long)]
    dry_run: bool,
}

/// One thing that is measured.
struct Measured {
    name: &'static str,
    process: Process,
    request: Request,
    /// Passes of the loop inside the handler.
    passes: u64,
    /// CPU time of the process a request, over HTTP, and a pass of the loop, in microseconds.
    http: Series,
    inside: Series,
}

/// What a browser sends.
const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: http://localhost/\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\
    Upgrade-Insecure-Requests: 1\r\n";

const MAP: &str = "JavaScript Map";
const KV: &str = "JavaScript KV get";
const LEVEE: &str = "Levee memory hit";
const LEVEE_KV: &str = "Levee KV hit";
const CACHE: &str = "JavaScript Cache API match";
const LEVEE_LOCAL: &str = "Levee hit in the Cache API";
const MAP_BROWSER: &str = "JavaScript Map, a browser's fields";
const LEVEE_BROWSER: &str = "Levee memory hit, a browser's fields";

/// `cargo xtask bench worker`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let built = tempfile::tempdir()?;
    let bundle = match &args.bundle {
        Some(bundle) => project::given(bundle)?,
        None => build(&root, built.path())?,
    };
    let mut setting = Setting::new(&root, &bundle)?;
    let (stores, origin) = (setting.stores()?, setting.origin()?);
    (setting.kv_port, setting.cache_port, setting.origin_port) =
        (stores.kv_port(), stores.cache_port(), origin.port());
    seed(stores.kv_port())?;
    let mut all = contenders(&setting)?;
    for measured in &all {
        // Fills what is to be hit, and lets the engine compile what is hot.
        load::send(measured.process.port(), &Request { expect: "", ..measured.request.clone() }, 500)?;
        loop_inside(measured, measured.passes)?;
    }
    for round in 0..args.rounds {
        println!("round {} of {}", round + 1, args.rounds);
        let count = all.len();
        for turn in 0..count {
            // In turns, and every other round backwards.
            let at = if round % 2 == 0 { turn } else { count - 1 - turn };
            measure(&mut all[at], args.requests)?;
        }
    }
    let wasm = files::gzip_size(&fs::read(bundle.join("pkg/levee_bg.wasm"))?)?;
    println!("first answers of fresh processes");
    let first = first_answers(&setting, args.rounds)?;
    print(&all, wasm, &first);
    if !args.dry_run {
        keep(&root, &setting, args, &all, wasm, &first)?;
    }
    Ok(())
}

fn build(root: &Path, out: &Path) -> Result<std::path::PathBuf> {
    let node = Node::ensure()?;
    tools::npm_packages(root, &node, Packages::Run)?;
    let wasm = worker::build(root, &node)?;
    worker::assemble(root, &wasm, &config("32MiB")?, out)?;
    Ok(out.to_path_buf())
}

/// An edge before the bench's origin, with this much memory for entries.
fn config(memory: &str) -> Result<Vec<u8>> {
    let text = format!(
        "version = 1\nhosts = [\"localhost\"]\n[origins.bench]\nurl = \"http://127.0.0.1:1\"\n[limits]\nmemory = \"{memory}\"\n"
    );
    let compiled = levee_config::compile_str("levee.toml", &text, &Overrides::default());
    Ok(compiled.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes())
}

/// Puts the object where the JavaScript contender looks for it.
fn seed(port: u16) -> Result<()> {
    let url = format!("http://127.0.0.1:{port}/{}?urlencoded=true", TARGET.replace('/', "%2F"));
    let body = format!("{{\"seats\":\"{}\"}}", "o".repeat(2038));
    ureq::put(&url).send(body.as_bytes()).context("the KV service took no value")?;
    Ok(())
}

fn contenders(setting: &Setting) -> Result<Vec<Measured>> {
    let plain = |expect| Request { target: TARGET, fields: String::new(), expect };
    let browser = |expect| Request { target: TARGET, fields: BROWSER.to_owned(), expect };
    let script = |module| Contender { module, levee_bin: None, cache: module == "cache" };
    let levee = |memory, cache| {
        Ok::<_, anyhow::Error>(Contender { module: "levee", levee_bin: Some(config(memory)?), cache })
    };
    let (memory, near, far) = (r#"tier;desc="memory""#, r#"tier;desc="local""#, r#"tier;desc="kv""#);
    [
        ("JavaScript constant", script("constant"), plain(""), 60_000),
        (MAP, script("map"), plain("server-timing"), 60_000),
        (LEVEE, levee("32MiB", true)?, plain(memory), 60_000),
        (MAP_BROWSER, script("map"), browser("server-timing"), 60_000),
        (LEVEE_BROWSER, levee("32MiB", true)?, browser(memory), 60_000),
        (KV, script("kv"), plain("server-timing"), 3_000),
        // Nothing fits into no memory: every request reads a store. Without a cache service that is KV.
        (LEVEE_KV, levee("0B", false)?, plain(far), 3_000),
        (CACHE, script("cache"), plain("server-timing"), 3_000),
        (LEVEE_LOCAL, levee("0B", true)?, plain(near), 3_000),
    ]
    .into_iter()
    .map(|(name, contender, request, passes)| {
        let process = setting.start(&contender)?;
        Ok(Measured { name, process, request, passes, http: Series::default(), inside: Series::default() })
    })
    .collect()
}

fn measure(measured: &mut Measured, requests: u64) -> Result<()> {
    let failed = || format!("measuring {}", measured.name);
    let (port, pid) = (measured.process.port(), measured.process.pid());
    let http = used_by(pid, || load::send(port, &measured.request, requests)).with_context(failed)?;
    let inside = used_by(pid, || loop_inside(measured, measured.passes)).with_context(failed)?;
    measured.http.0.push(micros(http) / requests as f64);
    measured.inside.0.push(micros(inside) / measured.passes as f64);
    Ok(())
}

fn loop_inside(measured: &Measured, passes: u64) -> Result<()> {
    load::send(measured.process.port(), &measured.request.with(&format!("bench-loop: {passes}")), 1)
}

fn used_by(pid: u32, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let before = cpu::used(pid)?;
    work()?;
    Ok(cpu::used(pid)?.saturating_sub(before))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// First answers of fresh processes, in milliseconds: an empty JavaScript Worker's and Levee's.
struct FirstAnswers {
    empty: (Series, Series),
    levee: (Series, Series),
}

fn first_answers(setting: &Setting, rounds: u32) -> Result<FirstAnswers> {
    let empty = Contender { module: "empty", levee_bin: None, cache: false };
    let levee = Contender { module: "levee", levee_bin: Some(config("32MiB")?), cache: true };
    let mut first = FirstAnswers { empty: Default::default(), levee: Default::default() };
    for _ in 0..rounds.max(9) {
        for (contender, series) in [(&empty, &mut first.empty), (&levee, &mut first.levee)] {
            let target = if contender.module == "levee" { TARGET } else { "/" };
            let one = start::first_answer(setting, contender, target)?;
            series.0.0.push(one.wall.as_secs_f64() * 1e3);
            series.1.0.push(one.cpu.as_secs_f64() * 1e3);
        }
    }
    Ok(first)
}

/// What the issue asks for: this beside that.
const PAIRS: [(&str, &str); 4] =
    [(LEVEE, MAP), (LEVEE_KV, KV), (LEVEE_BROWSER, MAP_BROWSER), (LEVEE_LOCAL, CACHE)];

fn pairs(all: &[Measured]) -> Vec<(&Measured, &Measured)> {
    let find = |name| all.iter().find(|measured| measured.name == name);
    PAIRS.iter().filter_map(|&(own, other)| Some((find(own)?, find(other)?))).collect()
}

fn print(all: &[Measured], wasm: usize, first: &FirstAnswers) {
    println!("\nCPU time of the process, microseconds: median (least - most)\n");
    println!("{:<38} {:<28} in a loop inside the handler", "", "a request over HTTP");
    for measured in all {
        println!("{:<38} {:<28} {}", measured.name, measured.http.shown(1), measured.inside.shown(2));
    }
    println!("\nRatios, round by round: median (least - most)\n");
    for (own, other) in pairs(all) {
        let name = format!("{} / {}", own.name, other.name);
        println!("{name}");
        println!(
            "{:<38} {:<28} {}",
            "",
            own.http.beside(&other.http).shown(3),
            own.inside.beside(&other.inside).shown(3)
        );
    }
    println!("\nFirst answer of a fresh process, milliseconds: wall clock, CPU time\n");
    for (name, (wall, cpu)) in [("an empty JavaScript Worker", &first.empty), ("Levee, a miss", &first.levee)]
    {
        println!("{name:<38} {:<28} {}", wall.shown(1), cpu.shown(1));
    }
    println!("\nwasm: {:.1} KB gzip", wasm as f64 / 1000.0);
}

fn keep(
    root: &Path,
    setting: &Setting,
    args: &Args,
    all: &[Measured],
    wasm: usize,
    first: &FirstAnswers,
) -> Result<()> {
    let mut measured = Map::new();
    for one in all {
        measured.insert(one.name.to_owned(), json!({ "http": one.http.json(), "inside": one.inside.json() }));
    }
    let mut ratios = Map::new();
    for (own, other) in pairs(all) {
        let both = json!({ "http": own.http.beside(&other.http).json(), "inside": own.inside.beside(&other.inside).json() });
        ratios.insert(format!("{} / {}", own.name, other.name), both);
    }
    let series = |(wall, cpu): &(Series, Series)| json!({ "wall": wall.json(), "cpu": cpu.json() });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let whole: Value = json!({
        "command": format!("cargo xtask bench worker --rounds {} --requests {}", args.rounds, args.requests),
        "unix_time": now,
        "workerd": setting.workerd_version(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "units": "CPU time of the process, microseconds a request",
        "measured": measured,
        "ratios": ratios,
        "first_answer_ms": { "empty": series(&first.empty), "levee": series(&first.levee) },
        "wasm_gzip_bytes": wasm,
    });
    let folder = root.join(OUT);
    fs::create_dir_all(&folder)?;
    let file = folder.join("summary.json");
    files::write_if_changed(&file, format!("{}\n", serde_json::to_string_pretty(&whole)?).as_bytes())?;
    println!("{}", project::shown(root, &file));
    if wasm > 300_000 {
        bail!("the wasm is {wasm} bytes gzip, and 300,000 are allowed");
    }
    Ok(())
}
