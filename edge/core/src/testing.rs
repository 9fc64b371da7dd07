//! A platform in memory under a virtual clock, for tests.
//!
//! Nothing sleeps and nothing is random: time moves only when every task waits for it, so that a test of an hour runs in
//! no time and always the same way.

mod body;
mod contract;
mod executor;
mod lease;
mod platform;
mod sim;
mod store;

pub use body::TestBody;
pub use contract::store_contract;
pub use executor::block_on;
pub use lease::MapLease;
pub use platform::{Ask, Reply, TestPlatform};
pub use sim::{Answered, Sent, Sim, TOKEN};
pub use store::{Call, Fault, MapStore};

/// A configuration with these origins and the default policy everywhere.
pub fn config_for(urls: &[&str]) -> crate::config::Config {
    use crate::config::{Config, Limits, Origin, OriginHost, Policy, Shield};
    Config {
        hosts: Vec::new(),
        origins: urls
            .iter()
            .enumerate()
            .map(|(index, url)| Origin {
                name: format!("o{index}"),
                url: (*url).to_owned(),
                region: None,
                health: None,
                weight: 1,
                backup: false,
                host: OriginHost::Origin,
            })
            .collect(),
        shield: Shield::default(),
        purge_auth: Vec::new(),
        limits: Limits::default(),
        routes: Vec::new(),
        defaults: Policy::default(),
    }
}
