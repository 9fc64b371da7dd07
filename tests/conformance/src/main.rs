//! `levee-conformance virtual|native|worker`: what `cargo xtask conformance` runs once the parts are built.

mod arguments;
mod outcome;
mod runtime;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use levee_conformance::definitions::{self, Suite};
use levee_conformance::floor::{Floor, Floors};
use levee_conformance::verdict::{applicable, summarise};

use arguments::Arguments;
use outcome::Outcome;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool> {
    let mut suites = definitions::read(&arguments.definitions)?;
    if let Some(only) = &arguments.only {
        return one(arguments, &mut suites, only);
    }
    let root = arguments.root()?;
    let profile = arguments.profile(&root);
    let floors = Floors::read(&root)?;
    let floor = profile.as_ref().map(|profile| floors.of(profile, arguments.runtime.name()));
    let began = std::time::Instant::now();
    let results = runtime::run(arguments, &root, &suites, |results| {
        let now = Floor::reached(&summarise(&suites, results));
        floor.as_ref().map(|floor| floor.lost(&now)).unwrap_or_default()
    })?;
    let summary = summarise(&suites, &results);
    let outcome = Outcome { arguments, root: &root, suites: &suites, results: &results, summary: &summary };
    outcome.print(began.elapsed());
    match profile {
        Some(profile) => outcome.keep(&profile, floors)?,
        None => println!("no floor: this configuration is neither of the two profiles"),
    }
    Ok(true)
}

/// Runs one test and prints every exchange. Its dependencies are not asked.
fn one(arguments: &Arguments, suites: &mut [Suite], only: &str) -> Result<bool> {
    if !applicable(suites).any(|test| test.id == only) {
        bail!("there is no test {only} that applies to a proxy");
    }
    for suite in suites.iter_mut() {
        suite.tests.retain(|test| test.id == only);
    }
    let results = runtime::run(arguments, &arguments.root()?, suites, |_| Vec::new())?;
    let result = results.get(only).context("it was not run")?;
    match result {
        Ok(()) => println!("{only}: passed"),
        Err(failure) => println!("{only}: {failure:?}"),
    }
    Ok(result.is_ok())
}
