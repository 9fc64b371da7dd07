//! The state of one instance of the edge, shared by its requests.

use crate::config::Config;
use crate::time::Time;

/// Where an instance runs and what it is told at its start, beside its configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `workerd`, `native`, `spin`: for people, on the status page.
    pub runtime: &'static str,
    /// Random bits that seed the hash tables: a client must not be able to aim at one bucket.
    pub seed: u64,
    pub now: Time,
    pub access: Access,
}

/// Who may read the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone: the edge runs on the reader's own machine.
    Local,
    /// Whoever shows this token. `None`: nobody, because no token is set.
    Token(Option<String>),
}

/// One instance of the edge: an isolate, a component instance, a process.
#[derive(Debug)]
pub struct Edge {
    pub(crate) config: Config,
    pub(crate) setup: Setup,
}

impl Edge {
    pub fn new(config: Config, setup: Setup) -> Self {
        Self { config, setup }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
}
