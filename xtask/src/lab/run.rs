//! One run of one scenario, from nothing to evidence.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail};

use super::catalogue::Catalogue;
use super::counts::StatusPoll;
use super::evidence::{self, Evidence, Outcome};
use super::plan::{Load, Plan};
use super::sample::Sampler;
use super::scenario::Scenario;
use super::seen::Seen;
use super::system::{Build, Parts, Runtime, System};
use super::tool::{Generator, Progress, Ran, Tool};
use super::traffic::{self, Objectives, Traffic};
use super::{ceiling, draw, limits, verdict};
use crate::project;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// What the edge runs on.
    #[arg(long, value_enum, default_value_t = Runtime::Worker)]
    pub(super) runtime: Runtime,
    /// What sends the requests.
    #[arg(long, value_enum, default_value_t = Tool::K6)]
    pub(super) tool: Tool,
    /// So many box offices on one database. The last one joins at a quarter of the run, the first one leaves at 60 percent.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(super) origins: u8,
    /// Aim at this edge instead of starting a system.
    #[arg(long, env = "BASE_URL", value_name = "URL", conflicts_with = "origins")]
    pub(super) base_url: Option<String>,
    /// You may send this load to the edge of --base-url.
    #[arg(long)]
    pub(super) yes_i_own_it: bool,
    /// How long the run takes, such as 45s or 30m, instead of the scenario's own time.
    #[arg(long, visible_alias = "seconds", value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// Times all rates and numbers of clients.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = scale)]
    pub(super) scale: f64,
    /// The evidence's folder below report/evidence, instead of SCENARIO-RUNTIME-TOOL.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(super) name: Option<String>,
    /// Keep the evidence in build/lab instead of report/evidence.
    #[arg(long)]
    pub(super) scratch: bool,
    /// Use quick builds instead of optimised ones: to check the lab, not the system.
    #[arg(long)]
    pub(super) debug_build: bool,
    /// Measure the generator's ceiling again.
    #[arg(long)]
    pub(super) fresh_ceiling: bool,
}

impl Args {
    /// A short run that is not kept.
    pub(super) fn short(runtime: Runtime, tool: Tool) -> Self {
        Self {
            runtime,
            tool,
            origins: 1,
            base_url: None,
            yes_i_own_it: false,
            duration: Some(Duration::from_secs(10)),
            scale: 1.0,
            name: None,
            scratch: true,
            debug_build: true,
            fresh_ceiling: false,
        }
    }
}

/// Reads `45`, `45s`, `5m` or `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a length of time; write it like 45s, 5m or 1h");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let seconds = match &text[digits..] {
        "" | "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        _ => return Err(wrong()),
    };
    if seconds < 5 {
        Err(String::from("a run takes five seconds at least"))
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

fn scale(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor > 0.0 && *factor <= 100.0)
        .ok_or_else(|| format!("`{text}` is not a factor: a number above 0 and up to 100"))
}

fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(String::from("a name is of lower-case letters, digits and hyphens"))
    }
}

impl Outcome {
    /// What the process says when it ends: 0 held, 2 not held, 3 nothing proven. 1 is for what went wrong.
    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Held => 0,
            Self::Broken => 2,
            Self::Void => 3,
        })
    }
}

/// What a run needs beside its arguments.
struct Setting<'a> {
    root: &'a Path,
    scenario: Scenario,
    args: &'a Args,
    traffic: Traffic,
    objectives: Objectives,
    generator: Generator,
    ceiling: f64,
    load: Load,
    run: String,
}

pub(super) fn run(scenario: Scenario, args: &Args) -> Result<Outcome> {
    let root = project::root()?;
    if let Some(url) = &args.base_url {
        allowed(url, args.yes_i_own_it)?;
    }
    if args.origins > 1 && scenario == Scenario::Stampede {
        bail!("a stampede is over before an origin can join: --origins is for the other scenarios");
    }
    let (traffic, objectives) = traffic::read(&root)?;
    let generator = args.tool.ensure(&root)?;
    limits::ensure(traffic.generator.most_under_way)?;
    let ceiling = ceiling::of(&root, &generator, &traffic, &objectives, args.fresh_ceiling)?;
    let run = format!("{:x}", SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis());
    let seconds = args.duration.map(|duration| duration.as_secs_f64());
    let load = scenario.load(&traffic, &run, seconds, args.scale, ceiling)?;
    let setting = Setting { root: &root, scenario, args, traffic, objectives, generator, ceiling, load, run };
    if let Load::Arrivals { arrivals } = &setting.load {
        let (most, share) = (traffic::highest(arrivals), setting.traffic.generator.ceiling_share);
        if most > ceiling * share {
            eprintln!(
                "void: {most:.0} requests a second are planned, and {} can do {ceiling:.0} here by itself; above {:.0} % of that a run says \
                 more about the generator than about the system. Run with --scale {:.2} or on a machine with more cores.",
                args.tool.name(),
                share * 100.0,
                ceiling * share / most * args.scale * 0.99
            );
            return Ok(Outcome::Void);
        }
    }
    setting.run()
}

/// Whether load may be sent there.
fn allowed(url: &str, yes: bool) -> Result<()> {
    let uri: ureq::http::Uri = url.parse().with_context(|| format!("--base-url {url} is not a URL"))?;
    let host = uri.host().with_context(|| format!("--base-url {url} has no host"))?;
    if uri.path_and_query().is_some_and(|target| target.as_str() != "/") {
        bail!("--base-url {url}: give scheme, host and port only");
    }
    let address: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if !loopback && !yes {
        bail!(
            "{host} is not this machine. Load on a server that is not yours is an attack, and on one that is it may cost money: \
             say --yes-i-own-it if both are in order"
        );
    }
    Ok(())
}

impl Setting<'_> {
    fn run(&self) -> Result<Outcome> {
        let parts = match self.args.base_url {
            Some(_) => None,
            None => {
                let build = if self.args.debug_build { Build::Debug } else { Build::Release };
                Some(Parts::build(self.root, Some(self.args.runtime), build)?)
            }
        };
        let versions = parts.as_ref().map(Parts::versions).unwrap_or_default();
        let mut evidence = self.begin(versions)?;
        let sampler = Sampler::start();
        let epoch = SystemTime::now() - sampler.began().elapsed();
        let all = usize::from(self.args.origins);
        let mut system =
            parts.map(|parts| System::start(parts, all, (all - 1).max(1), sampler.began())).transpose()?;
        let url = match (&system, &self.args.base_url) {
            (Some(system), _) => system.url().to_owned(),
            (None, Some(url)) => url.trim_end_matches('/').to_owned(),
            (None, None) => bail!("nothing to send to"),
        };
        let folder = tempfile::Builder::new().prefix("levee-lab-").tempdir()?;
        println!("Reading the catalogue");
        // At the origin itself, so that nothing is in the edge's caches yet.
        let catalogue = Catalogue::fetch(system.as_ref().map_or(url.as_str(), System::origin_url))?;
        self.plan(&url).write(folder.path(), &catalogue, self.traffic.popularity.exponent)?;
        if let Some(system) = &system {
            system.watch(&sampler);
            // What the catalogue took is not the run's.
            system.origin_log().take();
        }
        let poll = system.as_ref().map(|_| StatusPoll::start(&url, sampler.began()));
        let mut events = Vec::new();
        let ran = self.send(folder.path(), &mut system, &sampler, &mut events)?;
        let counts = poll.map(StatusPoll::stop).unwrap_or_default();
        let asked = system.as_ref().map(|system| system.origin_log().take()).unwrap_or_default();
        let samples = sampler.stop();
        drop(system);
        let Ran { requests, lines, summary, dropped, crossed, complaints } = ran;
        let mut seen = Seen {
            scenario: self.scenario,
            load: self.load.clone(),
            objectives: self.objectives.clone(),
            requests,
            zero: 0,
            end: 0.0,
            dropped,
            crossed,
            samples,
            asked,
            counts,
            events,
            ceiling: self.ceiling,
        };
        let began = epoch.duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
        seen.set_clock(u64::try_from(began).unwrap_or_default());
        let verdict = verdict::judge(&seen, &self.traffic, self.args.tool.name());
        evidence.raw(
            &format!("{}-summary.json", self.args.tool.name()),
            summary.to_string().as_bytes(),
            "the generator's own summary",
        )?;
        draw::draw(&mut evidence, &seen, &verdict, &lines)?;
        for complaint in complaints.iter().take(10) {
            eprintln!("  {complaint}");
        }
        evidence.summary.objectives = verdict.objectives;
        evidence.summary.verdict.clone_from(&verdict.words);
        let folder = evidence.finish(verdict.outcome)?;
        println!("\n{}: {}", verdict.outcome.words(), verdict.words);
        println!("{}", evidence::shown(self.root, &folder.join("index.html")));
        Ok(verdict.outcome)
    }

    fn begin(&self, versions: Vec<(&'static str, String)>) -> Result<Evidence> {
        let (args, scenario) = (self.args, self.scenario);
        let runtime = if args.base_url.is_some() { "remote" } else { args.runtime.name() };
        let tool = args.tool.name();
        let mut name = format!("{}-{runtime}-{tool}", scenario.name());
        if args.origins > 1 {
            name.push_str(&format!("-origins-{}", args.origins));
        }
        let name = args.name.clone().unwrap_or(name);
        let title = format!("{}: {runtime} under {tool}", capital(scenario.name()));
        let mut evidence = match args.scratch {
            true => Evidence::begin_in(self.root, &self.root.join("build/lab"), &name, &title)?,
            false => Evidence::begin(self.root, &name, &title)?,
        };
        evidence.version(tool, self.generator.version.clone());
        for (what, version) in versions {
            evidence.version(what, version);
        }
        let settings = [
            ("scenario", scenario.name().to_owned()),
            ("runtime", runtime.to_owned()),
            ("tool", tool.to_owned()),
            ("origins", args.origins.to_string()),
            ("seed", self.traffic.seed.to_string()),
            ("scale", args.scale.to_string()),
        ];
        evidence.summary.settings =
            settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        evidence.note(scenario.describes());
        evidence.number("expected_peak_per_second", self.traffic.peak.requests_per_second);
        if let Load::Arrivals { arrivals } = &self.load {
            let most = traffic::highest(arrivals);
            evidence.note(format!(
                "An open workload: requests come when they are due, whatever became of those before. At its highest {most:.0} a second, \
                 which {:.0} visitors make who think {} seconds between two requests.",
                most * self.traffic.visitors.think_seconds,
                self.traffic.visitors.think_seconds
            ));
        }
        if args.debug_build {
            evidence.note("The programs were not optimised: the figures say nothing about the system.");
        }
        if args.base_url.is_none() {
            evidence.note(
                "The generator ran on the same machine as the system: what it used is shown, and took from what the system could use.",
            );
        }
        Ok(evidence)
    }

    fn plan(&self, url: &str) -> Plan {
        let mut plan = Plan::new(&self.traffic, &self.objectives, &self.run, url, self.load.clone());
        plan.every_kind = self.scenario == Scenario::Smoke;
        plan.check_bodies = matches!(self.scenario, Scenario::Smoke | Scenario::Stampede);
        plan.judged = self.scenario.is_judged_as_a_whole();
        plan.judged_by_time = self.scenario.is_judged_by_time();
        let burst = self.scenario == Scenario::Stampede;
        plan.objectives.retain(|_, journey| journey.kinds.iter().any(|kind| (kind == "data") == burst));
        plan
    }

    fn seconds(&self) -> f64 {
        match &self.load {
            Load::Arrivals { arrivals } => traffic::seconds(arrivals),
            Load::Closed { seconds, .. } => f64::from(*seconds),
            Load::Burst { .. } | Load::Count { .. } => 10.0,
        }
    }

    /// Runs the generator, and does to the system what is due meanwhile.
    fn send(
        &self,
        folder: &Path,
        system: &mut Option<System>,
        sampler: &Sampler,
        events: &mut Vec<(f64, String)>,
    ) -> Result<Ran> {
        let (total, tool) = (self.seconds(), self.args.tool.name());
        println!("Sending with {tool} for about {total:.0} s");
        let all = usize::from(self.args.origins);
        let mut due = Vec::new();
        if all > 1 {
            due.push((total * 0.6, Change::Leaves(1)));
            due.push((total * 0.25, Change::Joins(all)));
        }
        let (mut sent, mut said, mut begun) = ((0, 0), Instant::now(), None);
        let mut before = 0;
        self.generator.run(folder, total, |pid| sampler.watch("generator", pid), |progress: Progress| {
            sent = (sent.0 + progress.answered, sent.1 + progress.wrong);
            if progress.answered > 0 {
                begun.get_or_insert(progress.at);
            }
            let Some(system) = system.as_mut() else { return Ok(()) };
            system.check()?;
            let at = begun.map_or(0.0, |begun| progress.at - begun);
            while let Some((_, change)) = due.last().filter(|(when, _)| at >= *when).copied() {
                due.pop();
                let moment = sampler.began().elapsed().as_secs_f64();
                events.push((moment, change.apply(system, sampler)?));
            }
            if said.elapsed() >= Duration::from_secs(5) {
                let seconds = said.elapsed().as_secs_f64();
                let origin = system.origin_log().len();
                println!(
                    "  {:>4.0} s of {total:.0}: {:>6.0} requests a second, {} not right, {:.0} a second at the origin",
                    at,
                    sent.0 as f64 / seconds,
                    sent.1,
                    (origin - before) as f64 / seconds
                );
                (sent, said, before) = ((0, 0), Instant::now(), origin);
            }
            Ok(())
        })
    }
}

/// Something that is done to the system while it runs.
#[derive(Clone, Copy, Debug)]
enum Change {
    Joins(usize),
    Leaves(usize),
}

impl Change {
    /// Does it, and says what was done.
    fn apply(self, system: &mut System, sampler: &Sampler) -> Result<String> {
        Ok(match self {
            Self::Joins(number) => {
                system.add(number)?;
                system.watch(sampler);
                format!("origin {number} joins")
            }
            Self::Leaves(number) => {
                system.remove(number);
                sampler.forget(&system.origin_name(number));
                format!("origin {number} leaves")
            }
        })
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_asked_for_first() {
        for own in ["http://127.0.0.1:8787", "http://localhost:1/", "http://[::1]:8787"] {
            assert!(allowed(own, false).is_ok(), "{own}");
        }
        let message = allowed("https://tickets.example.com", false).unwrap_err().to_string();
        assert!(message.contains("--yes-i-own-it"), "{message}");
        assert!(allowed("https://tickets.example.com", true).is_ok());
        assert!(allowed("http://127.0.0.1.example.com", false).is_err());
        assert!(allowed("http://127.0.0.1/path", true).is_err());
    }

    #[test]
    fn times_and_factors() {
        assert_eq!(duration("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(duration("45"), Ok(Duration::from_secs(45)));
        assert!(duration("2s").is_err() && duration("5d").is_err() && duration("").is_err());
        assert!(scale("0").is_err() && scale("-1").is_err() && scale("nan").is_err() && scale("0.5").is_ok());
        assert!(name("../x").is_err() && name("load-1").is_ok());
    }
}
