//! A protocol fuzzer: random clients and random origins on raw sockets, with an edge between them.
//!
//! A [`plan::Round`] says what a few clients send and what an origin replies, byte by byte: [`generate`] makes it up from a
//! seed and a number, [`regressions`] has those that once found something. Everything that is sent carries a [`mark`], the
//! [`ledger`] knows what was sent under it, and the [`judge`] says of each response whether its client may have it. No check
//! needs to know what an edge decides. [`rest`] looks afterwards whether anything was left behind.

#![forbid(unsafe_code)]

pub mod caching;
pub mod client;
pub mod dice;
pub mod edge;
pub mod fault;
pub mod generate;
mod http2;
pub mod judge;
pub mod ledger;
pub mod mark;
pub mod message;
pub mod origin;
pub mod plan;
pub mod regressions;
pub mod request;
pub mod rest;
pub mod run;
mod usual;
pub mod wire;
