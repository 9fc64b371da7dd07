//! The adapter, from socket to socket: a server in this process between raw peers that say exactly what is on the wire.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod access;
mod app;
mod bodies;
mod crowd;
mod drain;
mod errors;
mod framing;
mod http2;
mod refused;
mod slow;
mod store;
mod support;
mod upgrade;
mod wire;
