//! What an edge runs on. A new runtime is one file here and one line in [`ALL`].

mod native;
mod spin;
mod workerd;
mod wrangler;

use std::path::PathBuf;

use anyhow::{Result, bail};
use levee_config::{Compiled, Overrides};
use levee_harness::{Parts, Process};

pub(crate) use wrangler::start as start_wrangler;

/// Every runtime that the behaviours are run on.
pub(crate) const ALL: &[&dyn Runtime] = &[&native::Native, &workerd::Workerd, &spin::Spin];

/// Where an edge of [`Runtime::start_losing`] loses its instance.
pub(crate) const LOSE: &str = "/lose-the-instance";

/// Hosts by which tests reach an edge.
pub(crate) const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

pub(crate) trait Runtime: Sync {
    fn name(&self) -> &'static str;

    /// The tier behind memory, as `Server-Timing` calls it.
    fn far_tier(&self) -> &'static str;

    /// Whether concurrent misses of one key are one request to the origin.
    fn collapses(&self) -> bool;

    /// Whether the edge sees which fields the client's `Connection` names. Where it does not, the runtime deals with them.
    fn sees_connection(&self) -> bool;

    /// The `detail` of an error about an origin where nothing listens: not every runtime can tell that from a connection
    /// that broke.
    fn calls_a_dead_origin(&self) -> &'static str;

    /// Whether a method may be any token.
    fn takes_any_method(&self) -> bool;

    /// Whether tests may share an edge. Not where a crowd of requests makes several instances, each with a memory of its own.
    fn is_shared(&self) -> bool {
        true
    }

    /// Whether a connection can become another protocol's.
    fn upgrades(&self) -> bool {
        true
    }

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process>;

    /// Starts an edge whose far tier outlives it, in the folder of the setup.
    fn start_durable(&self, parts: &Parts, setup: &Setup) -> Result<Process>;

    /// Whether an instance can be lost while the process goes on.
    fn loses_instances(&self) -> bool {
        false
    }

    /// Starts an edge that loses the instance which is asked for [`LOSE`].
    fn start_losing(&self, _: &Parts, _: &Setup) -> Result<Process> {
        bail!("instances of {} are not lost", self.name())
    }

    /// Whether its instances can share a Redis.
    fn shares_a_redis(&self) -> bool {
        false
    }

    /// Starts an edge of many instances that share the Redis at this URL.
    fn start_sharing(&self, _: &Parts, _: &Setup, _redis: &str) -> Result<Process> {
        bail!("instances of {} share no Redis", self.name())
    }

    /// Whether it is the one that `cargo xtask up` shows to a browser.
    fn is_shown_in_a_browser(&self) -> bool {
        false
    }
}

/// How one edge is started.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// For its log.
    pub(crate) name: String,
    pub(crate) config: PathBuf,
    /// The origin's name in the configuration, and where it is.
    pub(crate) origin: (&'static str, String),
    /// A folder for what it stores.
    pub(crate) state: PathBuf,
    /// What opens the status page, as on a deployed edge. Without one the edge runs as on its user's own machine.
    pub(crate) token: Option<String>,
}

impl Setup {
    /// The configuration with this setup's addresses.
    pub(crate) fn compile(&self) -> Result<Compiled> {
        let (name, url) = &self.origin;
        let overrides = Overrides {
            hosts: HOSTS.map(str::to_owned).to_vec(),
            origins: vec![((*name).to_owned(), url.clone())],
        };
        Ok(levee_config::compile_file(&self.config, &overrides)?)
    }
}
