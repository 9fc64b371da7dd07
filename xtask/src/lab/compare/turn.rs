//! One turn of one contender: started afresh, measured cold, warm, at a fixed rate and in a stampede, and stopped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use levee_harness::{Origin, Process};

use super::contender::{Contender, Kind};
use super::generator::{Generator, Load};
use super::parts::Parts;
use super::targets::Targets;
use super::usage;
use crate::stop;

/// Connections of the loads that ask as fast as they are answered, and of the one at a fixed rate.
const CONNECTIONS: u16 = 64;
/// Connections over which an empty cache is asked for all films.
const COLD: u16 = 16;
/// How often memory is looked at.
const MEMORY: Duration = Duration::from_millis(250);

/// How much is sent in a turn.
#[derive(Clone, Debug)]
pub(crate) struct Amount {
    pub(crate) length: Duration,
    pub(crate) rate: f64,
    pub(crate) films: usize,
    pub(crate) clients: u16,
}

/// The box office, and what it has been asked.
#[derive(Debug)]
pub(crate) struct Counted {
    process: Process,
    requests: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn start(parts: &Parts, delay: Duration) -> Result<Self> {
        let requests = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&requests);
        let origin = Origin::new(&parts.origin).data_delay(delay).with(|spec| {
            spec.args(["--log-format", "json"]).cancelled_by(stop::requested).echo(move |line| {
                // One line a request is written when it was answered.
                if line.contains("\"message\":\"request\"") {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Ok(Self { process: origin.start()?, requests })
    }

    pub(crate) fn url(&self) -> &str {
        self.process.url()
    }

    /// Requests so far. Lines come through a pipe: waits until none has come for a while.
    fn requests(&self) -> u64 {
        let mut seen = self.requests.load(Ordering::Relaxed);
        loop {
            thread::sleep(Duration::from_millis(100));
            let now = self.requests.load(Ordering::Relaxed);
            if now == seen {
                return now;
            }
            seen = now;
        }
    }
}

/// The figures of one turn, by name.
pub(crate) type Figures = BTreeMap<String, f64>;

/// Runs a turn.
///
/// # Errors
/// When the contender does not start, or answers wrongly.
pub(crate) fn run(
    parts: &Parts,
    contender: &Contender,
    origin: &Counted,
    generator: &Generator,
    targets: &Targets,
    amount: &Amount,
) -> Result<Figures> {
    let began = Instant::now();
    let stack =
        (contender.start)(parts, origin.url()).with_context(|| format!("starting {}", contender.title))?;
    let mut turn = Turn {
        kind: contender.kind,
        port: stack.port(),
        pids: stack.pids(),
        origin,
        generator,
        figures: Figures::new(),
    };
    turn.figures.insert("start_ms".into(), began.elapsed().as_secs_f64() * 1e3);
    let measured = turn.measured(targets, amount);
    measured
        .with_context(|| format!("measuring {}; its processes said:\n{}", contender.title, stack.log()))?;
    Ok(turn.figures)
}

struct Turn<'a> {
    kind: Kind,
    port: u16,
    pids: Vec<u32>,
    origin: &'a Counted,
    generator: &'a Generator,
    figures: Figures,
}

impl Turn<'_> {
    fn measured(&mut self, targets: &Targets, amount: &Amount) -> Result<()> {
        let watch = Watch::start(&self.pids);
        let measured = self.phases(targets, amount);
        self.figures.insert("memory_bytes".into(), watch.stop() as f64);
        measured
    }

    fn phases(&mut self, targets: &Targets, amount: &Amount) -> Result<()> {
        let closed = Load::Closed { connections: CONNECTIONS, length: amount.length };
        let caches = self.kind != Kind::Floor;
        let films = targets.films.get(..amount.films).unwrap_or(&targets.films);
        if caches {
            self.phase("cold", films, Load::Once { connections: COLD })?;
        }
        let cached = [("data", &targets.data), ("pages", &targets.pages)];
        for (_, list) in cached {
            self.generator.send(self.port, list, Load::Once { connections: COLD })?;
        }
        // Code that is compiled while it runs, on workerd and in Python, is that of the next minutes and not of the first second.
        let warming = Load::Closed { connections: CONNECTIONS, length: amount.length / 2 };
        self.generator.send(self.port, &targets.data, warming)?;
        for (name, list) in cached {
            self.phase(name, list, closed)?;
        }
        if !caches {
            return Ok(());
        }
        let rate = Load::Rate { connections: CONNECTIONS, length: amount.length, rate: amount.rate };
        self.phase("rate", &targets.pages, rate)?;
        self.phase("stampede", &targets.stampede, Load::Burst { clients: amount.clients })?;
        Ok(())
    }

    /// Sends a load and notes what it cost whom.
    fn phase(&mut self, name: &str, targets: &[String], load: Load) -> Result<()> {
        if stop::requested() {
            bail!("stopped");
        }
        let asked = self.origin.requests();
        let origin = [self.origin.process.pid()];
        let before = (usage::of(&self.pids)?, usage::of(&origin)?);
        let sent = self.generator.send(self.port, targets, load)?;
        let after = (usage::of(&self.pids)?, usage::of(&origin)?);
        let asked = self.origin.requests() - asked;
        let a_request = |before: usage::Usage, after: usage::Usage| {
            after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / sent.requests.max(1.0)
        };
        for (figure, value) in [
            ("cpu_us", a_request(before.0, after.0)),
            ("origin_cpu_us", a_request(before.1, after.1)),
            ("requests", sent.requests),
            ("requests_per_second", sent.per_second),
            ("seconds", sent.seconds),
            ("refused", sent.refused),
            ("p50_us", sent.p50_us),
            ("p99_us", sent.p99_us),
            ("origin_requests", asked as f64),
            ("generator_cores", sent.generator_cores),
            ("generator_delay_us", sent.delay_us),
        ] {
            self.figures.insert(format!("{name}_{figure}"), value);
        }
        Ok(())
    }
}

/// Looks at a stack's memory now and then, and keeps the most.
struct Watch {
    most: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Watch {
    fn start(pids: &[u32]) -> Self {
        let (most, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = thread::spawn({
            let (most, ended, pids) = (Arc::clone(&most), Arc::clone(&ended), pids.to_vec());
            move || {
                while !ended.load(Ordering::Relaxed) {
                    let memory = usage::of(&pids).unwrap_or_default().memory;
                    most.fetch_max(memory, Ordering::Relaxed);
                    thread::sleep(MEMORY);
                }
            }
        });
        Self { most, ended, thread }
    }

    fn stop(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.thread.join();
        self.most.load(Ordering::Relaxed)
    }
}
