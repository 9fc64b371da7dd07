use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::announce;
use crate::run;

/// What Workers run.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// What Spin runs.
pub(crate) const WASI: &str = "wasm32-wasip2";

/// Whether this toolchain has the standard library of a target.
pub(crate) fn installed(root: &Path, target: &str) -> bool {
    // Asked inside the checkout: rust-toolchain.toml decides which toolchain is meant.
    run::ask_in(root, "rustc", &["--print", "sysroot"])
        .is_some_and(|sysroot| PathBuf::from(sysroot).join("lib/rustlib").join(target).join("lib").is_dir())
}

/// Adds a target to the toolchain that rust-toolchain.toml names, by rustup.
pub(crate) fn ensure(root: &Path, target: &str) -> Result<()> {
    if installed(root, target) {
        return Ok(());
    }
    if run::ask("rustup", &["--version"]).is_none() {
        bail!(
            "the Rust target {target} is missing and rustup is not here to add it: install rustup from \
             https://rustup.rs, or the target by the means your Rust came with"
        );
    }
    announce(&format!("Adding the Rust target {target}"), Some("half a minute"));
    run::quietly(Command::new("rustup").args(["target", "add", target]).current_dir(root))
        .map(drop)
        .with_context(|| format!("rustup could not add the target {target}"))
}
