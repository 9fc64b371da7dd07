//! The Spin component: the wasm and, beside it, the compiled configuration as a file of its own.

mod command;
mod manifest;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use levee_config::Overrides;

pub(crate) use command::{SpinCommand, find as find_command};
pub(crate) use manifest::check;

use crate::tools::{self, WASI};
use crate::{config, files, project, stop};

/// Where spin.toml finds the component and its files.
pub(crate) const OUT: &str = "build/spin";
/// What `spin up` and the component host are told so that instances live long, as an edge cache wants them.
pub(crate) const LONG_LIVED: [&str; 6] = [
    "--max-instance-reuse-count",
    "1000000",
    "--max-instance-concurrent-reuse-count",
    "1000",
    "--idle-instance-timeout",
    "600s",
];
/// How many fibers Spin has stacks for, and so do the component host and a SpinKube pod that are told so. Spin's own number is
/// 1,000, and each instance needs at least one: where a crowd meets more, instances trap, with all that is in them.
pub(crate) const STACKS: (&str, &str) = ("SPIN_WASMTIME_TOTAL_STACKS", "4000");
/// The program that is deployed.
const PACKAGE: &str = "levee-spin-app";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration to ship with the component; levee.toml at the root by default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder to write; build/spin by default, which is what spin.toml names.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The manifest that the configuration is checked against; spin.toml beside it by default, if there is one.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// `cargo xtask build spin`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let config = project::given_or(args.config.as_deref(), &root, "levee.toml")?;
    let out = project::given_or(args.out.as_deref(), &root, OUT)?;
    // First what fails fast. No overrides: a component for deployment says what levee.toml says.
    let compiled = config::compile(&config, &Overrides::default())?;
    let beside = config.with_file_name("spin.toml");
    match &args.manifest {
        Some(file) => check(&project::given(file)?, &config, &compiled.config.origins)?,
        None if beside.is_file() => check(&beside, &config, &compiled.config.origins)?,
        None => {}
    }
    let wasm = build(&root)?;
    assemble(&wasm, &compiled.to_bytes(), &out)?;
    println!("{}", project::shown(&root, &out));
    for path in files::below(&out)? {
        let content = fs::read(out.join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
        println!("  {:<24} {:>9} bytes", path.display().to_string(), content.len());
    }
    Ok(())
}

/// Compiles the component; cargo knows whether there is anything to do.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    compile(root, PACKAGE)
}

/// Compiles one package to a component.
pub(crate) fn compile(root: &Path, package: &str) -> Result<PathBuf> {
    tools::rust_target(root, WASI)?;
    let args = ["--profile", "component", "--target", WASI];
    let built = levee_harness::cargo_build(root, &[package], &args, stop::requested)?;
    Ok(built.into_iter().next().context("cargo named no component")?.artifact)
}

/// Puts the component and its files where a manifest names them.
pub(crate) fn assemble(wasm: &Path, config: &[u8], out: &Path) -> Result<()> {
    let component = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    files::write_if_changed(&out.join("levee.wasm"), &component)?;
    files::write_if_changed(&out.join("files/levee.bin"), config)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_and_the_spinkube_manifest_say_what_up_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |file: &str| fs::read_to_string(root.join(file)).expect(file);
        let (name, stacks) = STACKS;
        let guide = read("docs/spin.md");
        assert!(guide.contains(&format!("{name}={stacks} spin up")), "docs/spin.md");
        for option in LONG_LIVED {
            assert!(guide.contains(option), "docs/spin.md: {option}");
        }
        let patch = read("infra/spinkube/limits.yaml");
        assert!(patch.contains(&format!("- name: {name}\n              value: \"{stacks}\"")), "{patch}");
    }
}
