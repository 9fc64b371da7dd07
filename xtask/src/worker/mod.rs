//! The Worker's bundle: our entry module, the wasm with its glue, and the compiled configuration.

mod bundle;
mod wasm;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use levee_config::Overrides;

pub(crate) use bundle::assemble;

use crate::tools::{self, Node, Packages};
use crate::{config, files, project};

/// Where `wrangler deploy` finds the bundle.
pub(crate) const OUT: &str = "build/worker";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The configuration to put beside the wasm; levee.toml at the root by default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder to write; build/worker by default, which is what wrangler.toml deploys.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// `cargo xtask build worker`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let file = project::given_or(args.config.as_deref(), &root, "levee.toml")?;
    let out = project::given_or(args.out.as_deref(), &root, OUT)?;
    // First what fails fast. No overrides: a bundle for deployment says what levee.toml says.
    let compiled = config::compile(&file, &Overrides::default())?;
    let node = Node::ensure()?;
    tools::npm_packages(&root, &node, Packages::Run)?;
    let wasm = build(&root, &node)?;
    assemble(&root, &wasm, &compiled.to_bytes(), &out)?;
    report(&root, &out)
}

/// Compiles the Worker to wasm with its glue, unless it is there already; returns the folder of both.
pub(crate) fn build(root: &Path, node: &Node) -> Result<PathBuf> {
    tools::rust_target(root, tools::WASM)?;
    let version = tools::wasm_bindgen_version(root)?;
    let wasm_bindgen = tools::wasm_bindgen(root, &version)?;
    let compiled = wasm::compile(root)?;
    wasm::bind(root, &compiled, &wasm_bindgen, &version, node)
}

/// Held by whoever makes or reads the glue and the wasm in `build/wasm`.
fn lock(root: &Path) -> Result<fs::File> {
    files::lock(&root.join("build/wasm.lock"), "the Worker is being built")
}

/// Prints what the bundle weighs, which is what Cloudflare limits and what start-up costs.
fn report(root: &Path, out: &Path) -> Result<()> {
    println!("{}", project::shown(root, out));
    let mut total = 0;
    for path in files::below(out)? {
        let content = fs::read(out.join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
        let gzip = files::gzip_size(&content)?;
        total += gzip;
        println!("  {:<24} {:>9} bytes  {gzip:>8} gzip", path.display().to_string(), content.len());
    }
    println!("  {:<24} {:>15}  {total:>8} gzip ({:.1} KB)", "together", "", total as f64 / 1000.0);
    Ok(())
}
