//! CPU time of another process: the figure that survives a noisy machine.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What all threads of a process have used so far. Threads that end take theirs along: workerd's do not end.
pub(crate) fn used(pid: u32) -> Result<Duration> {
    let tasks = format!("/proc/{pid}/task");
    let mut nanos = 0;
    for task in fs::read_dir(&tasks).with_context(|| {
        format!("{tasks} is not there: CPU time is only read on Linux, of a process that runs")
    })? {
        // A thread may have ended meanwhile.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanos += schedstat.split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}
