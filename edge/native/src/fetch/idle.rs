//! Connections between two exchanges.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;

use super::endpoint::Endpoint;
use super::outgoing::Outgoing;

/// As many idle connections to one origin are worth keeping, on one thread.
const MOST: usize = 64;

#[derive(Debug)]
pub(super) struct Idle {
    keep: Duration,
    /// The one used last is at the end and is used next, so that the others age and go.
    connections: RefCell<HashMap<Endpoint, Vec<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    sender: SendRequest<Outgoing>,
    since: Instant,
}

impl Idle {
    pub(super) fn new(keep: Duration) -> Self {
        Self { keep, connections: RefCell::default() }
    }

    pub(super) fn keep(&self) -> Duration {
        self.keep
    }

    /// A connection that the origin has not closed, as far as is known.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<SendRequest<Outgoing>> {
        let mut connections = self.connections.borrow_mut();
        let idle = connections.get_mut(endpoint)?;
        while let Some(connection) = idle.pop() {
            if connection.since.elapsed() >= self.keep {
                idle.clear();
            } else if connection.sender.is_ready() {
                return Some(connection.sender);
            }
        }
        None
    }

    pub(super) fn put(&self, endpoint: Endpoint, sender: SendRequest<Outgoing>) {
        let mut connections = self.connections.borrow_mut();
        let idle = connections.entry(endpoint).or_default();
        if idle.len() == MOST {
            idle.remove(0);
        }
        idle.push(Connection { sender, since: Instant::now() });
    }

    pub(super) fn sweep(&self) {
        self.connections.borrow_mut().retain(|_, idle| {
            idle.retain(|connection| {
                connection.since.elapsed() < self.keep && !connection.sender.is_closed()
            });
            !idle.is_empty()
        });
    }
}
