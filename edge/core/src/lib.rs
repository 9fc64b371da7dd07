//! # Levee, the part that decides
//!
//! An HTTP cache (RFC 9111) and origin shield for the edge. No I/O, no clock and no platform API live here: a
//! runtime implements the few traits of [`platform`] and calls [`pipeline::handle`] for each request.

#![forbid(unsafe_code)]

pub mod config;
