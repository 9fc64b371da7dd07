//! `cargo xtask bench`: what a part costs beside the least that does the same, in one run and in turns.

mod container;
mod cpu;
mod load;
mod origin;
pub(crate) mod results;
mod setting;
mod spin;
mod start;
mod worker;

use anyhow::Result;
use clap::Subcommand;
pub(crate) use results::Series;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Levee on bare workerd beside plain JavaScript Workers.
    Worker(worker::Args),
    /// What the origin's image weighs, and how soon its program answers.
    Container(container::Args),
    /// Levee as a Spin component beside the smallest component, in the component host.
    Spin(spin::Args),
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Worker(args) => worker::run(args),
        Bench::Container(args) => container::run(args),
        Bench::Spin(args) => spin::run(args),
    }
}
