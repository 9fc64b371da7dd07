//! The command line.

mod config;
mod descriptors;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use levee_native::{Network, Options, StoreOptions};

pub(crate) use descriptors::raise as raise_descriptors;

/// Levee, the HTTP edge cache and origin shield, as a native server.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The configuration: `levee.toml`, or compiled (`levee.bin`) [default: levee.toml, where there is one]
    #[arg(long, env = "LEVEE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Where to listen; port 0 is any that is free [default: 127.0.0.1:8080, or 0.0.0.0:$PORT where PORT is set]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    #[arg(long, env = "PORT", hide = true)]
    port: Option<u16>,

    /// Threads that serve [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Keeps answers in this SQLite file beside memory, so that they outlive the process.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,

    /// Most megabytes in the store; the oldest answers go first.
    #[arg(long, value_name = "MB", default_value_t = 1024, requires = "store")]
    store_max: u64,

    /// An origin's URL in place of the file's, by its name there. A URL alone stands in for a
    /// configuration: everything goes there, by the default rules.
    #[arg(long, value_name = "[NAME=]URL")]
    origin: Vec<String>,

    /// A host that is served beside those of the file.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,

    /// A proxy, or a network of proxies, whose X-Forwarded-For and X-Forwarded-Proto are believed.
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    trusted_proxy: Vec<Network>,

    /// What opens the status page. Without it the page is open to this machine alone, where the server listens on a loopback
    /// address; closed elsewhere. Behind a proxy on the same machine, set it.
    #[arg(long, env = "LEVEE_STATUS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    status_token: Option<String>,

    /// Seals credentials in the keys of what is stored. The same for all servers of a deployment; without it a secret is derived
    /// from the configuration, which is none against who knows that.
    #[arg(long, env = "LEVEE_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<String>,

    /// Most megabytes that clients may make the server hold by not reading and not finishing; who holds most for longest goes.
    /// A client that is slow in reading what streams through takes about a quarter of one.
    #[arg(long, value_name = "MB", default_value_t = 16)]
    client_buffers: usize,

    /// How log lines are written to stderr. RUST_LOG chooses which: levee_native::request=debug is one a request.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Arguments {
    pub(crate) fn options(&self) -> Options {
        let defaults = Options::default();
        let listen = match (self.listen, self.port) {
            (Some(listen), _) => listen,
            // Whoever sets PORT is a container platform, which comes from outside.
            (None, Some(port)) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
            (None, None) => defaults.listen,
        };
        Options {
            listen,
            threads: self.threads.unwrap_or(defaults.threads),
            store: self.store.as_ref().map(|path| StoreOptions {
                max_size: self.store_max.saturating_mul(1 << 20),
                ..StoreOptions::new(path)
            }),
            status_token: self.status_token.clone().filter(|token| !token.is_empty()),
            secret: self.secret.clone().map(Into::into),
            trusted_proxies: self.trusted_proxy.clone(),
            client_buffers: self.client_buffers.saturating_mul(1 << 20),
            ..defaults
        }
    }
}
