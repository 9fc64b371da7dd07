//! Starts, awaits, asks for its address and process id, and stops each part of a running system.
//!
//! `cargo xtask up`, the end-to-end tests and whatever measures Levee all go through this crate, so that
//! "the system runs" means the same thing everywhere. A part is one short file: it says which program is
//! started with which arguments and how one sees that it answers, and hands back a [`Process`].
//!
//! ```no_run
//! # fn main() -> Result<(), levee_harness::Error> {
//! use levee_harness::{Native, Origin};
//!
//! let origin = Origin::new("target/debug/levee-origin").start()?;
//! let edge = Native::new("target/debug/levee-native").origin("box-office", origin.url()).start()?;
//! println!("open {} (process {})", edge.url(), edge.pid());
//! edge.stop(); // or drop it
//! # Ok(())
//! # }
//! ```
//!
//! Everything is blocking and uses plain threads: a handful of processes needs no runtime, and the crate
//! can be called from a synchronous test as well as from `spawn_blocking`.
#![forbid(unsafe_code)]

mod browser;
mod build;
mod component_host;
mod container;
mod error;
mod group;
mod gunicorn;
mod http;
mod log;
mod native;
mod nginx;
mod origin;
mod parts;
mod port;
mod process;
mod program;
mod redis;
mod spec;
mod spin_app;
mod spin_up;
mod template;
mod varnish;
mod workerd;
mod wrangler;

pub use browser::{Browser, find_browser};
pub use build::{Built, cargo_build};
pub use component_host::ComponentHost;
pub use container::{Container, Containers};
pub use error::Error;
pub use group::Group;
pub use gunicorn::Gunicorn;
pub use http::{answers, get};
pub use log::Log;
pub use native::Native;
pub use nginx::Nginx;
pub use origin::Origin;
pub use parts::Parts;
pub use port::{ensure_free, free_port};
pub use process::Process;
pub use program::find_program;
pub use redis::{Redis, find_redis};
pub use spec::{Ready, Spec};
pub use spin_app::SpinApp;
pub use spin_up::SpinUp;
pub use varnish::Varnish;
pub use workerd::{Workerd, WorkerdStores};
pub use wrangler::WranglerDev;

/// What every function here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
