use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use levee_harness::{ComponentHost, Parts, Process, SpinApp, answers};

use super::{Runtime, Setup};
use crate::world::log_file;

/// The Spin component in the project's component host, with instances that live long, as an edge cache wants them.
pub(super) struct Spin;

impl Runtime for Spin {
    fn name(&self) -> &'static str {
        "spin"
    }

    fn far_tier(&self) -> &'static str {
        "kv"
    }

    /// Within an instance it does, but a crowd meets several: that it does across them is a behaviour of its own.
    fn collapses(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        false
    }

    /// Spin takes `Connection` away before the component sees it.
    fn sees_connection(&self) -> bool {
        false
    }

    fn calls_a_dead_origin(&self) -> &'static str {
        "origin-unreachable"
    }

    fn takes_any_method(&self) -> bool {
        true
    }

    /// WASI 0.3 has no upgrade of a connection.
    fn upgrades(&self) -> bool {
        false
    }

    fn refuses_ambiguous_framing(&self) -> bool {
        false
    }

    fn reads_heads_itself(&self) -> bool {
        false
    }

    fn takes_odd_heads(&self, _: &str) -> bool {
        false
    }

    fn sends_content_with_get(&self) -> bool {
        true
    }

    fn passes_any_byte(&self) -> bool {
        false
    }

    fn owns_connections(&self) -> bool {
        false
    }

    fn sees_kept_alive_close(&self) -> bool {
        false
    }

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        warm(host(parts, setup)?)
    }

    fn start_durable(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        warm(host(parts, setup)?.sqlite(setup.state.join("key-value.sqlite")))
    }

    fn shares_a_redis(&self) -> bool {
        true
    }

    /// With the reuse that Spin has by default, so that a crowd meets many instances.
    fn start_sharing(&self, parts: &Parts, setup: &Setup, redis: &str) -> Result<Process> {
        let host = app(parts, setup, &[redis])?.variable("levee_redis_url", redis);
        start(host)
    }
}

/// Whether the component has been compiled in this run. What one host has compiled the others find.
static COMPILED: Mutex<bool> = Mutex::new(false);

fn start(host: ComponentHost) -> Result<Process> {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*compiled {
        let process = host.with(|spec| spec.within(Duration::from_secs(300))).start()?;
        *compiled = true;
        return Ok(process);
    }
    drop(compiled);
    Ok(host.start()?)
}

/// One request makes the one instance that is then used by all. A crowd that comes while the first is being made gets several,
/// each with a memory of its own.
fn warm(host: ComponentHost) -> Result<Process> {
    let process = start(host)?;
    anyhow::ensure!(answers(&format!("{}/.levee/", process.url())), "the component does not answer");
    Ok(process)
}

fn host(parts: &Parts, setup: &Setup) -> Result<ComponentHost> {
    Ok(app(parts, setup, &[])?.with(|spec| {
        spec.args(["--max-instance-reuse-count", "1000000"])
            .args(["--max-instance-concurrent-reuse-count", "1000"])
            .args(["--idle-instance-timeout", "600s"])
    }))
}

fn app(parts: &Parts, setup: &Setup, reach: &[&str]) -> Result<ComponentHost> {
    let mut app = SpinApp::new(&parts.component, setup.compile()?.to_bytes()).reach(&setup.origin.1);
    for host in reach.iter().copied().chain(setup.reach.iter().map(String::as_str)) {
        app = app.reach(host);
    }
    std::fs::create_dir_all(&setup.state)?;
    let manifest = app.write(parts.root.join("spin.toml"), &setup.state)?;
    let host =
        ComponentHost::new(&parts.component_host, manifest).with(|spec| spec.log_file(log_file(&setup.name)));
    Ok(match &setup.token {
        Some(token) => host.variable("levee_status_token", token),
        None => host.variable("levee_environment", "local"),
    })
}
