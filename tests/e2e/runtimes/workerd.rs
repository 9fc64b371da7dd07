use anyhow::Result;
use levee_harness::{Parts, Process};

use super::{Runtime, Setup, start_wrangler};
use crate::world::log_file;

/// Cloudflare's workerd with the bundle that is deployed, and KV.
pub(super) struct Workerd;

impl Runtime for Workerd {
    fn name(&self) -> &'static str {
        "workerd"
    }

    fn far_tier(&self) -> &'static str {
        "kv"
    }

    /// A request may not wait for another's work there.
    fn collapses(&self) -> bool {
        false
    }

    fn sees_connection(&self) -> bool {
        false
    }

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        let workerd = levee_harness::Workerd::new(&parts.workerd, &parts.bundle)
            .module("levee.bin", setup.compile()?.to_bytes())
            .with(|spec| spec.log_file(log_file(&setup.name)));
        let workerd = match &setup.token {
            Some(token) => workerd.var("LEVEE_STATUS_TOKEN", token),
            None => workerd.var("LEVEE_ENVIRONMENT", "local"),
        };
        Ok(workerd.start()?)
    }

    /// The KV of bare workerd is in its memory; `wrangler dev` keeps it in a folder.
    fn start_durable(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        start_wrangler(parts, setup)
    }
}
