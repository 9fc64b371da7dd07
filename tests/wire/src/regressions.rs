//! Rounds that have found something once, each by a name. They are replayed before anything is made up.

use crate::edge::Runtime;
use crate::plan::Round;

/// A round that must pass.
#[derive(Debug)]
pub struct Regression {
    pub name: &'static str,
    pub make: fn() -> Round,
    /// Runtimes that cannot pass it, and why.
    pub not_on: &'static [(Runtime, &'static str)],
}

pub const ALL: &[Regression] = &[];
