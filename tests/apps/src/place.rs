//! Where clients send their requests: to the application itself, to the edge, or to nginx as a cache.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use levee_harness::{Nginx, Process};
use serde_json::Value;

use crate::edge::{self, Parts, Runtime};

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

/// What stands before an application.
pub(crate) enum Front {
    None,
    Edge(Process),
    Nginx { process: Process, log: PathBuf },
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
        Ok(match place {
            Place::Direct => Self::None,
            Place::Edge(runtime) => Self::Edge(edge::start(runtime, parts, root, origin, folder, log)?),
            Place::Nginx => {
                let log_of_requests = folder.join("requests.log");
                let template = root.join("tests/apps/nginx.conf");
                let filled = folder.join("nginx.conf");
                let text = fs::read_to_string(&template).with_context(|| template.display().to_string())?;
                fs::write(&filled, text.replace("{{requests}}", &log_of_requests.to_string_lossy()))?;
                let process = Nginx::new(Nginx::binary()?, &filled)
                    .upstream(origin)
                    .with(|spec| spec.log_file(log).cancelled_by(crate::stopped))
                    .start()?;
                Self::Nginx { process, log: log_of_requests }
            }
        })
    }

    /// Where clients find it.
    pub(crate) fn url<'a>(&'a self, origin: &'a str) -> &'a str {
        match self {
            Self::None => origin,
            Self::Edge(process) | Self::Nginx { process, .. } => process.url(),
        }
    }

    /// How many requests it has answered so far from what it had stored: fresh, stale or confirmed by the origin.
    ///
    /// # Errors
    /// Where the edge's status page or nginx's log cannot be read.
    pub(crate) fn hits(&self) -> Result<u64> {
        match self {
            Self::None => Ok(0),
            Self::Edge(process) => {
                let asked = levee_harness::get(&format!("{}/.levee/status", process.url()));
                let Some((200, body)) = asked else {
                    bail!(
                        "the edge's status page does not answer: {asked:?}; its last lines:\n{}",
                        process.log().tail(25)
                    );
                };
                edge_hits(&body)
            }
            Self::Nginx { log, .. } => Ok(nginx_hits(&fs::read_to_string(log).unwrap_or_default())),
        }
    }

    pub(crate) fn stop(self) {
        match self {
            Self::None => {}
            Self::Edge(process) | Self::Nginx { process, .. } => drop(process.stop()),
        }
    }
}

/// Out of the status page.
fn edge_hits(body: &str) -> Result<u64> {
    let status: Value = serde_json::from_str(body).context("the status page is not JSON")?;
    let names = ["hits_memory", "hits_store", "stale", "revalidated"];
    let count = |name| status["counters"][name].as_u64().with_context(|| format!("no count {name}"));
    names.into_iter().map(count).sum()
}

/// Out of a log with `$upstream_cache_status` first in each line.
fn nginx_hits(log: &str) -> u64 {
    let hit =
        |line: &&str| matches!(line.split(' ').next(), Some("HIT" | "STALE" | "UPDATING" | "REVALIDATED"));
    log.lines().filter(hit).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_read() {
        assert_eq!(nginx_hits("MISS GET /\nHIT GET /\nREVALIDATED GET /\n- GET /x\n"), 2);
        let status = r#"{"counters":{"hits_memory":3,"hits_store":1,"stale":0,"revalidated":2,"misses":9}}"#;
        assert_eq!(edge_hits(status).expect("counts"), 6);
        assert!(edge_hits("{}").is_err());
    }
}
