use std::fs;

use anyhow::{Context as _, Result};
use levee_harness::{Parts, Process, WorkerdStores};

use super::{LOSE, Runtime, Setup, start_wrangler};
use crate::world::log_file;

/// Cloudflare's workerd with the bundle that is deployed, the Cache API, and KV.
pub(super) struct Workerd;

impl Runtime for Workerd {
    fn name(&self) -> &'static str {
        "workerd"
    }

    fn far_tier(&self) -> &'static str {
        "local"
    }

    /// One process of workerd has one isolate.
    fn collapses(&self) -> bool {
        true
    }

    fn sees_connection(&self) -> bool {
        false
    }

    fn calls_a_dead_origin(&self) -> &'static str {
        "origin-broke-off"
    }

    fn takes_any_method(&self) -> bool {
        false
    }

    fn refuses_ambiguous_framing(&self) -> bool {
        false
    }

    fn reads_heads_itself(&self) -> bool {
        false
    }

    fn takes_odd_heads(&self, how: &str) -> bool {
        how == "many"
    }

    fn paces_what_it_passes(&self) -> bool {
        false
    }

    fn sends_content_with_get(&self) -> bool {
        false
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

    fn answers_malformed_bodies(&self) -> bool {
        false
    }

    /// KV and the Cache API are another process's, as when deployed.
    fn start_alone(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        let stores = WorkerdStores::start(&parts.workerd, |spec| {
            spec.log_file(log_file(&format!("{}-stores", setup.name)))
        })?;
        let process = workerd(parts, setup)?.stores(&stores).start()?;
        Ok(process.keep(stores))
    }

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        Ok(workerd(parts, setup)?.start()?)
    }

    /// What stands in for the Cache API and KV on bare workerd is in its memory; `wrangler dev` keeps both in a folder.
    fn start_durable(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        start_wrangler(parts, setup)
    }

    fn loses_instances(&self) -> bool {
        true
    }

    /// Nothing that a client can send makes the deployed program panic. So what it calls outside is made to throw, which
    /// leaves the instance in the same state as a trap of its own: entered and never left.
    fn start_losing(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        let host = fs::read_to_string(parts.bundle.join("host.mjs")).context("host.mjs of the bundle")?;
        let throwing = format!(
            "{host}
const reads = host.read;
host.read = (request) => {{
  if (request.url.endsWith(\"{LOSE}\")) throw new WebAssembly.RuntimeError(\"unreachable\");
  return reads(request);
}};
"
        );
        Ok(workerd(parts, setup)?.module("host.mjs", throwing).start()?)
    }

    fn is_shown_in_a_browser(&self) -> bool {
        true
    }
}

fn workerd(parts: &Parts, setup: &Setup) -> Result<levee_harness::Workerd> {
    let workerd = levee_harness::Workerd::new(&parts.workerd, &parts.bundle)
        .module("levee.bin", setup.compile()?.to_bytes())
        .with(|spec| spec.log_file(log_file(&setup.name)));
    Ok(match &setup.token {
        Some(token) => workerd.var("LEVEE_STATUS_TOKEN", token),
        None => workerd.var("LEVEE_ENVIRONMENT", "local"),
    })
}
