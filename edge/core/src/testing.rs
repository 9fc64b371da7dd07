//! A platform in memory under a virtual clock, for tests.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that never waits for anything outside itself.
///
/// # Panics
/// When it is still pending after it has been polled many times: it waits for what cannot come.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
    panic!("the future waits for what cannot come");
}

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
