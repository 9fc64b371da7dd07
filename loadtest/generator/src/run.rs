//! The loop: what is due is sent, what arrives is checked and timed.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Mode;
use crate::connection::Connection;
use crate::report::Report;

/// What is to be sent.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    /// Whole requests, as they go over the wire.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) mode: Mode,
    pub(crate) connections: usize,
    pub(crate) length: Duration,
    pub(crate) rate: f64,
    pub(crate) patience: Duration,
}

struct Run<'a> {
    plan: &'a Plan,
    connections: Vec<Connection>,
    /// Connections without a request.
    idle: Vec<usize>,
    /// The first body of each target: all that follow must be the same.
    bodies: Vec<Option<Vec<u8>>>,
    began: Instant,
    /// Requests sent so far; the next one's place.
    sent: u64,
    /// What was due before this moment had to wait for a connection.
    stalled_until: Instant,
    report: Report,
}

pub(crate) fn run(plan: &Plan) -> Result<Report> {
    let connections: Vec<Connection> =
        (0..plan.connections).map(|_| Connection::open(plan.address)).collect::<Result<_>>()?;
    let cpu = cpu();
    let mut run = Run {
        plan,
        idle: (0..connections.len()).rev().collect(),
        connections,
        bodies: vec![None; plan.requests.len()],
        began: Instant::now(),
        sent: 0,
        stalled_until: Instant::now(),
        report: Report::default(),
    };
    run.work()?;
    let mut report = run.report;
    report.elapsed = run.began.elapsed();
    report.cpu = self::cpu().saturating_sub(cpu);
    Ok(report)
}

impl Run<'_> {
    fn work(&mut self) -> Result<()> {
        loop {
            self.send()?;
            if self.idle.len() == self.connections.len() && self.next_due().is_none() {
                return Ok(());
            }
            self.receive()?;
        }
    }

    /// When the next request is due; `None`: there is none.
    fn next_due(&self) -> Option<Instant> {
        let due = match self.plan.mode {
            Mode::Closed => self.began,
            Mode::Rate => self.began + Duration::from_secs_f64(self.sent as f64 / self.plan.rate),
            Mode::Once => return (self.sent < self.plan.requests.len() as u64).then_some(self.began),
            Mode::Burst => return (self.sent < self.plan.connections as u64).then_some(self.began),
        };
        let ended = self.plan.mode == Mode::Closed && self.began.elapsed() >= self.plan.length;
        (!ended && due < self.began + self.plan.length).then_some(due)
    }

    fn send(&mut self) -> Result<()> {
        while let Some(due) = self.next_due() {
            let now = Instant::now();
            if due > now {
                break;
            }
            let Some(at) = self.idle.pop() else {
                self.stalled_until = now;
                break;
            };
            let target = match self.plan.mode {
                Mode::Burst => 0,
                _ => (self.sent % self.plan.requests.len() as u64) as usize,
            };
            // Only an open model has a time at which a request is due.
            let due = if self.plan.mode == Mode::Rate { due } else { now };
            if due < self.stalled_until {
                self.report.queued += 1;
            } else {
                self.report.delays.push(micros(now - due));
            }
            self.connections[at].ask(target, &self.plan.requests[target], due)?;
            self.sent += 1;
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<()> {
        let busy: Vec<usize> =
            (0..self.connections.len()).filter(|&at| self.connections[at].asked.is_some()).collect();
        let ready: Vec<usize> = {
            let mut watched: Vec<PollFd<'_>> = busy
                .iter()
                .map(|&at| PollFd::from_borrowed_fd(self.connections[at].stream().as_fd(), PollFlags::IN))
                .collect();
            let wait = if self.idle.is_empty() { None } else { self.next_due() }
                .map_or(Duration::from_millis(200), |due| due.saturating_duration_since(Instant::now()));
            let wait = Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos().into() };
            match poll(&mut watched, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("connections cannot be watched"),
            }
            let ready = watched.iter().zip(&busy).filter(|(fd, _)| !fd.revents().is_empty());
            ready.map(|(_, &at)| at).collect()
        };
        if ready.is_empty() {
            return self.check_patience(&busy);
        }
        for at in ready {
            let (plan, bodies, report) = (self.plan, &mut self.bodies, &mut self.report);
            let answered = self.connections[at].receive(
                |target| plan.requests[target].clone(),
                |asked, answer| {
                    let now = Instant::now();
                    check(plan, bodies, asked.target, answer)?;
                    *report.statuses.entry(answer.status).or_default() += 1;
                    report.body_bytes += answer.body.bytes().len() as u64;
                    report.latencies.push(micros(now - asked.due));
                    Ok(())
                },
            )?;
            if answered {
                self.idle.push(at);
            }
        }
        Ok(())
    }

    fn check_patience(&self, busy: &[usize]) -> Result<()> {
        let asked = busy.iter().filter_map(|&at| self.connections[at].asked);
        let waits = asked.map(|asked| asked.sent.elapsed()).max().unwrap_or_default();
        if waits > self.plan.patience {
            bail!("no answer within {:?}", self.plan.patience);
        }
        Ok(())
    }
}

/// What is measured must be right: a 200, and for one target the same bytes each time. In a burst several may be fetched at
/// once, which may differ, and the server may refuse; that is counted.
fn check(
    plan: &Plan,
    bodies: &mut [Option<Vec<u8>>],
    target: usize,
    answer: &crate::answer::Answer<'_>,
) -> Result<()> {
    if plan.mode == Mode::Burst {
        return Ok(());
    }
    let line = || {
        let line = plan.requests[target].split(|&byte| byte == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    };
    if answer.status != 200 {
        let body = String::from_utf8_lossy(answer.body.bytes());
        bail!("{} was answered {}: {}", line(), answer.status, body.chars().take(300).collect::<String>());
    }
    match &bodies[target] {
        Some(first) if first != answer.body.bytes() => bail!("{} was answered differently twice", line()),
        Some(_) => {}
        None => bodies[target] = Some(answer.body.bytes().to_vec()),
    }
    Ok(())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// CPU time of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
