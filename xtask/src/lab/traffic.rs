//! `loadtest/traffic.toml` and `loadtest/slo.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Arrivals a second at the beginning and the end, and how long it takes, in seconds.
pub(super) type Stage = (f64, f64, f64);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traffic {
    pub(super) seed: u32,
    pub(super) mix: BTreeMap<String, f64>,
    pub(super) popularity: Popularity,
    pub(super) order: Order,
    pub(super) visitors: Visitors,
    pub(super) peak: Peak,
    pub(super) scenarios: Scenarios,
    pub(super) generator: Generator,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Popularity {
    pub(super) exponent: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) parties: Vec<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Visitors {
    pub(super) returning_share: f64,
    pub(super) think_seconds: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peak {
    pub(super) requests_per_second: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenarios {
    pub(super) smoke: Staged,
    pub(super) load: Staged,
    pub(super) spike: Staged,
    pub(super) stress: Stress,
    pub(super) stampede: Stampede,
    pub(super) soak: Soak,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Staged {
    pub(super) stages: Vec<Stage>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stress {
    pub(super) from: f64,
    pub(super) ceiling_share: f64,
    pub(super) seconds: f64,
    pub(super) window_seconds: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stampede {
    pub(super) clients: u32,
    pub(super) path: String,
    pub(super) least_waiting: u32,
    pub(super) origin_requests: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Soak {
    pub(super) stages: Vec<Stage>,
    pub(super) memory_mebibytes_an_hour: f64,
    pub(super) least_seconds_for_slope: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generator {
    pub(super) ceiling_share: f64,
    pub(super) most_under_way: u32,
}

/// What a journey promises.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journey {
    pub(super) kinds: Vec<String>,
    pub(super) availability: f64,
    pub(super) latency: Vec<Latency>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Latency {
    pub(super) percent: f64,
    pub(super) milliseconds: f64,
}

pub(super) type Objectives = BTreeMap<String, Journey>;

/// The kinds of the mix, in the order in which they are numbered.
pub(super) const KINDS: [&str; 5] = ["search", "film", "screening", "seats", "order"];

/// Reads both files, and refuses what does not fit together.
pub(super) fn read(root: &Path) -> Result<(Traffic, Objectives)> {
    let traffic: Traffic = file(root, "loadtest/traffic.toml")?;
    let objectives: Objectives = file(root, "loadtest/slo.toml")?;
    let sum: f64 = traffic.mix.values().sum();
    if (sum - 1.0).abs() > 1e-9 || !traffic.mix.keys().all(|kind| KINDS.contains(&kind.as_str())) {
        bail!(
            "loadtest/traffic.toml: the shares of [mix] must be of {} and sum to 1; they sum to {sum}",
            KINDS.join(", ")
        );
    }
    for kind in KINDS.iter().copied().chain(["data"]) {
        let journeys =
            objectives.values().filter(|journey| journey.kinds.iter().any(|own| own == kind)).count();
        if journeys != 1 {
            bail!("loadtest/slo.toml: `{kind}` must be in exactly one journey, and is in {journeys}");
        }
    }
    if traffic.order.parties.is_empty() || traffic.order.parties.iter().any(|party| !(1..=8).contains(party))
    {
        bail!("loadtest/traffic.toml: [order] parties are of one to eight seats");
    }
    Ok((traffic, objectives))
}

fn file<T: DeserializeOwned>(root: &Path, name: &str) -> Result<T> {
    let text = fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"))?;
    toml::from_str(&text).with_context(|| format!("{name} is wrong"))
}

/// How long stages take together, in seconds.
pub(super) fn seconds(stages: &[Stage]) -> f64 {
    stages.iter().map(|stage| stage.2).sum()
}

/// The highest rate of stages.
pub(super) fn highest(stages: &[Stage]) -> f64 {
    stages.iter().map(|stage| stage.0.max(stage.1)).fold(0.0, f64::max)
}

/// The rate at a moment; nothing before and after.
pub(super) fn rate_at(stages: &[Stage], at: f64) -> f64 {
    let mut begun = 0.0;
    for &(from, to, long) in stages {
        if at >= begun && at < begun + long {
            return from + (to - from) * (at - begun) / long;
        }
        begun += long;
    }
    0.0
}

/// The same stages, taking `total` seconds together and with rates times `scale`.
pub(super) fn fitted(stages: &[Stage], total: Option<f64>, scale: f64) -> Vec<Stage> {
    let stretch = total.map_or(1.0, |total| total / seconds(stages));
    stages.iter().map(|&(from, to, long)| (from * scale, to * scale, long * stretch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;

    #[test]
    fn the_projects_own_files_fit_together() {
        let (traffic, objectives) = read(&project::root().expect("the checkout")).expect("both files");
        assert_eq!(traffic.mix.len(), KINDS.len());
        assert!(objectives.contains_key("order"));
        let spike = &traffic.scenarios.spike.stages;
        assert!((highest(spike) / spike[0].0 - 50.0).abs() < 1e-9, "fifty times the base");
        assert!(traffic.visitors.think_seconds > 0.0 && traffic.peak.requests_per_second > 0.0);
    }

    #[test]
    fn stages_are_stretched_and_asked_for_their_rate() {
        let stages = fitted(&[(10.0, 10.0, 30.0), (10.0, 30.0, 10.0)], Some(20.0), 2.0);
        assert!((seconds(&stages) - 20.0).abs() < 1e-9);
        assert!((rate_at(&stages, 17.5) - 40.0).abs() < 1e-9);
        assert!(rate_at(&stages, 20.0).abs() < 1e-9);
        assert!((highest(&stages) - 60.0).abs() < 1e-9);
    }
}
