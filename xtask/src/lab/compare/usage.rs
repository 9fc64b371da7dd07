//! CPU time and memory of a stack: of all processes that it was started as, and of all that these have started.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

/// What a stack has used at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Of all threads that live, to the nanosecond. A thread that ends takes its time along: those of the contenders stay
    /// while they are measured.
    pub(crate) cpu: Duration,
    /// Proportional set size, in bytes: a page that processes share counts once.
    pub(crate) memory: u64,
}

/// # Errors
/// Where the system is not Linux, or none of the processes runs.
pub(crate) fn of(leaders: &[u32]) -> Result<Usage> {
    let members = descendants(leaders);
    if members.is_empty() {
        bail!("no CPU time can be read: it is only read on Linux (/proc), of processes that run");
    }
    let mut sum = Usage::default();
    for pid in members {
        sum.cpu += cpu(pid);
        sum.memory += memory(pid);
    }
    Ok(sum)
}

/// The processes and their descendants: nginx, gunicorn and Varnish work in children.
fn descendants(leaders: &[u32]) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        if let Some((pid, parent)) = pid.and_then(|pid| Some((pid, parent(&entry.path())?))) {
            parents.push((pid, parent));
        }
    }
    let mut members: Vec<u32> =
        leaders.iter().copied().filter(|pid| parents.iter().any(|(there, _)| there == pid)).collect();
    let mut at = 0;
    while let Some(&member) = members.get(at) {
        members.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| pid));
        at += 1;
    }
    members
}

fn parent(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The program's name stands in parentheses and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn cpu(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|task| {
        let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn memory(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn children_count_with_their_parent() {
        let own = of(&[std::process::id()]).expect("this process runs");
        assert!(!own.cpu.is_zero() && own.memory > 0);
        let mut child = Command::new("sleep").arg("600").spawn().expect("a child");
        let members = descendants(&[std::process::id()]);
        assert!(members.contains(&child.id()), "{members:?}");
        child.kill().expect("killed");
        child.wait().expect("reaped");
        assert!(of(&[child.id()]).is_err());
    }
}
