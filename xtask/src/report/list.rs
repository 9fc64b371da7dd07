use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// `report/report.toml`: what the report is made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// The runs that are kept, as folders below `report/evidence`.
    pub(super) evidence: Vec<String>,
    /// In the order in which they are read.
    #[serde(rename = "section")]
    pub(super) sections: Vec<Section>,
}

/// A file of `report/sections`. It is part of the report when all that it needs is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) file: String,
    /// The runs that its figures come from.
    #[serde(default)]
    pub(super) needs: Vec<String>,
}

impl List {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a list of sections", path.display()))
    }
}
