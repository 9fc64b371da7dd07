//! Step 1: what is asked for, and which route of `levee.toml` says how it is handled.

mod target;

pub use target::{Target, TargetError};

use crate::config::{Config, Policy};

/// A route of one configuration, by its place: it may outlive the request (`None`: `[defaults]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteId(Option<usize>);

impl RouteId {
    pub fn policy(self, config: &Config) -> &Policy {
        self.0.and_then(|index| config.routes.get(index)).map_or(&config.defaults, |route| &route.policy)
    }

    /// Its place among the routes, from 1; 0 for `[defaults]`.
    pub fn index(self) -> u32 {
        self.0.map_or(0, |index| u32::try_from(index + 1).unwrap_or(u32::MAX))
    }

    /// The route's name, for reports.
    pub fn name(self, config: &Config) -> &str {
        self.0.and_then(|index| config.routes.get(index)).map_or("defaults", |route| &route.name)
    }
}

/// The first route that matches `method` (a case-sensitive token) and the normalised `path`.
pub fn find(config: &Config, method: &str, path: &str) -> RouteId {
    RouteId(config.routes.iter().position(|route| {
        (route.methods.is_empty() || route.methods.iter().any(|name| name == method))
            && route.path.matches(path)
    }))
}
