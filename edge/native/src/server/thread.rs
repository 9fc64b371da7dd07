//! One thread: a runtime, its platform, and the connections it was handed.

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::UnboundedReceiver;

use super::acceptor::{Accepted, Acceptor};
use super::connection::Connections;
use super::drain::Drain;
use super::options::ServeError;
use super::{Shared, Tasks};
use crate::app::App;
use crate::fetch::Client;
use crate::platform::Native;

/// Serves what comes through `sockets` until it is closed, then drains. One of the threads runs the acceptor as well.
pub(super) fn run<A: App>(
    shared: Shared<A>,
    sockets: UnboundedReceiver<Accepted>,
    acceptor: Option<Acceptor>,
) -> Result<(), ServeError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .map_err(ServeError::Thread)?;
    runtime.block_on(serve(shared, sockets, acceptor));
    // Look-ups of names that hang must not hold up the end.
    runtime.shutdown_background();
    Ok(())
}

async fn serve<A: App>(
    shared: Shared<A>,
    mut sockets: UnboundedReceiver<Accepted>,
    acceptor: Option<Acceptor>,
) {
    if let Some(acceptor) = acceptor {
        tokio::task::spawn_local(acceptor.run());
    }
    let tasks = Tasks::default();
    let drain = Drain::default();
    let client = Client::new(shared.tls, shared.options.origin_idle);
    tokio::task::spawn_local(client.sweep());
    let stores = shared.store.into_iter().collect();
    let platform = Native::new(shared.app, stores, client, tasks.clone());
    let connections = Connections::new(shared.edge, platform, &shared.options, drain.clone());
    while let Some(accepted) = sockets.recv().await {
        connections.serve(accepted, &tasks);
    }
    // The connections that came last have not been read yet, and what they ask is still answered: each turn lets the
    // system say what has arrived.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    drain.begin();
    if tokio::time::timeout(shared.options.drain, tasks.ended()).await.is_err() {
        tracing::warn!("requests that did not end in time are cut off");
    }
}
