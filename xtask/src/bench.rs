//! `cargo xtask bench`: what a part costs beside the least that does the same, in one run and in turns.

mod cpu;
mod load;
mod results;
mod setting;
mod start;
mod worker;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Levee on bare workerd beside plain JavaScript Workers.
    Worker(worker::Args),
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Worker(args) => worker::run(args),
    }
}
