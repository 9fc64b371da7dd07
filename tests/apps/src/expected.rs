//! `expected.toml`: the differences that are known, each with its reason. An entry that no longer occurs is a failure, so that
//! the list can only become shorter.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::edge::Runtime;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// What a client sees otherwise.
    #[serde(default)]
    pub(crate) difference: Vec<Difference>,
    /// Where nginx has more hits.
    #[serde(default)]
    pub(crate) fewer_hits: Vec<FewerHits>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    pub(crate) application: String,
    pub(crate) flow: String,
    /// What is seen otherwise; `end` where the flow ends early.
    pub(crate) labels: Vec<String>,
    #[serde(default = "all")]
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FewerHits {
    pub(crate) application: String,
    pub(crate) flows: Vec<String>,
    #[serde(default = "all")]
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) reason: String,
}

fn all() -> Vec<Runtime> {
    Runtime::ALL.to_vec()
}

impl Expected {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The flows that entries of this application name.
    pub(crate) fn flows_of<'a>(&'a self, application: &'a str) -> impl Iterator<Item = &'a str> {
        let differences = self.difference.iter().filter(move |entry| entry.application == application);
        let hits = self.fewer_hits.iter().filter(move |entry| entry.application == application);
        differences
            .map(|entry| entry.flow.as_str())
            .chain(hits.flat_map(|entry| &entry.flows).map(String::as_str))
    }

    /// # Errors
    /// Where an entry names no application that there is, or gives no reason.
    pub(crate) fn check_names(&self, names: &[String]) -> Result<()> {
        let differences = self.difference.iter().map(|entry| (&entry.application, &entry.reason));
        let hits = self.fewer_hits.iter().map(|entry| (&entry.application, &entry.reason));
        for (application, reason) in differences.chain(hits) {
            if !names.contains(application) {
                bail!("expected.toml: there is no application {application}");
            }
            if reason.trim().is_empty() {
                bail!("expected.toml: an entry of {application} gives no reason");
            }
        }
        Ok(())
    }
}
