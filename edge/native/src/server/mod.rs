//! The server: one acceptor, and a thread a core that serves what it is handed.

mod acceptor;
mod answer;
mod connection;
mod drain;
mod gate;
mod linger;
mod network;
mod options;
mod places;
mod refusal;
mod request;
mod service;
mod streams;
mod tasks;
mod thread;
mod timer;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use levee::config::Config;
use levee::{Access, Edge, Setup};
use tokio::sync::{oneshot, watch};

use places::Places;

use crate::app::{App, Forward};
use crate::fetch::Tls;
use crate::store::SqliteStore;

pub use network::{Network, ParseNetworkError};
pub use options::{Options, ServeError, StoreOptions};
pub(crate) use tasks::Tasks;

/// An edge that listens and does not answer yet: [`Server::serve`] does.
#[derive(Debug)]
pub struct Server<A = Forward> {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared<A>,
}

/// What every thread gets.
#[derive(Debug)]
struct Shared<A> {
    edge: Arc<Edge>,
    options: Arc<Options>,
    store: Option<SqliteStore>,
    tls: Tls,
    app: Arc<A>,
}

impl<A> Clone for Shared<A> {
    fn clone(&self) -> Self {
        Self {
            edge: self.edge.clone(),
            options: self.options.clone(),
            store: self.store.clone(),
            tls: self.tls.clone(),
            app: self.app.clone(),
        }
    }
}

impl Server {
    /// Opens the store and the socket.
    pub fn bind(config: Config, options: Options) -> Result<Self, ServeError> {
        let listener = acceptor::listen(options.listen)?;
        let address =
            listener.local_addr().map_err(|source| ServeError::Listen { address: options.listen, source })?;
        let store = match &options.store {
            Some(store) => {
                let origins = levee::identity::of_origins(&config);
                Some(SqliteStore::open(&store.path, store.max_size, &origins)?)
            }
            None => None,
        };
        let setup = Setup {
            runtime: "native",
            seed: getrandom::u64().map_err(|error| ServeError::Random(error.to_string()))?,
            now: crate::platform::now(),
            access: access(&options, address),
            secret: options.secret.clone(),
            threads: options.threads.get(),
        };
        let shared = Shared {
            edge: Arc::new(Edge::new(config, setup)),
            options: Arc::new(options),
            store,
            tls: Tls::default(),
            app: Arc::new(Forward),
        };
        Ok(Self { listener, address, shared })
    }

    /// Puts `app` behind the cache.
    pub fn app<A: App>(self, app: A) -> Server<A> {
        let Shared { edge, options, store, tls, app: Arc { .. } } = self.shared;
        let shared = Shared { edge, options, store, tls, app: Arc::new(app) };
        Server { listener: self.listener, address: self.address, shared }
    }
}

/// A server that listens on a loopback address, and was given no token, runs on the developer's own machine.
fn access(options: &Options, address: SocketAddr) -> Access {
    let token = options.status_token.clone();
    Access { local: token.is_none() && address.ip().is_loopback(), token }
}

impl<A: App> Server<A> {
    /// Where it listens; the port that was found, where 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The state that all threads share.
    pub fn edge(&self) -> &Arc<Edge> {
        &self.shared.edge
    }

    /// Answers requests until `shutdown` resolves (or this future is dropped); then it takes no more connections, lets
    /// what is under way finish for [`Options::drain`], and returns.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let (stop, stopped) = watch::channel(());
        let mut hand_overs = Vec::new();
        let mut threads = Vec::new();
        let mut ends = Vec::new();
        for index in 0..self.shared.options.threads.get() {
            let (hand_over, sockets) = acceptor::channel();
            let (ended, end) = oneshot::channel();
            hand_overs.push(hand_over);
            ends.push(end);
            threads.push((index, sockets, ended));
        }
        let connections = self.shared.edge.config().limits.connections;
        let mut acceptor = Some(acceptor::Acceptor {
            listener: self.listener,
            threads: hand_overs,
            places: Places::new(connections as usize, self.shared.options.client_buffers),
            full: refusal::raw(&refusal::full(connections)),
            stopped,
        });
        for (index, sockets, ended) in threads {
            let shared = self.shared.clone();
            let acceptor = acceptor.take();
            std::thread::Builder::new()
                .name(format!("levee-{index}"))
                .spawn(move || {
                    let _ = ended.send(thread::run(shared, sockets, acceptor));
                })
                .map_err(ServeError::Thread)?;
        }
        shutdown.await;
        drop(stop);
        for end in ends {
            end.await.map_err(|_| ServeError::Panicked)??;
        }
        Ok(())
    }
}
