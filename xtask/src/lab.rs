//! `cargo xtask lab`: real load on the real system, and what was seen, kept.
#![allow(dead_code, unused_imports, reason = "the scenarios and the comparison that use these parts follow")]

pub(crate) mod chart;
pub(crate) mod evidence;
pub(crate) mod sample;
