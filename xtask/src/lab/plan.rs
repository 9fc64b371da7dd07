//! What a generator is told: `plan.json`, and `tables.json` with what is long.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::catalogue::{self, Catalogue};
use super::traffic::{KINDS, Objectives, Stage, Traffic};

/// How requests come.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Load {
    /// By a rate, whatever the answers do.
    Arrivals { arrivals: Vec<Stage> },
    /// So many in all, by clients that each wait for an answer before the next.
    Count { count: u32, clients: u32 },
    /// So many at once, all for one path.
    Burst { burst: u32, path: String },
    /// As fast as so many clients can, to see what the generator itself can do.
    Closed { closed: u32, seconds: u32 },
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Plan {
    pub(super) run: String,
    pub(super) base_url: String,
    pub(super) seed: u32,
    pub(super) kinds: [&'static str; 5],
    pub(super) cuts: [u32; 5],
    pub(super) returning_cut: u32,
    pub(super) parties: Vec<u32>,
    pub(super) every_kind: bool,
    pub(super) check_bodies: bool,
    pub(super) load: Load,
    pub(super) most_under_way: u32,
    pub(super) objectives: Objectives,
    /// Whether the objectives are the tool's thresholds, and whether those of latency and of arrivals are among them.
    pub(super) judged: bool,
    pub(super) judged_by_time: bool,
}

impl Plan {
    /// A plan of the mix that `traffic` describes.
    pub(super) fn new(
        traffic: &Traffic,
        objectives: &Objectives,
        run: &str,
        base_url: &str,
        load: Load,
    ) -> Self {
        let mut below = 0.0;
        Self {
            run: run.to_owned(),
            base_url: base_url.to_owned(),
            seed: traffic.seed,
            kinds: KINDS,
            cuts: KINDS.map(|kind| {
                below += traffic.mix.get(kind).copied().unwrap_or(0.0);
                cut(below)
            }),
            returning_cut: cut(traffic.visitors.returning_share),
            parties: traffic.order.parties.clone(),
            every_kind: false,
            check_bodies: false,
            load,
            most_under_way: traffic.generator.most_under_way,
            objectives: objectives.clone(),
            judged: true,
            judged_by_time: true,
        }
    }

    /// Writes both files into a folder.
    pub(super) fn write(&self, folder: &Path, catalogue: &Catalogue, exponent: f64) -> Result<()> {
        let tables = json!({
            "searches": catalogue.searches,
            "films": catalogue.films,
            "search_ranks": catalogue::ranks(catalogue.searches.len(), exponent),
            "film_ranks": catalogue::ranks(catalogue.films.len(), exponent),
        });
        fs::write(folder.join("plan.json"), serde_json::to_string(self)?)?;
        fs::write(folder.join("tables.json"), tables.to_string())?;
        Ok(())
    }
}

/// The draw of 32 bits below which a share lies.
fn cut(share: f64) -> u32 {
    (share * f64::from(u32::MAX)).round().clamp(0.0, f64::from(u32::MAX)) as u32
}
