//! The state of one instance of the edge, shared by its requests.

use std::sync::Arc;
use std::time::Duration;

use crate::body::Room;
use crate::config::Config;
use crate::counters::Counters;
use crate::identity;
use crate::origin::Origins;
use crate::purge::Purges;
use crate::seal::Seal;
use crate::shield::{Flights, Marks, Sets};
use crate::store::Rests;
use crate::store::memory::Memory;
use crate::time::Time;

/// Where an instance runs and what it is told at its start, beside its configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `workerd`, `native`, `spin`: for people, on the status page.
    pub runtime: &'static str,
    /// Random bits, different in each instance: they seed the hash tables, so that a client cannot aim at one bucket, and name
    /// the instance's purge log.
    pub seed: u64,
    pub now: Time,
    pub access: Access,
    /// What the instances of a deployment share and nobody else knows: credentials in keys are sealed with it ([`Seal`]). `None`,
    /// or an empty one: they are sealed with the deployment's identity.
    pub secret: Option<Secret>,
    /// Threads that share this instance.
    pub threads: usize,
}

/// A text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Who may look into an edge ([`crate::respond::access`] decides for each request).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The edge runs on the developer's own machine: what certainly comes from there needs no token.
    pub local: bool,
    /// Whoever shows this token may. `None`, or an empty one: nobody, because no token is set.
    pub token: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "(secret)");
        f.debug_struct("Access").field("local", &self.local).field("token", &token).finish()
    }
}

impl Access {
    /// Of a platform that is told where it runs by a variable: `environment` is `local` on the developer's own machine.
    pub fn at(environment: Option<&str>, token: Option<String>) -> Self {
        Self { local: environment == Some("local"), token }
    }
}

/// How long it is remembered that a URL is worth fetching as a whole.
const WHOLE: Duration = Duration::from_hours(1);

/// One instance of the edge: an isolate, a component instance, a process.
#[derive(Debug)]
pub struct Edge {
    pub(crate) config: Config,
    pub(crate) setup: Setup,
    /// What tells this deployment from others ([`identity`]).
    pub(crate) identity: String,
    /// What seals credentials in keys.
    pub(crate) seal: Seal,
    pub(crate) memory: Memory,
    /// Bodies that are held, stored or not.
    pub(crate) bodies: Arc<Room>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) purges: Purges,
    /// Keys whose last answer could not be shared.
    pub(crate) hit_for_miss: Marks,
    /// Keys whose revalidation has just failed.
    pub(crate) backoff: Marks,
    /// Keys that a part, or a 304, has shown to be worth fetching as a whole.
    pub(crate) whole: Marks,
    /// Particular sets that were seen.
    pub(crate) sets: Sets,
    /// Stores that are of no use at the moment.
    pub(crate) rests: Rests,
    /// What is shared between instances and could not be reached a moment ago.
    pub(crate) lost: Marks,
    pub(crate) origins: Origins,
    pub(crate) counters: Counters,
}

impl Edge {
    pub fn new(config: Config, setup: Setup) -> Self {
        // Each shard has its part of the budget, which must hold the largest object several times over.
        let most = usize::try_from(config.limits.memory / config.limits.object.max(1) / 4).unwrap_or(1);
        let shards = if setup.threads > 1 { (4 * setup.threads).min(most).max(1) } else { 1 };
        let identity = identity::of(setup.runtime, &config);
        Self {
            seal: Seal::new(setup.secret.as_ref().map(|secret| secret.0.as_str()), &identity),
            memory: Memory::new(config.limits.memory, setup.seed, shards),
            bodies: Room::new(config.limits.memory),
            flights: Arc::new(Flights::new(setup.seed)),
            // Random bits make the log's name: no other instance has it.
            purges: Purges::new(setup.seed, setup.seed),
            hit_for_miss: Marks::new(setup.seed),
            backoff: Marks::new(setup.seed),
            whole: Marks::lasting(setup.seed, WHOLE),
            sets: Sets::new(setup.seed),
            rests: Rests::default(),
            lost: Marks::new(setup.seed),
            origins: Origins::new(&config),
            counters: Counters::default(),
            identity,
            config,
            setup,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What tells this deployment from others: the same in all its instances ([`identity`]).
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Counts a request whose forwarding fields ([`crate::fields::forwarding`]) are not believed, because no trusted proxy sent
    /// it. Says whether it is the first of this instance: one line in the log is enough.
    pub fn forwarding_not_trusted(&self) -> bool {
        self.counters.forwarding_not_trusted()
    }

    /// What this instance has counted.
    pub fn counters(&self) -> crate::counters::Snapshot {
        self.counters.snapshot()
    }
}
