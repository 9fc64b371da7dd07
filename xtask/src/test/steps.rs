use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use levee_config::Overrides;
use levee_harness::{Browser, find_browser, find_redis};

use super::{Cx, Done, Step, container, deny, deploy, h2spec, lock_file, up};
use crate::tools::{self, Packages};
use crate::{config, run, spin, stop, worker};

/// The Worker: its tests need a workerd, its program is built for wasm32 only.
const WORKER: [&str; 2] = ["levee-worker", "levee-worker-app"];
/// The Spin component, likewise.
const SPIN: [&str; 2] = ["levee-spin", "levee-spin-app"];
/// Built for wasm32 only: what the component host is tried with.
const GUESTS: [&str; 3] = ["levee-guest-edge", "levee-guest-hello", "levee-guest-probe"];

/// In the order in which a mistake is cheapest to find.
pub(super) const ALL: &[Step] = &[
    Step { name: "fmt", checks: "the code is formatted", run: fmt },
    Step {
        name: "core",
        checks: "unit and property tests of levee-edge, without Node or network",
        run: core,
    },
    Step { name: "clippy", checks: "no warning on this machine's target", run: clippy },
    Step {
        name: "clippy-wasm",
        checks: "no warning in the Worker and in the Spin component",
        run: clippy_wasm,
    },
    Step { name: "unit", checks: "tests of all other crates", run: unit },
    Step {
        name: "config",
        checks: "the configurations compile, spin.toml agrees, the schema is up to date",
        run: configuration,
    },
    Step { name: "npm-lock", checks: "exact versions, and no registry's address", run: lock_file::check },
    Step { name: "worker", checks: "the Worker's bundle is built", run: build_worker },
    Step { name: "spin", checks: "the Spin component is built", run: build_spin },
    Step {
        name: "worker-test",
        checks: "tests of the Worker's library, on this machine and on workerd",
        run: worker_tests,
    },
    Step {
        name: "component-host",
        checks: "the host that runs Spin components without Spin, and its guests",
        run: component_host,
    },
    Step { name: "deploy", checks: "wrangler deploy --dry-run, and the bundle's size", run: deploy::dry_run },
    Step { name: "dockerfile", checks: "origin/Dockerfile by hadolint's rules", run: container::lint },
    Step {
        name: "container",
        checks: "the origin's image: its size, user, read-only files, start and end",
        run: container::check,
    },
    Step { name: "report", checks: "the report and the case study, from what is kept", run: report },
    Step { name: "deny", checks: "licences, bans and sources of all crates", run: deny::policy },
    Step { name: "advisories", checks: "no crate with a known vulnerability", run: deny::advisories },
    Step {
        name: "h2spec",
        checks: "the native server speaks HTTP/2 as RFC 9113 and RFC 7541 say",
        run: h2spec::run,
    },
    Step {
        name: "conformance",
        checks: "the public cache tests pass as they did, natively, on workerd and as a component",
        run: conformance,
    },
    Step {
        name: "wire",
        checks: "random clients and origins on raw sockets, natively, on workerd and as a component",
        run: wire,
    },
    Step {
        name: "compare",
        checks: "each stack that Levee is compared with starts, caches and stops; a stampede is one request",
        run: compare,
    },
    Step {
        name: "up",
        checks: "two runs of `up` at once, from one checkout before two origins, on each runtime",
        run: up::check,
    },
    Step {
        name: "e2e",
        checks: "the whole system, on workerd, natively and as a Spin component, and in a browser",
        run: e2e,
    },
    Step {
        name: "apps",
        checks: "real applications natively, with their own clients: as without the edge but for what is listed",
        run: apps,
    },
    Step {
        name: "lab",
        checks: "k6 and locust send the same, and get right answers on each runtime",
        run: lab,
    },
];

fn cargo(cx: &Cx, args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(&cx.root);
    command
}

fn passed() -> Result<Done> {
    Ok(Done::Passed(String::new()))
}

fn fmt(cx: &Cx) -> Result<Done> {
    run::shown(&mut cargo(cx, &["fmt", "--all", "--check"])).context("run `cargo fmt --all`")?;
    passed()
}

fn clippy(cx: &Cx) -> Result<Done> {
    let mut command = cargo(cx, &["clippy", "--workspace", "--all-targets"]);
    // The component host has a step of its own: here it would be compiled with other features, once more.
    let excluded = ["levee-worker-app", "levee-spin-app", tools::COMPONENT_HOST];
    for package in excluded.iter().chain(&GUESTS) {
        command.args(["--exclude", package]);
    }
    run::shown(command.args(["--", "-D", "warnings"]))?;
    passed()
}

fn clippy_wasm(cx: &Cx) -> Result<Done> {
    for (target, packages) in
        [(tools::WASM, &WORKER[..]), (tools::WASI, &SPIN[..]), (tools::WASI, &GUESTS[..])]
    {
        tools::rust_target(&cx.root, target)?;
        let mut command = cargo(cx, &["clippy", "--target", target]);
        for package in packages {
            command.args(["--package", package]);
        }
        run::shown(command.args(["--", "-D", "warnings"]))?;
    }
    passed()
}

fn core(cx: &Cx) -> Result<Done> {
    run::shown(&mut cargo(cx, &["test", "--package", "levee-edge"]))?;
    passed()
}

fn unit(cx: &Cx) -> Result<Done> {
    let mut command = cargo(cx, &["test", "--workspace", "--no-fail-fast"]);
    let excluded = ["levee-edge", "levee-e2e", "levee-spin-app", tools::COMPONENT_HOST];
    for package in excluded.iter().chain(&WORKER).chain(&GUESTS) {
        command.args(["--exclude", package]);
    }
    run::shown(&mut command)?;
    passed()
}

fn configuration(cx: &Cx) -> Result<Done> {
    let mut checked = 0;
    for entry in cx.root.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // levee.toml, and its siblings such as levee.transparent.toml.
        if name.starts_with("levee.") && name.ends_with(".toml") {
            let compiled = config::compile(&path, &Overrides::default())?;
            if name == "levee.toml" {
                spin::check(&cx.root.join("spin.toml"), &path, &compiled.config.origins)?;
            }
            checked += 1;
        }
    }
    if checked == 0 {
        bail!("there is no levee.toml");
    }
    config::schema(true)?;
    Ok(Done::Passed(format!("({checked} checked)")))
}

fn build_worker(cx: &Cx) -> Result<Done> {
    build_bundle(cx)?;
    passed()
}

fn build_spin(cx: &Cx) -> Result<Done> {
    let component = build_component(cx)?;
    let size = fs::metadata(component.join("levee.wasm"))?.len();
    Ok(Done::Passed(format!("({:.1} KB)", size as f64 / 1000.0)))
}

/// The component that is deployed, and its files.
fn build_component(cx: &Cx) -> Result<PathBuf> {
    let compiled = config::compile(&cx.root.join("levee.toml"), &Overrides::default())?;
    let wasm = spin::build(&cx.root)?;
    let out = cx.root.join(spin::OUT);
    spin::assemble(&wasm, &compiled.to_bytes(), &out)?;
    Ok(out)
}

fn worker_tests(cx: &Cx) -> Result<Done> {
    cx.node()?;
    tools::rust_target(&cx.root, tools::WASM)?;
    let wasm_bindgen = tools::wasm_bindgen(&cx.root, &tools::wasm_bindgen_version(&cx.root)?)?;
    let mut command = cargo(cx, &["test", "--package", "levee-worker"]);
    command.env("LEVEE_WASM_BINDGEN", wasm_bindgen).env("LEVEE_NODE_MODULES", tools::node_modules(&cx.root));
    run::shown(&mut command)?;
    passed()
}

fn component_host(cx: &Cx) -> Result<Done> {
    tools::rust_target(&cx.root, tools::WASI)?;
    // Its tests start the same program.
    tools::component_host(&cx.root)?;
    let mut command = cargo(cx, &["test", "--package", tools::COMPONENT_HOST]);
    run::shown(&mut command)?;
    let mut command = cargo(cx, &["clippy", "--all-targets", "--package", tools::COMPONENT_HOST]);
    run::shown(command.args(["--", "-D", "warnings"]))?;
    Ok(Done::Passed(match find_redis() {
        Ok(_) => String::new(),
        Err(missing) => format!("(not Redis: {missing})"),
    }))
}

/// The bundle that is deployed; a later step that needs it makes sure that it is there.
pub(super) fn build_bundle(cx: &Cx) -> Result<PathBuf> {
    let node = tools::Node::ensure()?;
    tools::npm_packages(&cx.root, &node, Packages::Test)?;
    let compiled = config::compile(&cx.root.join("levee.toml"), &Overrides::default())?;
    let wasm = worker::build(&cx.root, &node)?;
    let out = cx.root.join(worker::OUT);
    worker::assemble(&cx.root, &wasm, &compiled.to_bytes(), &out)?;
    Ok(out)
}

fn report(cx: &Cx) -> Result<Done> {
    let built = crate::report::build(&cx.root, true)?;
    let waiting = match built.left_out.len() {
        0 => String::new(),
        count => format!(", {count} wait for evidence"),
    };
    Ok(Done::Passed(format!("({} sections{waiting})", built.sections)))
}

fn conformance(cx: &Cx) -> Result<Done> {
    Ok(match crate::conformance::hold(&cx.root)? {
        Some(note) => Done::Passed(note),
        None => {
            Done::Skipped(String::from("LEVEE_CACHE_TESTS names no definitions of the public cache tests"))
        }
    })
}

fn wire(cx: &Cx) -> Result<Done> {
    crate::fuzz::hold(&cx.root)?;
    Ok(Done::Passed(String::from("(native, worker and spin)")))
}

fn compare(cx: &Cx) -> Result<Done> {
    if !cfg!(target_os = "linux") {
        return Ok(Done::Skipped(String::from("CPU time is read from /proc, which is Linux's")));
    }
    let skipped = crate::lab::compare::smoke(&cx.root)?;
    let note = skipped.iter().map(|sentence| format!("({sentence})")).collect::<Vec<_>>().join(" ");
    Ok(Done::Passed(note))
}

fn e2e(cx: &Cx) -> Result<Done> {
    let node = cx.node()?;
    let bundle = build_bundle(cx)?;
    let packages = ["levee-origin", "levee-native"];
    let built = levee_harness::cargo_build(&cx.root, &packages, &[], stop::requested)?;
    let component = build_component(cx)?.join("levee.wasm");
    let host = tools::component_host(&cx.root)?;
    let mut command = cargo(cx, &["test", "--package", "levee-e2e"]);
    command
        .env("LEVEE_COMPONENT", &component)
        .env("LEVEE_COMPONENT_HOST_BIN", &host)
        .env("LEVEE_BUNDLE", &bundle)
        .env("LEVEE_NODE_MODULES", tools::node_modules(&cx.root))
        .env("LEVEE_NODE", &node.program)
        .env("PATH", node.path());
    for (variable, package) in ["LEVEE_ORIGIN_BIN", "LEVEE_NATIVE_BIN"].into_iter().zip(packages) {
        let built = built.iter().find(|built| built.package == package);
        command.env(variable, &built.with_context(|| format!("cargo named no {package}"))?.artifact);
    }
    let browser = find_browser(&tools::node_modules(&cx.root))?;
    println!("browser: {}", described(&browser).display());
    if let Browser::Executable(path) = &browser {
        command.env("LEVEE_CHROMIUM", path);
    }
    run::shown(&mut command)?;
    passed()
}

fn apps(cx: &Cx) -> Result<Done> {
    let (names, missing) = crate::apps::hold(&cx.root)?;
    let missing = missing.iter().map(|why| format!("; skipped: {why}")).collect::<String>();
    Ok(Done::Passed(format!("({}{missing})", names.join(", "))))
}

fn lab(cx: &Cx) -> Result<Done> {
    let (done, skipped) = crate::lab::check(&cx.root)?;
    if done.is_empty() {
        return Ok(Done::Skipped(skipped.join("; ")));
    }
    let skipped = skipped.iter().map(|why| format!("; skipped: {why}")).collect::<String>();
    Ok(Done::Passed(format!("({}{skipped})", done.join(", "))))
}

fn described(browser: &Browser) -> &Path {
    match browser {
        Browser::Executable(path) | Browser::NpmPackage(path) => path,
    }
}
