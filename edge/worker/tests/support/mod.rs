//! A Worker on bare workerd, an origin, and a client that sees every byte.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test program uses a part")]

mod bundle;
mod client;
mod origin;

use std::time::{Duration, Instant};

use levee::config::{Config, Limits, Origin as Named, OriginHost, Policy, Shield};
use levee_harness::{Process, Workerd};

pub use bundle::{bundle, workerd};
pub use client::{Answer, Connection, get, get_at, send, send_at};
pub use origin::Origin;

/// The compiled configuration of one origin `far-away`, whose URL a variable must replace.
pub fn config() -> Vec<u8> {
    config_with(Limits::default())
}

pub fn config_with(limits: Limits) -> Vec<u8> {
    Config {
        hosts: Vec::new(),
        origins: vec![Named {
            name: "far-away".into(),
            url: "http://127.0.0.1:1".into(),
            region: None,
            health: None,
            weight: 1,
            backup: false,
            host: OriginHost::Origin,
        }],
        shield: Shield { first_byte_timeout: Duration::from_secs(5), ..Shield::default() },
        purge_auth: Vec::new(),
        limits,
        routes: Vec::new(),
        defaults: Policy::default(),
    }
    .encode()
}

/// The Worker that fails on demand, before this origin.
pub fn worker(origin: &Origin) -> Process {
    start(|workerd| workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()))
}

pub fn start(with: impl FnOnce(Workerd) -> Workerd) -> Process {
    start_configured(config(), with)
}

/// As [`worker`], within these limits.
pub fn limited(origin: &Origin, limits: Limits) -> Process {
    start_configured(config_with(limits), |workerd| workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()))
}

/// With these bytes as `levee.bin`.
pub fn start_configured(config: Vec<u8>, with: impl FnOnce(Workerd) -> Workerd) -> Process {
    let workerd = Workerd::new(workerd(), bundle()).module("levee.bin", config);
    match with(workerd).start() {
        Ok(process) => process,
        Err(error) => panic!("{error}"),
    }
}

/// Waits until the process has written a line that contains `text`.
pub fn logged(process: &Process, text: &str) {
    let began = Instant::now();
    while !process.log().lines().iter().any(|line| line.contains(text)) {
        assert!(began.elapsed() < Duration::from_secs(20), "no `{text}` in:\n{}", process.log().tail(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}
