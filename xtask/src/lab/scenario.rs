//! The scenarios, and what each asks of a run.

use anyhow::{Result, bail};

use super::plan::Load;
use super::traffic::{self, Traffic};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    Smoke,
    Load,
    Spike,
    Stress,
    Stampede,
    Soak,
}

impl Scenario {
    pub(super) const ALL: [Self; 6] =
        [Self::Smoke, Self::Load, Self::Spike, Self::Stress, Self::Stampede, Self::Soak];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Load => "load",
            Self::Spike => "spike",
            Self::Stress => "stress",
            Self::Stampede => "stampede",
            Self::Soak => "soak",
        }
    }

    /// What it is, in a sentence for the page.
    pub(super) fn describes(self) -> &'static str {
        match self {
            Self::Smoke => "Every kind of request in turn, and every answer checked to its body.",
            Self::Load => "The expected peak of a real on-sale, held.",
            Self::Spike => "The on-sale: from a base to fifty times it, and back.",
            Self::Stress => {
                "A ramp until an objective breaks. The knee is the rate of the last window in which all were held."
            }
            Self::Stampede => {
                "Everybody at once on one key that nobody has asked for yet and that takes two seconds."
            }
            Self::Soak => "A third of the peak for long, to see whether memory grows.",
        }
    }

    /// Whether the objectives of slo.toml decide over the whole run. In a ramp that ends in failure they decide window by window.
    pub(super) fn is_judged_as_a_whole(self) -> bool {
        self != Self::Stress
    }

    /// Whether the objectives of latency decide. A smoke test is about right answers, on whatever machine it runs.
    pub(super) fn is_judged_by_time(self) -> bool {
        self != Self::Smoke
    }

    /// How requests come, with the length and the rates that were asked for.
    pub(super) fn load(
        self,
        traffic: &Traffic,
        run: &str,
        seconds: Option<f64>,
        scale: f64,
        ceiling: f64,
    ) -> Result<Load> {
        let of = &traffic.scenarios;
        let arrivals =
            |stages: &[traffic::Stage]| Load::Arrivals { arrivals: traffic::fitted(stages, seconds, scale) };
        Ok(match self {
            Self::Smoke => arrivals(&of.smoke.stages),
            Self::Load => arrivals(&of.load.stages),
            Self::Spike => arrivals(&of.spike.stages),
            Self::Soak => arrivals(&of.soak.stages),
            Self::Stress => {
                let (from, to) = (
                    of.stress.from * scale,
                    ceiling * of.stress.ceiling_share.min(traffic.generator.ceiling_share),
                );
                if to <= from {
                    bail!(
                        "the generator does not reach {from} requests a second by far enough: its ceiling is {ceiling:.0}"
                    );
                }
                Load::Arrivals { arrivals: vec![(from, to.floor(), seconds.unwrap_or(of.stress.seconds))] }
            }
            Self::Stampede => Load::Burst {
                burst: ((f64::from(of.stampede.clients) * scale).round() as u32).max(1),
                path: of.stampede.path.replace("{run}", run),
            },
        })
    }
}
