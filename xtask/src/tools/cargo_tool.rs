use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{announce, cache};
use crate::{files, run};

/// What cargo-deny we use; a new one may know new rules, so it changes by hand.
const CARGO_DENY: &str = "0.20.2";

/// The version of wasm-bindgen in Cargo.lock, which its command-line tool must have to the letter.
pub(crate) fn wasm_bindgen_version(root: &Path) -> Result<String> {
    let path = root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lock: toml::Table = lock.parse().with_context(|| format!("{} is damaged", path.display()))?;
    let packages = lock.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    packages
        .iter()
        .find(|package| package.get("name").and_then(toml::Value::as_str) == Some("wasm-bindgen"))
        .and_then(|package| package.get("version")?.as_str().map(str::to_owned))
        .context("Cargo.lock has no wasm-bindgen: the Worker depends on it")
}

/// The `wasm-bindgen` of this version, installed if it is not there.
pub(crate) fn wasm_bindgen(root: &Path, version: &str) -> Result<PathBuf> {
    // Without --locked: the lock file that the tool is published with names a package that was withdrawn.
    ensure(root, "wasm-bindgen-cli", version, "wasm-bindgen", &[], "two to nine minutes, once")
}

/// `cargo-deny`, installed if it is not there.
pub(crate) fn cargo_deny(root: &Path) -> Result<PathBuf> {
    ensure(root, "cargo-deny", CARGO_DENY, "cargo-deny", &["--locked"], "two to six minutes, once")
}

fn ensure(
    root: &Path,
    package: &str,
    version: &str,
    binary: &str,
    args: &[&str],
    may_take: &str,
) -> Result<PathBuf> {
    let cache = cache::folder()?;
    let tools = cache.join("tools");
    let name = format!("{binary}-{version}");
    let home = tools.join(&name);
    let program = home.join("bin").join(binary);
    if program.is_file() {
        return Ok(program);
    }
    let _lock = files::lock(&tools.join(format!("{name}.lock")), &format!("{package} is being installed"))?;
    if program.is_file() {
        return Ok(program);
    }
    announce(&format!("Installing {package} {version} into {}", home.display()), Some(may_take));
    // Installed aside and moved in one step; what an interrupted run left is used again (build) or thrown away (partial).
    let partial = tools.join(format!("{name}.partial"));
    let build = cache.join("build").join(&name);
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&build).with_context(|| format!("cannot create {}", build.display()))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["install", package, "--version", &format!("={version}")])
        .args(args)
        .arg("--root")
        .arg(&partial)
        // Here the toolchain is the one of rust-toolchain.toml; elsewhere there may be none, or an old one.
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &build)
        // Its speed does not matter, the wait for it does: half the time of a usual release build.
        .envs([
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ("CARGO_PROFILE_RELEASE_LTO", "false"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
        ])
        .env_remove("CARGO_BUILD_TARGET");
    run::quietly(&mut command).with_context(|| {
        format!("{package} {version} could not be installed; it needs the network and a C compiler (`cc`)")
    })?;
    let _ = fs::remove_dir_all(&home);
    fs::rename(&partial, &home).with_context(|| format!("cannot move the tool to {}", home.display()))?;
    let _ = fs::remove_dir_all(&build);
    Ok(program)
}
