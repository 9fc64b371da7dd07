//! `cargo xtask apps`: real applications with their own clients, directly, through the edge, and beside nginx.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use levee_config::Overrides;
use levee_harness::{Browser, find_browser, find_program};
use serde::Deserialize;

use crate::tools::{self, Node, Packages};
use crate::{config, project, run, spin, stop, worker};

/// The applications, one a folder.
const APPLICATIONS: &str = "tests/apps/applications";
/// Where the report goes.
const OUT: &str = "build/apps";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The applications; all by default.
    applications: Vec<String>,
    /// What the edge runs on (repeat it, or separate by commas); all by default.
    #[arg(long = "runtime", value_name = "RUNTIME", value_delimiter = ',')]
    runtimes: Vec<Runtime>,
    /// Only flows whose name contains this.
    #[arg(long, value_name = "TEXT")]
    flow: Option<String>,
    /// Leave out the flows that take over ten seconds.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runtime {
    /// The native server.
    Native,
    /// The Worker on bare workerd.
    Worker,
    /// The Spin component in the component host.
    Spin,
}

/// What is read here of `application.toml`; `levee-apps` reads it whole.
#[derive(Debug, Deserialize)]
struct Manifest {
    packages: String,
    ci: bool,
    #[serde(default)]
    needs: Vec<String>,
}

/// `cargo xtask apps`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let runtimes = if args.runtimes.is_empty() { Runtime::value_variants() } else { &args.runtimes };
    let all = applications(&root)?;
    let unknown = args.applications.iter().find(|name| !all.iter().any(|(there, _)| there == *name));
    if let Some(unknown) = unknown {
        let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
        bail!("there is no application {unknown}; there are {}", names.join(", "));
    }
    let wanted = |name: &String| args.applications.is_empty() || args.applications.contains(name);
    let chosen: Vec<_> = all.into_iter().filter(|(name, _)| wanted(name)).collect();
    let (mut command, missing) = prepare(&root, &chosen, runtimes)?;
    if let Some(flow) = &args.flow {
        command.arg("--flow").arg(flow);
    }
    if !args.quick {
        command.arg("--slow");
    }
    run::shown(&mut command)?;
    if !missing.is_empty() {
        bail!("not run:\n{}", missing.join("\n"));
    }
    Ok(())
}

/// What CI runs: natively, the applications that are installed in seconds. Returns their names, and why others were left out.
pub(crate) fn hold(root: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for (name, manifest) in applications(root)? {
        if !manifest.ci {
            continue;
        }
        match manifest.needs.iter().find(|program| find_program(program, "").is_err()) {
            Some(program) => missing.push(format!("{name}: there is no {program}")),
            None => chosen.push((name, manifest)),
        }
    }
    let (mut command, lacking) = prepare(root, &chosen, &[Runtime::Native])?;
    if !lacking.is_empty() {
        bail!("{}", lacking.join("\n"));
    }
    run::shown(&mut command)?;
    Ok((chosen.into_iter().map(|(name, _)| name).collect(), missing))
}

fn applications(root: &Path) -> Result<Vec<(String, Manifest)>> {
    let folder = root.join(APPLICATIONS);
    let mut all = Vec::new();
    for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let path = entry.path().join("application.toml");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let manifest = toml::from_str(&text).with_context(|| path.display().to_string())?;
        all.push((entry.file_name().to_string_lossy().into_owned(), manifest));
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(all)
}

/// Installs and builds what these applications need on these runtimes: the command that tests them, and why some could not be
/// installed.
fn prepare(
    root: &Path,
    applications: &[(String, Manifest)],
    runtimes: &[Runtime],
) -> Result<(Command, Vec<String>)> {
    let node = Node::ensure()?;
    tools::npm_packages(root, &node, Packages::Test)?;
    let mut command = Command::new(built(root, "levee-apps")?);
    command.current_dir(root).arg("--root").arg(root).arg("--out").arg(root.join(OUT));
    command.arg("--node").arg(&node.program).arg("--node-modules").arg(tools::node_modules(root));
    if let Browser::Executable(path) = find_browser(&tools::node_modules(root))? {
        command.env("LEVEE_CHROMIUM", path);
    }
    let mut missing = Vec::new();
    for (name, manifest) in applications {
        let folder = root.join(APPLICATIONS).join(name);
        match tools::application_packages(&folder, name, &manifest.packages, &node) {
            Ok(packages) => {
                let packages = packages.unwrap_or_default();
                command.arg("--application").arg(format!("{name}={}", packages.display()));
            }
            Err(_) if stop::requested() => bail!("stopped"),
            Err(error) => missing.push(format!("the application {name} cannot be installed: {error:#}")),
        }
    }
    for runtime in runtimes {
        command.args(runtime_arguments(root, *runtime, &node)?);
    }
    Ok((command, missing))
}

/// Builds what this runtime needs, and says where it is.
fn runtime_arguments(root: &Path, runtime: Runtime, node: &Node) -> Result<Vec<OsString>> {
    let given = |name: &str, path: PathBuf| [OsString::from(name), path.into()];
    Ok(match runtime {
        Runtime::Native => {
            [given("--runtime", "native".into()), given("--native", built(root, "levee-native")?)].concat()
        }
        Runtime::Worker => {
            let wasm = worker::build(root, node)?;
            let compiled = config::compile(&root.join("levee.toml"), &Overrides::default())?;
            // Its configuration is replaced when it is started.
            let bundle = root.join(OUT).join("worker");
            worker::assemble(root, &wasm, &compiled.to_bytes(), &bundle)?;
            [given("--runtime", "worker".into()), given("--bundle", bundle)].concat()
        }
        Runtime::Spin => {
            let component = given("--component", spin::build(root)?);
            let host = given("--component-host", tools::component_host(root)?);
            [given("--runtime", "spin".into()), component, host].concat()
        }
    })
}

fn built(root: &Path, package: &str) -> Result<PathBuf> {
    let built = levee_harness::cargo_build(root, &[package], &[], stop::requested)?;
    let built = built.into_iter().next().with_context(|| format!("cargo named no {package}"))?;
    Ok(built.artifact)
}
