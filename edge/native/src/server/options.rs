//! What a server is told, beside the configuration.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use super::network::Network;
use crate::store::OpenError;

/// Where and how a server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port 0: any that is free.
    pub listen: SocketAddr,
    pub threads: NonZero<usize>,
    /// The tier behind memory. Without it nothing outlives the process.
    pub store: Option<StoreOptions>,
    /// What opens the status page. Without it the page is closed; but where the server listens on a loopback address, it is
    /// open to requests that come from the machine itself: for a loopback host, through no proxy, from no other site's page.
    pub status_token: Option<String>,
    /// Seals credentials in the keys of what is stored ([`levee::Setup::secret`]).
    pub secret: Option<levee::Secret>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Nobody's are, by default.
    pub trusted_proxies: Vec<Network>,
    /// How long a client may take to send a request's head, and stay silent between two requests.
    pub head_timeout: Duration,
    /// How long an unused connection to an origin is kept.
    pub origin_idle: Duration,
    /// Bytes that all clients together may make the server hold by not reading what is there for them and not finishing what they
    /// send. Beyond it, the connection goes that holds most for longest.
    pub client_buffers: usize,
    /// How long what is under way may take at the end.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            threads: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            store: None,
            status_token: None,
            secret: None,
            trusted_proxies: Vec::new(),
            head_timeout: Duration::from_secs(30),
            origin_idle: Duration::from_secs(30),
            client_buffers: 16 << 20,
            drain: Duration::from_secs(10),
        }
    }
}

/// A store in one SQLite file.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Made where there is none.
    pub path: PathBuf,
    /// Bytes of keys and values together; the oldest go first.
    pub max_size: u64,
}

impl StoreOptions {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_size: 1 << 30 }
    }
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "{address} is in use: stop what listens there, or choose another address (port 0: any that is free)"
    )]
    InUse { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    #[error("a thread of the server panicked")]
    Panicked,
}
