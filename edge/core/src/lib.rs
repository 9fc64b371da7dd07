//! # Levee, the part that decides
//!
//! An HTTP cache (RFC 9111) and origin shield for the edge. No I/O, no clock and no platform API live here: a
//! runtime implements the few traits of [`platform`] and calls [`pipeline::handle`] for each request.

#![forbid(unsafe_code)]

pub mod body;
pub mod config;
mod edge;
pub mod origin;
pub mod pipeline;
pub mod platform;
mod request;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

pub use edge::{Access, Edge, Setup};
pub use request::{Request, Scheme};
pub use time::Time;
