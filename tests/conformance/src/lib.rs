//! Runs the public HTTP cache tests (http-tests/cache-tests).
//!
//! The suite's definitions are data: what a client sends, what an origin answers, what must be seen on either side. This
//! crate reads them ([`definitions`]), plays the origin ([`origin`]) and the client ([`client`]), and counts as the
//! suite's site counts ([`verdict`]). What lies between client and origin is a [`run::Wire`]: the pipeline in memory under
//! a virtual clock ([`memory`]), or any edge over HTTP ([`network`], with the origin at [`server`]).

#![forbid(unsafe_code)]

pub mod client;
pub mod definitions;
pub mod floor;
pub mod memory;
pub mod message;
pub mod network;
pub mod origin;
pub mod run;
pub mod server;
pub mod table;
pub mod verdict;
