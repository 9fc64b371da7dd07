//! The configuration in its compiled form: what `levee.toml` becomes once it has been read and checked.
//!
//! The crate `levee-config` makes it; the edge only decodes it ([`Config::decode`]). Every default is
//! already filled in and every route holds its whole [`Policy`], so nothing is merged while requests run.

mod ignored_cookies;
mod in_two_lines;
mod overrides;
mod pattern;
mod policy;
mod wire;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use ignored_cookies::IGNORED_COOKIES;
pub use in_two_lines::in_two_lines;
pub use overrides::{origin_variable, override_origin};
pub use pattern::{HostPattern, NamePattern, PathPattern};
pub use policy::{
    ClientDirectives, Credentials, KeyPolicy, Negative, Particular, Policy, QueryPolicy, RateLimit,
    SetCookie, Stale, Ttl,
};
pub use wire::DecodeError;

/// Everything an edge is told: one `levee.toml`, compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Hosts that are served; a request for another is answered 421. Empty: any host.
    pub hosts: Vec<HostPattern>,
    /// The origins, in the order of the file. Never empty.
    pub origins: Vec<Origin>,
    pub shield: Shield,
    /// How `POST /.levee/purge` may be authenticated. Empty: purging is off.
    pub purge_auth: Vec<PurgeAuth>,
    pub limits: Limits,
    /// The routes in the order of the file: the first that matches gives the policy.
    pub routes: Vec<Route>,
    /// The policy where no route matches (`[defaults]`).
    pub defaults: Policy,
}

impl Config {
    /// Listens to a platform's own targeted field (RFC 9213) wherever `CDN-Cache-Control` is listened to, before that one.
    pub fn listen_to(&mut self, own: &str) {
        let routes = self.routes.iter_mut().map(|route| &mut route.policy);
        for Policy { targeted, .. } in routes.chain([&mut self.defaults]) {
            let common = targeted.iter().position(|name| name == policy::CDN_CACHE_CONTROL);
            if let Some(at) = common
                && !targeted.iter().any(|name| name == own)
            {
                targeted.insert(at, own.to_owned());
            }
        }
    }
}

/// One server, or region of servers, that can answer what the edge cannot (`[origins.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub name: String,
    /// `http` or `https`, authority, and no path: `https://eu.example.net`.
    pub url: String,
    pub region: Option<String>,
    /// Path of the health check.
    pub health: Option<String>,
    /// The share of requests among origins that are not backups.
    pub weight: u16,
    /// Only used when no other origin is able to answer.
    pub backup: bool,
    /// What the origin reads as `Host`: its own authority, or the client's.
    pub host: OriginHost,
}

/// Which `Host` an origin is sent (RFC 9110, section 7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OriginHost {
    /// The authority of the origin's own URL.
    #[default]
    Origin,
    /// What the client asked for. Not possible on every platform.
    Client,
}

/// Limits between the edge and its origins (`[shield]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shield {
    pub connect_timeout: Duration,
    pub first_byte_timeout: Duration,
    /// Requests under way to one origin from one instance of the edge.
    pub max_inflight: u32,
}

impl Default for Shield {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(1),
            first_byte_timeout: Duration::from_mins(1),
            max_inflight: 64,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PurgeAuth {
    Hmac,
    Bearer,
}

/// What protects the edge (`[limits]`): sizes in bytes, times, and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest request target; longer is answered 414.
    pub uri: u32,
    /// All request field lines together; more is answered 431.
    pub fields: u32,
    /// Largest body that is stored.
    pub object: u64,
    /// Budget of the memory tier.
    pub memory: u64,
    /// Largest value that is written to a store, where the platform's own limit is not the store's to know.
    pub value: Option<u64>,
    /// The longest time without a byte of a body, in either direction, while the edge waits for one.
    pub body_idle: Duration,
    /// The least bytes a second, on average, of a body that others wait for. Zero: any rate will do.
    pub body_rate: u32,
    /// Connections of clients at once, where the edge is the server. The one that has been idle for longest makes room.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            uri: 8 << 10,
            fields: 32 << 10,
            object: 2 << 20,
            memory: 32 << 20,
            value: None,
            body_idle: Duration::from_secs(60),
            body_rate: 256,
            connections: 4096,
        }
    }
}

/// One `[[routes]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub name: String,
    pub path: PathPattern,
    /// Methods it matches, as case-sensitive tokens. Empty: every method.
    pub methods: Vec<String>,
    pub policy: Policy,
}
