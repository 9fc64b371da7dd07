//! Where clients send their requests: to the application itself, to the edge, or to nginx as a cache.

use std::path::Path;

use anyhow::{Result, bail};
use levee_harness::{Nginx, Process};

use crate::edge::{self, Parts, Runtime};
use crate::relay::Relay;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Direct,
    Edge(Runtime),
    Nginx,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Edge(runtime) => runtime.name(),
            Self::Nginx => "nginx",
        }
    }
}

/// What stands before an application, and counts what it answers.
pub(crate) enum Front {
    None,
    Cache { process: Box<Process>, relay: Relay },
}

impl Front {
    /// Starts what this place has before the application at `origin`, with nothing stored.
    pub(crate) fn start(
        place: Place,
        parts: &Parts,
        root: &Path,
        origin: &str,
        folder: &Path,
        log: &Path,
    ) -> Result<Self> {
        let process = match place {
            Place::Direct => return Ok(Self::None),
            Place::Edge(runtime) => edge::start(runtime, parts, root, origin, folder, log)?,
            Place::Nginx => Nginx::new(Nginx::binary()?, root.join("tests/apps/nginx.conf"))
                .upstream(origin)
                .with(|spec| spec.log_file(log).cancelled_by(crate::stopped))
                .start()?,
        };
        Ok(Self::Cache { relay: Relay::start(process.url())?, process: Box::new(process) })
    }

    /// Where clients find it.
    pub(crate) fn url<'a>(&'a self, origin: &'a str) -> &'a str {
        match self {
            Self::None => origin,
            Self::Cache { relay, .. } => relay.url(),
        }
    }

    /// How many requests it has answered so far from what it had stored, fresh or stale.
    ///
    /// # Errors
    /// Where it has ended.
    pub(crate) fn hits(&self) -> Result<u64> {
        match self {
            Self::None => Ok(0),
            Self::Cache { process, relay } if process.is_running() => Ok(relay.hits()),
            Self::Cache { process, .. } => {
                bail!("{} has ended; its last lines:\n{}", process.name(), process.log().tail(25))
            }
        }
    }

    pub(crate) fn stop(self) {
        if let Self::Cache { process, relay } = self {
            drop(relay);
            process.stop();
        }
    }
}
