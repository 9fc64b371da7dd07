//! The process table as `ps` gives it, on macOS: neither threads nor sockets.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::Row;
use crate::run;

pub(super) fn table() -> Result<Vec<Row>> {
    let said = run::ask("ps", &["-A", "-o", "pid=,ppid=,pgid=,rss=,time="]).context("ps cannot be run")?;
    Ok(said.lines().filter_map(row).collect())
}

fn row(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let mut number = || words.next()?.parse::<u32>().ok();
    let (pid, parent, group, kilobytes) = (number()?, number()?, number()?, number()?);
    let cpu = time(words.next()?)?;
    Some(Row { pid, parent, group, cpu, resident: u64::from(kilobytes) * 1024, threads: None })
}

/// `minutes:seconds`, with hours before or without, seconds with a fraction or without.
fn time(text: &str) -> Option<Duration> {
    text.split(':').try_fold(Duration::ZERO, |sum, part| {
        Some(sum * 60 + Duration::try_from_secs_f64(part.parse().ok()?).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_ps() {
        let row = row("  501     1   501  2048   1:02.50").expect("a row");
        assert_eq!((row.pid, row.parent, row.group, row.resident), (501, 1, 501, 2 * 1024 * 1024));
        assert_eq!(row.cpu, Duration::from_millis(62_500));
        assert_eq!(time("2:01:00"), Some(Duration::from_secs(7260)));
    }
}
