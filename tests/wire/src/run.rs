//! Runs rounds, many at once, and collects what was wrong.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::client::{self, Target};
use crate::fault::{Fault, Kind};
use crate::ledger::{Ledger, Running};
use crate::plan::Round;

/// Reports of one kind that are kept in full.
const FULL: usize = 2;

/// What was wrong, by kind.
#[derive(Debug, Default)]
pub struct Found {
    kinds: BTreeMap<Kind, (u64, Vec<String>)>,
}

impl Found {
    pub fn add(&mut self, kind: Kind, report: impl FnOnce() -> String) -> bool {
        let (count, kept) = self.kinds.entry(kind).or_default();
        *count += 1;
        let is_new = kept.len() < FULL;
        if is_new {
            kept.push(report());
        }
        is_new
    }

    /// Takes over what another run has found.
    pub fn join(&mut self, other: Self) {
        for (kind, (count, reports)) in other.kinds {
            let (counted, kept) = self.kinds.entry(kind).or_default();
            *counted += count;
            kept.extend(reports);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Each kind, how often, and the reports that are kept.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, u64, &[String])> {
        self.kinds.iter().map(|(kind, (count, kept))| (*kind, *count, &kept[..]))
    }
}

/// When a run ends.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The first round's number.
    pub first: u64,
    /// Rounds under way at once.
    pub at_once: usize,
    pub until: Option<Instant>,
    pub exchanges: Option<u64>,
    /// Faults after which it makes no sense to go on.
    pub faults: u64,
}

/// What a run has done.
#[derive(Debug, Default)]
pub struct Done {
    pub rounds: u64,
    pub exchanges: u64,
    pub faults: u64,
    pub found: Found,
}

/// Something between clients and origin, seen from outside.
pub trait Vitals {
    /// Why it can serve no more, where that is so.
    fn crashed(&self) -> Option<String>;
    /// Descriptors that it has open; `None`: nobody knows.
    fn descriptors(&self) -> Option<usize>;
    /// Resident bytes; `None`: nobody knows.
    fn resident(&self) -> Option<u64>;
}

/// Runs one round to the end of all its clients. Must be called within a `LocalSet`.
pub async fn one(target: &Rc<Target>, ledger: &Ledger, number: u64, plan: Round) -> Rc<Running> {
    let running = ledger.begin(number, plan);
    let mut under_way = Vec::new();
    for at in 0..running.plan.clients.len() {
        if running.plan.clients[at].waits {
            for task in under_way.drain(..) {
                wait(task, &running).await;
            }
        }
        let (target, running) = (target.clone(), running.clone());
        under_way.push(tokio::task::spawn_local(async move { client::run(&target, &running, at).await }));
    }
    for task in under_way {
        wait(task, &running).await;
    }
    ledger.end(number);
    running
}

async fn wait(task: tokio::task::JoinHandle<()>, running: &Running) {
    if let Err(error) = task.await {
        // The fuzzer's own mistake, which must not pass for success.
        running.fault(Fault::new(Kind::Crash, None, format!("the fuzzer's client failed: {error}")));
    }
}

/// Runs the rounds of `plan`, one number after another, within `bounds`. `replay`: the command that runs one again.
pub async fn many(
    target: &Rc<Target>,
    ledger: &Rc<Ledger>,
    vitals: &dyn Vitals,
    plan: impl Fn(u64) -> Round + Clone + 'static,
    replay: impl Fn(u64) -> String + Clone + 'static,
    bounds: &Bounds,
) -> Done {
    let done = Rc::new(RefCell::new(Done::default()));
    let (next, stop) = (Rc::new(Cell::new(bounds.first)), Rc::new(Cell::new(false)));
    let workers: Vec<_> = (0..bounds.at_once)
        .map(|_| {
            let (target, ledger, done) = (target.clone(), ledger.clone(), done.clone());
            let (next, stop, plan, replay, bounds) =
                (next.clone(), stop.clone(), plan.clone(), replay.clone(), bounds.clone());
            tokio::task::spawn_local(async move {
                while !stop.get() {
                    let number = next.replace(next.get() + 1);
                    let running = one(&target, &ledger, number, plan(number)).await;
                    let mut done = done.borrow_mut();
                    collect(&mut done, &ledger, &running, &replay(number));
                    let enough = bounds.exchanges.is_some_and(|most| done.exchanges >= most)
                        || bounds.until.is_some_and(|until| Instant::now() >= until)
                        || done.faults >= bounds.faults;
                    if enough {
                        stop.set(true);
                    }
                }
            })
        })
        .collect();
    let mut told = Instant::now();
    let begun = Instant::now();
    for worker in workers {
        while !worker.is_finished() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Some(why) = vitals.crashed() {
                done.borrow_mut().found.add(Kind::Crash, || why);
                stop.set(true);
                // Its clients would only wait.
                worker.abort();
            }
            if told.elapsed() >= Duration::from_secs(10) {
                told = Instant::now();
                let done = done.borrow();
                eprintln!(
                    "{} exchanges in {} rounds, {:.0} a second, {} faults",
                    done.exchanges,
                    done.rounds,
                    done.exchanges as f64 / begun.elapsed().as_secs_f64(),
                    done.faults
                );
            }
        }
    }
    done.take()
}

/// Takes over what a round has found.
pub fn collect(done: &mut Done, ledger: &Ledger, running: &Running, replay: &str) {
    done.rounds += 1;
    done.exchanges += running.exchanges.get();
    let faults = running.faults.take();
    done.faults += faults.len() as u64;
    for fault in faults {
        let is_new = done.found.add(fault.kind, || report(running, &fault, replay));
        if is_new {
            eprintln!("{}", done.found.kinds[&fault.kind].1.last().map_or("", String::as_str));
        }
    }
    for (fault, transcript) in ledger.stray.take() {
        done.faults += 1;
        let told = format!("== {:?}: {}\n{transcript}   seen near: {replay}\n", fault.kind, fault.says);
        if done.found.add(fault.kind, || told.clone()) {
            eprintln!("{told}");
        }
    }
    if done.faults == 0 {
        // Referred to by nothing but the connections from here on.
        running.transcripts.borrow_mut().clear();
    }
}

fn report(running: &Running, fault: &Fault, replay: &str) -> String {
    let mut out = String::new();
    let at = fault.at.map_or_else(|| "-".to_owned(), |mark| mark.to_string());
    let _ = writeln!(out, "== {:?} (invariant {}): {}", fault.kind, fault.kind.invariant(), fault.says);
    let _ = writeln!(out, "   round {}, exchange {at}", running.number);
    let _ = writeln!(out, "   again: {replay}");
    for (at, resource) in running.plan.resources.iter().enumerate() {
        let _ =
            writeln!(out, "   resource {at} on route {}: {:?}", resource.route.segment(), resource.replies);
    }
    for (whose, log) in running.transcripts.borrow().iter() {
        let _ = writeln!(out, "   {whose}:");
        out.push_str(&log.borrow().shown("    "));
    }
    // A transcript of large bodies is no use to anyone.
    if out.len() > 24_000 {
        let mut end = 24_000;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push_str("\n   … cut off here\n");
    }
    out
}
