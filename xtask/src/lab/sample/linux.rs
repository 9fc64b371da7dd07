//! The process table of Linux: `/proc` (proc(5)).

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Row;

/// Ticks of a second in `/proc/PID/stat`: USER_HZ, which is 100 on every architecture that Linux still runs on.
const TICKS: u32 = 100;

pub(super) fn table() -> Result<Vec<Row>> {
    let page = rustix::param::page_size() as u64;
    let mut rows = Vec::new();
    for entry in fs::read_dir("/proc").context("/proc cannot be read")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        rows.extend(row(pid, &stat, page));
    }
    Ok(rows)
}

fn row(pid: u32, stat: &str, page: u64) -> Option<Row> {
    // The program's name stands in parentheses and may hold anything; the fields after it are numbers, from the third on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = u32::try_from(field(14)? + field(15)?).ok()?;
    Some(Row {
        pid,
        parent: u32::try_from(field(4)?).ok()?,
        group: u32::try_from(field(5)?).ok()?,
        cpu: Duration::from_secs(1) * ticks / TICKS,
        resident: field(24)? * page,
        threads: u32::try_from(field(20)?).ok(),
    })
}

pub(super) fn sockets(pid: u32) -> Option<u32> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let sockets = open.flatten().filter(|entry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
    });
    u32::try_from(sockets.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses() {
        let stat = "7 (a) b (c) S 1 5 5 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 0 0 25 0";
        let row = row(7, stat, 4096).expect("a row");
        assert_eq!((row.parent, row.group, row.threads), (1, 5, Some(3)));
        assert_eq!((row.cpu, row.resident), (Duration::from_secs(2), 25 * 4096));
    }
}
