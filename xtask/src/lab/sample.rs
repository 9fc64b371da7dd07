//! What processes use: CPU, memory, threads and sockets, once a second.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod ps;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use linux::table;
#[cfg(not(target_os = "linux"))]
use ps::table;

/// How often the process table is read.
const EVERY: Duration = Duration::from_secs(1);

/// One line of the process table.
#[derive(Clone, Copy, Debug)]
struct Row {
    pid: u32,
    parent: u32,
    group: u32,
    cpu: Duration,
    resident: u64,
    threads: Option<u32>,
}

/// What a process uses at one moment, its children and the rest of its process group included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU time since the start, user and system together, of what runs at this moment.
    pub(crate) cpu: Duration,
    /// Resident memory, in bytes. Pages that processes share count once for each.
    pub(crate) resident: u64,
    /// `None` where the system does not say.
    pub(crate) threads: Option<u32>,
    /// Open sockets of all kinds; `None` where the system does not say.
    pub(crate) sockets: Option<u32>,
}

/// One second of one process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Seconds since the sampler's start.
    pub(crate) at: f64,
    /// CPU seconds used a second since the sample before: 1 is one core.
    pub(crate) cores: f64,
    pub(crate) usage: Usage,
}

/// All samples, by the name that each process was watched under.
pub(crate) type Samples = BTreeMap<String, Vec<Sample>>;

/// Reads what processes use once a second, on a thread of its own, until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    began: Instant,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    watched: Vec<(String, u32)>,
    samples: Samples,
    stopped: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sampler {
    /// Starts it, with nothing watched yet.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let began = Instant::now();
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || run(&shared, began)
        });
        Self { began, shared, thread: Some(thread) }
    }

    /// The moment that samples count from.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Watches the process started as `leader`, with its group and children. A name that is watched already goes on with
    /// the new process.
    pub(crate) fn watch(&self, name: &str, leader: u32) {
        let mut state = self.shared.state();
        state.watched.retain(|(watched, _)| watched != name);
        state.watched.push((name.to_owned(), leader));
    }

    /// Watches it no more; what was sampled stays.
    pub(crate) fn forget(&self, name: &str) {
        self.shared.state().watched.retain(|(watched, _)| watched != name);
    }

    /// Stops it and hands over what was sampled.
    pub(crate) fn stop(mut self) -> Samples {
        self.end();
        std::mem::take(&mut self.shared.state().samples)
    }

    fn end(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(shared: &Shared, began: Instant) {
    let mut before: BTreeMap<u32, (f64, Duration)> = BTreeMap::new();
    let mut due = began;
    loop {
        let watched = shared.state().watched.clone();
        // A table that cannot be read leaves a gap in the picture; the run goes on.
        if let Ok(rows) = table() {
            let at = began.elapsed().as_secs_f64();
            for (name, leader) in watched {
                let usage = of(leader, &rows);
                if usage.resident == 0 && usage.cpu.is_zero() {
                    continue;
                }
                if let Some((then, cpu)) = before.insert(leader, (at, usage.cpu)) {
                    let cores = usage.cpu.saturating_sub(cpu).as_secs_f64() / (at - then).max(1e-3);
                    shared.state().samples.entry(name).or_default().push(Sample { at, cores, usage });
                }
            }
        }
        due += EVERY;
        let mut state = shared.state();
        while !state.stopped {
            let Some(left) = due.checked_duration_since(Instant::now()) else { break };
            state = shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.stopped {
            return;
        }
    }
}

/// The sum over a process, the rest of its group and everything that descends from it.
fn of(leader: u32, rows: &[Row]) -> Usage {
    let mut members: Vec<u32> =
        rows.iter().filter(|row| row.pid == leader || row.group == leader).map(|row| row.pid).collect();
    let mut at = 0;
    while let Some(&parent) = members.get(at) {
        let children: Vec<u32> = rows
            .iter()
            .filter(|row| row.parent == parent && !members.contains(&row.pid))
            .map(|row| row.pid)
            .collect();
        members.extend(children);
        at += 1;
    }
    let mut sum = Usage::default();
    for row in rows.iter().filter(|row| members.contains(&row.pid)) {
        sum.cpu += row.cpu;
        sum.resident += row.resident;
        sum.threads = added(sum.threads, row.threads);
    }
    #[cfg(target_os = "linux")]
    for &pid in &members {
        sum.sockets = added(sum.sockets, linux::sockets(pid));
    }
    sum
}

fn added(sum: Option<u32>, more: Option<u32>) -> Option<u32> {
    more.map_or(sum, |more| Some(sum.unwrap_or(0) + more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: u32, parent: u32, group: u32) -> Row {
        Row { pid, parent, group, cpu: Duration::from_secs(1), resident: 10, threads: Some(2) }
    }

    #[test]
    fn a_process_counts_with_its_group_and_descendants() {
        let rows = [row(10, 1, 10), row(11, 10, 10), row(12, 1, 10), row(13, 11, 13), row(99, 1, 99)];
        let usage = of(10, &rows);
        assert_eq!(usage.cpu, Duration::from_secs(4));
        assert_eq!((usage.resident, usage.threads), (40, Some(8)));
        assert_eq!(of(50, &rows).resident, 0);
    }

    #[test]
    fn this_process_uses_something() {
        let own = of(std::process::id(), &table().expect("the process table"));
        assert!(own.resident > 0);
        assert!(!cfg!(target_os = "linux") || own.threads.is_some_and(|threads| threads > 0));
    }

    #[test]
    fn what_is_watched_is_sampled_until_it_is_forgotten() {
        let sampler = Sampler::start();
        sampler.watch("me", std::process::id());
        let deadline = Instant::now() + Duration::from_secs(60);
        while sampler.shared.state().samples.is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        sampler.forget("me");
        let samples = sampler.stop();
        assert!(samples["me"].iter().all(|sample| sample.at > 0.0 && sample.cores >= 0.0));
    }
}
