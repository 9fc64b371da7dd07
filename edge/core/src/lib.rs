//! # Levee, the part that decides
//!
//! An HTTP cache (RFC 9111) and origin shield for the edge. No I/O, no clock and no platform API live here: a
//! runtime implements the few traits of [`platform`] and calls [`pipeline::handle`] for each request.
//!
//! The modules are the steps of a request, in this order: [`route`], [`guard`], [`key`], [`lookup`], [`decide`],
//! [`shield`], [`origin`], [`store`], [`respond`].

#![forbid(unsafe_code)]

pub mod body;
pub mod classes;
pub mod config;
pub mod counters;
pub mod decide;
mod edge;
pub mod entry;
pub mod fields;
pub mod guard;
mod hash;
pub mod identity;
pub mod key;
pub mod lookup;
pub mod origin;
pub mod pipeline;
pub mod platform;
pub mod purge;
mod request;
pub mod respond;
pub mod route;
pub mod seal;
pub mod shield;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod trace;

pub use edge::{Access, Edge, Secret, Setup};
pub use request::{LostBytes, Request, Scheme};
pub use time::Time;
pub use trace::Step;
