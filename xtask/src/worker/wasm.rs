use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::tools::{self, Node};
use crate::{files, run, stop};

/// The program that is deployed.
const PACKAGE: &str = "levee-worker-app";
/// The wasm features that V8 has on Workers and Rust's output uses; all that Binaryen knows is more than V8 accepts.
const FEATURES: [&str; 6] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
];
/// The resetting is what lets the entry module bring an instance back after a panic.
const BINDGEN: [&str; 8] = [
    "--target",
    "web",
    "--no-typescript",
    "--omit-default-module-path",
    "--experimental-reset-state-function",
    "--out-name",
    "levee",
    "--out-dir",
];

/// Compiles the Worker; cargo knows whether there is anything to do.
pub(super) fn compile(root: &Path) -> Result<PathBuf> {
    let args = ["--profile", "wasm", "--target", tools::WASM];
    let built = levee_harness::cargo_build(root, &[PACKAGE], &args, stop::requested)?;
    let built = built.into_iter().next().context("cargo named no artifact")?;
    Ok(built.artifact)
}

/// Makes the glue and the optimised wasm in `build/wasm`, unless they were made from the same input by the same tools.
pub(super) fn bind(
    root: &Path,
    compiled: &Path,
    wasm_bindgen: &Path,
    version: &str,
    node: &Node,
) -> Result<PathBuf> {
    let input = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let binaryen = tools::node_modules(root).join("binaryen");
    let manifest = fs::read(binaryen.join("package.json"))
        .context("the npm package binaryen is missing; remove node_modules and try again")?;
    let flags = format!("{BINDGEN:?} {FEATURES:?}");
    let stamp = files::digest(&[&input, version.as_bytes(), &manifest, flags.as_bytes()]);
    let folder = root.join("build/wasm");
    let stamp_file = root.join("build/wasm.stamp");
    let _lock = super::lock(root)?;
    if folder.is_dir() && fs::read_to_string(&stamp_file).is_ok_and(|present| present == stamp) {
        return Ok(folder);
    }
    let _ = fs::remove_file(&stamp_file);
    let _ = fs::remove_dir_all(&folder);
    tools::announce("Making the Worker's glue and shrinking its wasm", Some("half a minute"));
    run::quietly(Command::new(wasm_bindgen).arg(compiled).args(BINDGEN).arg(&folder))?;
    let wasm = folder.join("levee_bg.wasm");
    let raw = folder.join("levee_bg.raw.wasm");
    fs::rename(&wasm, &raw).context("wasm-bindgen made no levee_bg.wasm")?;
    let mut optimise = node.command(&binaryen.join("bin/wasm-opt"));
    optimise.args(["-Oz"]).args(FEATURES).arg(&raw).arg("-o").arg(&wasm);
    run::quietly(&mut optimise)?;
    fs::remove_file(&raw)?;
    if !wasm.is_file() {
        bail!("wasm-opt wrote nothing");
    }
    files::write_if_changed(&stamp_file, stamp.as_bytes())?;
    Ok(folder)
}
