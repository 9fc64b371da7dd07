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

    /// Whether a message's framing is read by the edge itself, which refuses one that can be read in two ways. Elsewhere the
    /// runtime reads it, takes one of the two, and frames it anew.
    fn refuses_ambiguous_framing(&self) -> bool;

    /// Whether heads are read by the edge itself, to the letter. Elsewhere the runtime has read them before, has made a URL of target
    /// and `Host`, which is what is keyed and sent, forgives more, and closes the connection where it does not.
    fn reads_heads_itself(&self) -> bool;

    /// Whether a client hears what was wrong with its body. Elsewhere the runtime may close the connection first.
    fn answers_malformed_bodies(&self) -> bool {
        true
    }

    /// Whether heads of origins may be odd in this way: `many` fields (more than 100), a `space` before a colon, a `folded` line.
    /// Elsewhere the runtime's HTTP client refuses them, and the answer is 502.
    fn takes_odd_heads(&self, how: &str) -> bool;

    /// Whether a response that is only passed on has the deadlines of other bodies. Elsewhere it does not go through
    /// the edge, and the platform ends what stalls.
    fn paces_what_it_passes(&self) -> bool {
        true
    }

    /// Whether the runtime can send a GET with content. Elsewhere such a request is refused with a reason.
    fn sends_content_with_get(&self) -> bool;

    /// Whether field values may hold any byte above ASCII. Elsewhere the runtime takes them for UTF-8, and changes or refuses what
    /// is not.
    fn passes_any_byte(&self) -> bool;

    /// Whether the edge accepts connections itself, and so bounds them. Elsewhere they are the runtime's.
    fn owns_connections(&self) -> bool;

    /// Whether the process is the edge itself, so that its memory is the edge's. Elsewhere the edge is the guest of a runtime.
    fn is_its_process(&self) -> bool {
        false
    }

    /// Whether the far tier is a file that the edge itself makes. Elsewhere it is the platform's.
    fn owns_its_store(&self) -> bool {
        false
    }

    /// Whether the edge learns that a kept-alive connection closed as it was used. Elsewhere connections to origins are the
    /// runtime's, which does not tell that from any other failure.
    fn sees_kept_alive_close(&self) -> bool;

    fn start(&self, parts: &Parts, setup: &Setup) -> Result<Process>;

    /// Starts an edge whose process holds nothing but the edge and its runtime: what stands in for the platform's stores is
    /// elsewhere.
    fn start_alone(&self, parts: &Parts, setup: &Setup) -> Result<Process> {
        self.start_durable(parts, setup)
    }

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
    /// Further addresses that its origins have.
    pub(crate) reach: Vec<String>,
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
