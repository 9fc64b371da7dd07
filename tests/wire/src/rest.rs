//! After all clients have gone: permits, descriptors and memory are back at their resting level.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Target;
use crate::fault::Kind;
use crate::ledger::Ledger;
use crate::message::{Ended, Framing, read_content, read_head};
use crate::run::{Found, Vitals};
use crate::wire::{Log, Wire};

/// How long it may take to come to rest: longer than any deadline of the edge.
pub const SETTLE: Duration = Duration::from_secs(45);
/// How long all requests of a burst together may take, on a busy machine.
const BURST: Duration = Duration::from_secs(60);

/// What is there when nothing is asked.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// Descriptors beside the connections to the origin.
    descriptors: Option<usize>,
    resident: Option<u64>,
}

/// What the level may rise by.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Requests at once that have to be answered: the permits there are.
    pub burst: usize,
    pub descriptors: usize,
    /// How often a request is sent at most: on a runtime that repeats nothing, one may meet a kept connection that its origin has just
    /// closed, and is answered 502.
    pub tries: usize,
    /// Bytes above the level, and bytes above zero.
    pub resident: u64,
    pub resident_in_all: Option<u64>,
}

/// Asks for something, so that all is there that is needed, and measures.
pub async fn level(target: &Rc<Target>, ledger: &Ledger, vitals: &dyn Vitals) -> Level {
    burst(target, 32, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    measured(ledger, vitals)
}

fn measured(ledger: &Ledger, vitals: &dyn Vitals) -> Level {
    let descriptors = vitals.descriptors().map(|open| open.saturating_sub(ledger.connections.get()));
    Level { descriptors, resident: vitals.resident() }
}

/// Waits until it has come to rest, for `settle` at most, and says what has not.
pub async fn check(
    target: &Rc<Target>,
    ledger: &Ledger,
    vitals: &dyn Vitals,
    before: Level,
    allowed: Allowance,
    settle: Duration,
    found: &mut Found,
) {
    if vitals.crashed().is_some() {
        return;
    }
    let mut say = |kind, says: String| {
        found.add(kind, || {
            eprintln!("== {kind:?}: {says}");
            says.clone()
        });
    };
    let deadline = Instant::now() + settle;
    let above = |now: Level| match (now.descriptors, before.descriptors) {
        (Some(now), Some(before)) => now.saturating_sub(before + allowed.descriptors),
        _ => 0,
    };
    while above(measured(ledger, vitals)) > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let now = measured(ledger, vitals);
    if above(now) > 0 {
        say(Kind::Descriptors, format!("{:?} descriptors, {:?} before", now.descriptors, before.descriptors));
    }
    let failed = burst(target, allowed.burst, allowed.tries).await;
    if !failed.is_empty() {
        let says = format!(
            "{} of {} plain requests at once fail afterwards, such as: {}",
            failed.len(),
            allowed.burst,
            failed[0]
        );
        let permits = failed.iter().any(|why| why.starts_with("HTTP/1.1 503"));
        say(if permits { Kind::Permits } else { Kind::OwnError }, says);
    }
    if let (Some(now), Some(before)) = (vitals.resident(), before.resident) {
        if now > before + allowed.resident {
            say(Kind::Memory, format!("{} MiB resident, {} MiB before", now >> 20, before >> 20));
        }
        if allowed.resident_in_all.is_some_and(|most| now > most) {
            say(Kind::Memory, format!("{} MiB resident", now >> 20));
        }
    }
}

/// So many plain requests at once; what became of those that were not answered by the origin.
async fn burst(target: &Rc<Target>, count: usize, tries: usize) -> Vec<String> {
    let tasks: Vec<_> = (0..count)
        .map(|at| {
            let target = target.clone();
            tokio::task::spawn_local(async move {
                timeout(BURST, tried(&target, at, tries))
                    .await
                    .unwrap_or(Err("no response in time".to_owned()))
            })
        })
        .collect();
    let mut failed = Vec::new();
    for task in tasks {
        match task.await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => failed.push(why),
            Err(error) => failed.push(error.to_string()),
        }
    }
    failed
}

async fn tried(target: &Target, at: usize, tries: usize) -> Result<(), String> {
    let mut answered = plain(target, at).await;
    for _ in 1..tries {
        if !answered
            .as_ref()
            .is_err_and(|why| why.starts_with("HTTP/1.1 502") && why.contains("origin-broke-off"))
        {
            break;
        }
        answered = plain(target, at).await;
    }
    answered
}

async fn plain(target: &Target, at: usize) -> Result<(), String> {
    let stream = TcpStream::connect(target.address).await.map_err(|error| error.to_string())?;
    let wire = Wire::new(stream, Log::default());
    let request =
        format!("GET /rest/{at} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target.authority);
    wire.write(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let head = read_head(&wire).await.map_err(|none| format!("{none:?}"))?;
    let framing = head.framing(Framing::Close)?;
    let (content, ended) = read_content(&wire, framing, 1 << 20).await;
    let text = String::from_utf8_lossy(&content).into_owned();
    if head.line.starts_with("HTTP/1.1 200 ") && text == "plain" && ended == Ended::Whole {
        return Ok(());
    }
    Err(format!("{} {text}", head.line))
}
