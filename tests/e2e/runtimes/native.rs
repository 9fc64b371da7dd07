use anyhow::Result;
use levee_harness::{Parts, Process};

use super::{HOSTS, Runtime, Setup};
use crate::world::log_file;

/// The native server, with memory and an SQLite store.
pub(super) struct Native;

impl Runtime for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn far_tier(&self) -> &'static str {
        "sqlite"
    }

    fn collapses(&self) -> bool {
        true
    }

    fn sees_connection(&self) -> bool {
        true
    }

    fn calls_a_dead_origin(&self) -> &'static str {
        "origin-unreachable"
    }

    fn takes_any_method(&self) -> bool {
        true
    }

    fn refuses_ambiguous_framing(&self) -> bool {
        true
    }

    fn reads_heads_itself(&self) -> bool {
        true
    }

    fn takes_odd_heads(&self, _: &str) -> bool {
        true
    }

    fn sends_content_with_get(&self) -> bool {
        true
    }

    fn passes_any_byte(&self) -> bool {
        true
    }

    fn owns_connections(&self) -> bool {
        true
    }

    fn is_its_process(&self) -> bool {
        true
    }

    fn owns_its_store(&self) -> bool {
        true
    }

    fn sees_kept_alive_close(&self) -> bool {
        true
    }

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        std::fs::create_dir_all(&setup.state)?;
        let (name, url) = &setup.origin;
        let mut native = levee_harness::Native::new(&parts.native)
            .config(&setup.config)
            .origin(name, url)
            .store(setup.state.join("store.sqlite"))
            .with(|spec| spec.log_file(log_file(&setup.name)));
        for host in HOSTS {
            native = native.host(host);
        }
        if let Some(token) = &setup.token {
            native = native.with(|spec| spec.env("LEVEE_STATUS_TOKEN", token));
        }
        Ok(native.start()?)
    }

    fn start_durable(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        self.start(parts, setup)
    }
}
