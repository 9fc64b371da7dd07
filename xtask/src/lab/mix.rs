//! `cargo xtask lab mix`: whether both generators send the traffic that traffic.toml describes, and the same.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, bail};

use super::catalogue::{self, Catalogue};
use super::counts::Asked;
use super::limits;
use super::plan::{Load, Plan};
use super::system::{Build, Parts, System};
use super::tool::Tool;
use super::traffic::{self, KINDS};
use crate::project;

/// How many requests each generator sends.
const COUNT: u32 = 4_000;
/// How many clients send them.
const CLIENTS: u32 = 16;
/// With this probability a right mix is called wrong. The seed is fixed, so that it either always is or never.
const LEVEL: f64 = 0.001;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Only with these, instead of both.
    #[arg(long, value_enum)]
    tool: Vec<Tool>,
}

impl Args {
    pub(super) fn of(tools: &[Tool]) -> Self {
        Self { tool: tools.to_vec() }
    }
}

/// Sends the same so many requests with each generator to an origin without an edge, and compares what its log counted: the
/// kinds with the mix, the films with Zipf's law (chi-squared, each at the level of 0.001), and each path with the other
/// generator's, which must be the same to the last one.
pub(super) fn run(args: &Args) -> Result<()> {
    let root = project::root()?;
    let tools = if args.tool.is_empty() { Tool::ALL.to_vec() } else { args.tool.clone() };
    let (traffic, objectives) = traffic::read(&root)?;
    limits::ensure(traffic.generator.most_under_way)?;
    let mut sent: Vec<(Tool, BTreeMap<String, u32>)> = Vec::new();
    for tool in tools {
        let generator = tool.ensure(&root)?;
        // Each on a database of its own: a seat that the other has sold is no other request, but an order's key is its own.
        let system = System::start(Parts::build(&root, None, Build::Debug)?, 1, 1, Instant::now())?;
        let catalogue = Catalogue::fetch(system.url())?;
        system.origin_log().take();
        let folder = tempfile::Builder::new().prefix("levee-lab-").tempdir()?;
        let load = Load::Count { count: COUNT, clients: CLIENTS };
        let mut plan = Plan::new(&traffic, &objectives, "mix", system.url(), load);
        plan.judged = false;
        plan.write(folder.path(), &catalogue, traffic.popularity.exponent)?;
        println!("Sending {COUNT} requests with {}", tool.name());
        let ran = generator.run(folder.path(), 480.0, |_| {}, |_| system.check())?;
        if let Some(wrong) = ran.requests.iter().find(|request| !request.right) {
            bail!("{} got the answer {} to a request of kind {}", tool.name(), wrong.status, wrong.kind);
        }
        let asked = system.origin_log().take();
        goodness(tool, &asked, &catalogue, &traffic)?;
        let mut paths: BTreeMap<String, u32> = BTreeMap::new();
        for one in asked {
            *paths.entry(one.path).or_default() += 1;
        }
        sent.push((tool, paths));
    }
    if let [(one, first), (other, second)] = &sent[..] {
        if let Some(path) =
            first.keys().chain(second.keys()).find(|path| first.get(*path) != second.get(*path))
        {
            let count = |of: &BTreeMap<String, u32>| of.get(path).copied().unwrap_or(0);
            bail!(
                "the generators differ: {path} was asked for {} times by {} and {} times by {}",
                count(first),
                one.name(),
                count(second),
                other.name()
            );
        }
        println!("{} and {} sent the same, path by path", one.name(), other.name());
    }
    Ok(())
}

/// Compares what arrived with what traffic.toml describes.
fn goodness(tool: Tool, asked: &[Asked], catalogue: &Catalogue, traffic: &traffic::Traffic) -> Result<()> {
    if asked.len() != COUNT as usize {
        bail!("{} sent {} requests of {COUNT}", tool.name(), asked.len());
    }
    let count = |wanted: &dyn Fn(&Asked) -> bool| asked.iter().filter(|asked| wanted(asked)).count() as f64;
    let kinds: Vec<(f64, f64)> = KINDS
        .iter()
        .map(|kind| {
            (
                count(&|asked| asked.kind == *kind),
                f64::from(COUNT) * traffic.mix.get(*kind).copied().unwrap_or(0.0),
            )
        })
        .collect();
    check(tool, "kinds of request", &kinds)?;
    let films = count(&|asked| asked.kind == "film");
    let shares = catalogue::shares(catalogue.films.len(), traffic.popularity.exponent);
    let by_film: Vec<(f64, f64)> = catalogue
        .films
        .iter()
        .zip(shares)
        .map(|(film, share)| {
            let path = format!("/api/films/{}", film.id);
            (count(&|asked| asked.path == path), films * share)
        })
        .collect();
    check(tool, "films by Zipf's law", &gathered(&by_film))
}

fn check(tool: Tool, what: &str, observed: &[(f64, f64)]) -> Result<()> {
    let (statistic, freedom) = chi_squared(observed);
    let limit = critical(freedom);
    println!(
        "  {}, {what}: chi-squared {statistic:.1} at {freedom:.0} degrees of freedom, at most {limit:.1}",
        tool.name()
    );
    if statistic > limit {
        bail!("{}: {what} are not as traffic.toml describes them, at the level of {LEVEL}", tool.name());
    }
    Ok(())
}

/// Cells joined until each is expected at least ten times, as the test wants it.
fn gathered(cells: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut gathered: Vec<(f64, f64)> = Vec::new();
    for &(observed, expected) in cells {
        match gathered.last_mut() {
            Some(last) if last.1 < 10.0 => *last = (last.0 + observed, last.1 + expected),
            _ => gathered.push((observed, expected)),
        }
    }
    if gathered.len() > 1 && gathered.last().is_some_and(|last| last.1 < 10.0) {
        let last = gathered.pop().unwrap_or_default();
        if let Some(before) = gathered.last_mut() {
            *before = (before.0 + last.0, before.1 + last.1);
        }
    }
    gathered
}

/// Pearson's statistic over (observed, expected), and its degrees of freedom.
fn chi_squared(cells: &[(f64, f64)]) -> (f64, f64) {
    let statistic = cells.iter().map(|(observed, expected)| (observed - expected).powi(2) / expected).sum();
    (statistic, cells.len() as f64 - 1.0)
}

/// The value that chi-squared exceeds with probability [`LEVEL`] (Wilson and Hilferty's approximation).
fn critical(freedom: f64) -> f64 {
    // The normal distribution's quantile for 0.999.
    const Z: f64 = 3.090_232;
    let part = 2.0 / (9.0 * freedom);
    freedom * (1.0 - part + Z * part.sqrt()).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_tables() {
        for (freedom, wanted) in [(4.0, 18.47), (10.0, 29.59), (50.0, 86.66)] {
            assert!((critical(freedom) - wanted).abs() < 0.3, "{freedom}: {}", critical(freedom));
        }
    }

    #[test]
    fn another_mix_is_found_out() {
        assert!(check(Tool::K6, "x", &[(1210.0, 1200.0), (990.0, 1000.0)]).is_ok());
        assert!(check(Tool::K6, "x", &[(1320.0, 1200.0), (880.0, 1000.0)]).is_err());
    }

    #[test]
    fn small_cells_are_joined() {
        let cells = gathered(&[(20.0, 21.0), (4.0, 6.0), (7.0, 5.0), (1.0, 2.0)]);
        assert_eq!(cells, [(20.0, 21.0), (12.0, 13.0)]);
    }
}
