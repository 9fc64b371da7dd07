//! `cargo xtask lab profile`: what a request costs in one part, where that goes, and what a change has made of it.
//!
//! With `--before` two builds of a program are measured in turns, so that what disturbs a round disturbs both. What Levee costs
//! on workerd is measured beside a Worker that answers a constant.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use levee_harness::{Native, Origin, Process, Workerd, WorkerdStores};

use super::compare::{self, Generator, Load, Targets, cpu_of};
use super::evidence::{Evidence, Outcome};
use super::flame::Frame;
use crate::bench::results::Series;
use crate::{project, run, stop};

/// Samples a second, an odd number so that nothing periodic is in step with them.
const FREQUENCY: &str = "1499";
/// Connections of the load.
const CONNECTIONS: u16 = 64;
/// How long workerd is warmed up.
const WARM: Duration = Duration::from_secs(5);
/// Functions that are named.
const HOTTEST: usize = 12;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is profiled.
    #[arg(value_enum)]
    part: Part,
    /// A commit from before a change, or the program as built from one, to be measured beside today's.
    #[arg(long, value_name = "COMMIT")]
    before: Option<String>,
    /// Measure this program as today's instead of building it. For a readable graph it must have its symbols.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Rounds; in each every build is measured once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// How long each load is sent, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Only print; keep the evidence that is there.
    #[arg(long)]
    dry_run: bool,
}

/// A part with a hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The native edge, answering out of memory.
    Edge,
    /// The box office under its visitors' reading, without an edge.
    Origin,
    /// Levee on workerd, answering out of memory, beside a Worker that does nothing but answer.
    Worker,
}

impl Part {
    fn package(self) -> &'static str {
        match self {
            Self::Edge => "levee-native",
            Self::Origin => "levee-origin",
            Self::Worker => "levee-worker",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Origin => "origin",
            Self::Worker => "worker",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Edge => "A bottleneck of the native edge: a cached answer",
            Self::Origin => "A bottleneck of the box office: its visitors' reading, without an edge",
            Self::Worker => "What a cached answer costs on workerd",
        }
    }
}

/// What is measured.
enum Program {
    /// Of this project.
    Native(PathBuf),
    /// The Worker as it is deployed.
    Worker(compare::Worker),
    /// What workerd costs alone.
    Constant(compare::Worker),
}

/// One build of a part.
struct Build {
    name: &'static str,
    program: Program,
    /// CPU microseconds a request, requests a second, median and 99th percentile in microseconds.
    figures: [Series; 4],
    profile: Option<Frame>,
}

const FIGURES: [(&str, &str); 4] = [
    ("cpu_us", "CPU a request, µs"),
    ("requests_per_second", "requests a second"),
    ("p50_us", "p50, µs (64 connections, closed loop)"),
    ("p99_us", "p99, µs (64 connections, closed loop)"),
];

const CONSTANT: &str = "constant";

/// `cargo xtask lab profile`.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.part == Part::Worker && (args.before.is_some() || args.program.is_some()) {
        bail!(
            "--before and --program take a native program; workerd is measured beside a Worker that answers a constant"
        );
    }
    let root = project::root()?;
    let mut builds = Vec::new();
    let build = |name, program| Build { name, program, figures: Default::default(), profile: None };
    let (program, origin, generator) = built(&root, args)?;
    match program {
        Some(program) => {
            if let Some(before) = &args.before {
                let earlier = earlier(&root, before, args.part.package())?;
                builds.push(build("before", Program::Native(earlier)));
            }
            builds.push(build("now", Program::Native(program)));
        }
        None => {
            builds.push(build(CONSTANT, Program::Constant(compare::constant_worker(&root)?)));
            builds.push(build("levee", Program::Worker(compare::worker(&root)?)));
        }
    }
    let generator = Generator::new(&generator)?;
    for round in 0..args.rounds {
        println!("round {} of {}", round + 1, args.rounds);
        let count = builds.len();
        for turn in 0..count {
            let at = if round % 2 == 0 { turn } else { count - 1 - turn };
            let build = &mut builds[at];
            let figures = measured(&root, args, &build.program, &origin, &generator, None)?.0;
            for (series, figure) in build.figures.iter_mut().zip(figures) {
                series.0.push(figure);
            }
        }
    }
    match perf() {
        Ok(perf) => {
            for build in &mut builds {
                println!("sampling {}", build.name);
                build.profile = measured(&root, args, &build.program, &origin, &generator, Some(&perf))?.1;
            }
        }
        Err(missing) => println!("without a flame graph: {missing}"),
    }
    print(&builds);
    if args.dry_run { Ok(()) } else { keep(&root, args, &builds) }
}

fn perf() -> Result<PathBuf> {
    Ok(levee_harness::find_program("perf", "install it with `apt-get install linux-perf` (Linux only)")?)
}

/// How programs are built: as released, but with their symbols, and the earlier one and today's by the same rules.
const FLAGS: [&str; 9] = [
    "--release",
    "--config",
    "profile.release.lto=\"thin\"",
    "--config",
    "profile.release.codegen-units=4",
    "--config",
    "profile.release.strip=\"none\"",
    "--config",
    "profile.release.debug=\"line-tables-only\"",
];

/// A program, or what an earlier commit makes of it, built beside the checkout.
fn earlier(root: &Path, named: &str, package: &str) -> Result<PathBuf> {
    let program = project::given(Path::new(named))?;
    if program.is_file() {
        return Ok(program);
    }
    let revision = format!("{named}^{{commit}}");
    let commit = run::ask_in(root, "git", &["rev-parse", "--verify", "--quiet", &revision])
        .with_context(|| format!("--before: `{named}` is neither a program nor a commit"))?;
    let folder = root.join("build/before").join(commit.get(..12).unwrap_or(&commit));
    if !folder.join("Cargo.lock").is_file() {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let archive = folder.join("source.tar");
        run::quietly(
            Command::new("git").arg("archive").arg("--output").arg(&archive).arg(&commit).current_dir(root),
        )?;
        run::quietly(Command::new("tar").arg("-xf").arg(&archive).current_dir(&folder))?;
        fs::remove_file(&archive)?;
    }
    println!("Building {package} of {}", commit.get(..12).unwrap_or(&commit));
    let built = levee_harness::cargo_build(&folder, &[package], &FLAGS, stop::requested)?;
    Ok(built.into_iter().next().with_context(|| format!("cargo named no {package}"))?.artifact)
}

/// Today's program where it is a native one, the origin and the generator.
fn built(root: &Path, args: &Args) -> Result<(Option<PathBuf>, PathBuf, PathBuf)> {
    let mut packages = vec!["levee-load", "levee-origin"];
    if args.program.is_none() && args.part == Part::Edge {
        packages.push("levee-native");
    }
    let built = levee_harness::cargo_build(root, &packages, &FLAGS, stop::requested)?;
    let artifact = |package: &str| {
        let built = built.iter().find(|built| built.package == package);
        built.map(|built| built.artifact.clone()).with_context(|| format!("cargo named no {package}"))
    };
    let program = match (&args.program, args.part) {
        (_, Part::Worker) => None,
        (Some(program), _) => Some(project::given(program)?),
        (None, part) => Some(artifact(part.package())?),
    };
    Ok((program, artifact("levee-origin")?, artifact("levee-load")?))
}

type Measured = ([f64; 4], Option<Frame>);

/// Starts a build, sends the load, and samples it meanwhile where a `perf` is given.
fn measured(
    root: &Path,
    args: &Args,
    program: &Program,
    origin: &Path,
    generator: &Generator,
    perf: Option<&Path>,
) -> Result<Measured> {
    let quiet = |spec: levee_harness::Spec| spec.cancelled_by(stop::requested).env("RUST_LOG", "warn");
    let origin_program = match (args.part, program) {
        (Part::Origin, Program::Native(program)) => program,
        _ => origin,
    };
    let origin = Origin::new(origin_program).data_delay(Duration::ZERO).with(quiet).start()?;
    let targets = Targets::read(root, origin.url())?;
    let edge = match program {
        Program::Native(_) if args.part == Part::Origin => None,
        Program::Native(program) => Some(
            Native::new(program)
                .config(root.join("levee.toml"))
                .host("localhost")
                .origin("box-office", origin.url())
                .with(quiet)
                .start()?,
        ),
        Program::Worker(worker) => {
            // Kept with the process that uses them; they are none of its cost.
            let stores = WorkerdStores::start(&worker.workerd, quiet)?;
            let edge = Workerd::new(&worker.workerd, &worker.bundle).stores(&stores);
            Some(edge.var("LEVEE_ORIGIN_BOX_OFFICE_URL", origin.url()).with(quiet).start()?.keep(stores))
        }
        Program::Constant(worker) => Some(Workerd::new(&worker.workerd, &worker.bundle).with(quiet).start()?),
    };
    let (process, list) = match (&edge, args.part) {
        (Some(edge), Part::Worker) => (edge, &targets.data),
        (Some(edge), _) => (edge, &targets.pages),
        (None, _) => (&origin, &targets.traffic),
    };
    // Fills the cache, and lets the system read what the database needs.
    generator.send(process.port(), list, Load::Once { connections: 16 })?;
    if args.part == Part::Worker {
        // V8 compiles what is hot while it runs, on threads of the same process: that is over soon, and no cost of a request.
        generator.send(process.port(), list, Load::Closed { connections: CONNECTIONS, length: WARM })?;
    }
    let before = cpu_of(process.pid())?;
    let length = Duration::try_from_secs_f64(args.seconds)?;
    let sampled = perf.map(|perf| Sampling::start(perf, process, length)).transpose()?;
    let sent = generator.send(process.port(), list, Load::Closed { connections: CONNECTIONS, length })?;
    let cpu = cpu_of(process.pid())?.saturating_sub(before);
    let profile = sampled.map(Sampling::finish).transpose()?;
    let cpu_us = cpu.as_secs_f64() * 1e6 / sent.requests.max(1.0);
    Ok(([cpu_us, sent.per_second, sent.p50_us, sent.p99_us], profile))
}

/// `perf record` beside a load.
struct Sampling {
    perf: PathBuf,
    folder: tempfile::TempDir,
    child: levee_harness::Group,
}

impl Sampling {
    fn start(perf: &Path, process: &Process, length: Duration) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(perf);
        command
            // The stacks are unwound by their tables: neither libraries nor the system's keep frame pointers.
            .args(["record", "--quiet", "-F", FREQUENCY, "--call-graph", "dwarf,16384", "-p"])
            .arg(process.pid().to_string())
            .arg("-o")
            .arg(folder.path().join("perf.data"))
            .args(["--", "sleep", &length.as_secs_f64().to_string()])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let child = levee_harness::Group::spawn(&mut command).context("perf could not be started")?;
        Ok(Self { perf: perf.to_path_buf(), folder, child })
    }

    fn finish(mut self) -> Result<Frame> {
        let status = self.child.wait(stop::requested).context("stopped")?;
        if !status.success() {
            bail!("perf record failed ({status}); kernel.perf_event_paranoid may forbid it");
        }
        let data = self.folder.path().join("perf.data");
        let data = data.to_string_lossy();
        let script = run::ask(
            &self.perf,
            &["script", "-i", &data, "--no-inline", "-F", "comm,pid,time,event,ip,sym,dso"],
        )
        .context("perf script failed")?;
        let frame = Frame::read(&script);
        if frame.samples() == 0 {
            bail!("perf took no samples");
        }
        Ok(frame)
    }
}

fn print(builds: &[Build]) {
    for (at, (_, words)) in FIGURES.iter().enumerate() {
        println!("\n{words}: median (least - most)");
        for build in builds {
            println!("  {:<8} {}", build.name, build.figures[at].shown(1));
        }
        if let [before, now] = builds {
            println!("  {:<8} {}", "ratio", now.figures[at].beside(&before.figures[at]).shown(3));
        }
    }
    for build in builds {
        let Some(profile) = &build.profile else { continue };
        println!("\nmost CPU time, {} ({} samples)", build.name, profile.samples());
        for (name, share) in profile.hottest(HOTTEST) {
            println!("  {:>5.1}%  {name}", share * 100.0);
        }
    }
}

fn keep(root: &Path, args: &Args, builds: &[Build]) -> Result<()> {
    let part = args.part;
    let mut evidence = Evidence::begin(root, &format!("bottlenecks/{}", part.name()), part.title())?;
    evidence.summary.settings.insert(String::from("rounds"), args.rounds.to_string());
    evidence.summary.settings.insert(String::from("seconds"), args.seconds.to_string());
    let mut rows = Vec::new();
    for (at, (name, words)) in FIGURES.iter().enumerate() {
        let mut row = vec![(*words).to_owned()];
        for build in builds {
            let series = &build.figures[at];
            evidence.number(format!("{}_{name}", build.name), series.median());
            evidence.number(
                format!("{}_{name}_least", build.name),
                series.0.iter().copied().fold(f64::INFINITY, f64::min),
            );
            evidence
                .number(format!("{}_{name}_most", build.name), series.0.iter().copied().fold(0.0, f64::max));
            row.push(series.shown(1).trim().to_owned());
        }
        if let [before, now] = builds {
            let ratio = now.figures[at].beside(&before.figures[at]);
            evidence.number(format!("ratio_{name}"), ratio.median());
            row.push(ratio.shown(3).trim().to_owned());
        }
        rows.push(row);
    }
    let mut head = vec![""];
    head.extend(builds.iter().map(|build| build.name));
    if builds.len() == 2 {
        head.push("the latter / the former, within a round");
    }
    evidence.heading("Figures");
    evidence.prose(
        "Medians of all rounds; in brackets the least and the most. CPU is that of the part's process alone.",
    );
    evidence.table(&head, rows);
    for build in builds {
        let Some(profile) = &build.profile else { continue };
        let title = format!("{}, {}", part.title(), build.name);
        evidence.heading(format!("Where CPU time goes, {}", build.name));
        evidence.drawn(
            &format!("flame-{}", build.name),
            &title,
            profile.svg(&title),
            "A flame graph: a frame's width is the share of samples in which it was on the stack; what it called stands on it.",
        )?;
        let hottest = profile.hottest(HOTTEST);
        let rows =
            hottest.into_iter().map(|(name, share)| vec![name, format!("{:.1}%", share * 100.0)]).collect();
        evidence.table(&["function", "share of samples in it alone"], rows);
    }
    evidence.summary.verdict = match builds {
        [before, now] => {
            let ratio = now.figures[0].beside(&before.figures[0]).median();
            if before.name == CONSTANT {
                format!("A cached answer costs {ratio:.2} of what a constant one does on workerd.")
            } else {
                format!("A request costs {ratio:.2} of the CPU time that it cost before.")
            }
        }
        _ => String::from("One build was measured, and nothing compared."),
    };
    // Beside a constant the figures are the result, whatever they are.
    let told = matches!(builds, [before, now]
        if before.name == CONSTANT || now.figures[0].beside(&before.figures[0]).median() < 1.0);
    let folder = evidence.finish(if told { Outcome::Held } else { Outcome::Void })?;
    println!("{}", project::shown(root, &folder.join("index.html")));
    Ok(())
}
