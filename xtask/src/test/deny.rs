use std::process::Command;

use anyhow::{Result, bail};

use super::{Cx, Done};
use crate::{run, tools};

/// Licences, banned crates and sources, which need no network.
pub(super) fn policy(cx: &Cx) -> Result<Done> {
    run::shown(&mut deny(cx, &["licenses", "bans", "sources"])?)?;
    Ok(Done::Passed(String::new()))
}

/// Known vulnerabilities. The database is a git repository that has to be fetched; where it cannot be, nothing is known
/// either way, and that is what is said.
pub(super) fn advisories(cx: &Cx) -> Result<Done> {
    let fetched = run::quietly(&mut subcommand(cx, &["fetch", "db"])?);
    if let Err(error) = fetched {
        let why = format!("{error:#}");
        let cause = |word: &str| why.lines().rev().find(|line| line.contains(word));
        let reason = cause("fatal:").or_else(|| cause("failed")).unwrap_or("its cause is not known").trim();
        if std::env::var_os("LEVEE_REQUIRE_ADVISORIES").is_some_and(|value| value == "1") {
            bail!("the advisory database could not be fetched: {reason}");
        }
        return Ok(Done::Skipped(format!("the advisory database could not be fetched ({reason})")));
    }
    run::shown(&mut deny(cx, &["--disable-fetch", "advisories"])?)?;
    Ok(Done::Passed(String::new()))
}

fn deny(cx: &Cx, checks: &[&str]) -> Result<Command> {
    let mut command = subcommand(cx, &["check"])?;
    command.args(checks);
    Ok(command)
}

fn subcommand(cx: &Cx, args: &[&str]) -> Result<Command> {
    let mut command = Command::new(tools::cargo_deny(&cx.root)?);
    command.args(["--all-features"]).args(args).current_dir(&cx.root);
    Ok(command)
}
