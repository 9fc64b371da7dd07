//! # Levee as a native server
//!
//! The edge on hyper: for tests, CI, containers and the load lab. This crate only translates between sockets and
//! [`levee`]; nothing about caching is decided here.
//!
//! One thread a core, each with a single-threaded runtime of its own, because the pipeline asks for no `Send`.
//! All share one [`levee::Edge`].
//!
//! ```no_run
//! # async fn run(config: levee::config::Config) -> Result<(), levee_native::ServeError> {
//! let server = levee_native::Server::bind(config, levee_native::Options::default())?;
//! println!("listening on http://{}", server.local_addr());
//! server.serve(std::future::pending()).await
//! # }
//! ```
//!
//! Trailers are dropped in both directions, origins are spoken to in HTTP/1.1, and the only protocol that a connection is upgraded
//! to is WebSocket. A response is refused (502) where it has more than 512 field lines or 64 KiB of them, a line that is no field
//! line, or an end that is not certain (RFC 9112, section 6.3).

#![forbid(unsafe_code)]

mod app;
mod body;
mod fetch;
mod pace;
mod platform;
mod server;
mod store;

pub use app::{App, Context, Error, Forward, Result};
pub use body::{Body, BodyError};
pub use platform::Native;
pub use server::{Network, Options, ParseNetworkError, ServeError, Server, StoreOptions};
pub use store::{OpenError, SqliteStore};

/// The part that decides, for whoever builds a [`levee::config::Config`] or writes an [`App`].
pub use levee;
