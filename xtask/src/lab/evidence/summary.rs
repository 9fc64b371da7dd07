//! `summary.json`: what a run was and what came of it, for programs. The report takes its numbers from here, by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Raised when a field changes its meaning or goes; one that is added changes nothing.
pub(super) const SCHEMA: u32 = 1;

/// One run. Every figure is in `numbers`, under a name that ends in its unit unless it is a count.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) schema: u32,
    /// The folder below `report/evidence`.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What runs it again.
    pub(crate) command: String,
    /// When it began, by RFC 3339 in UTC.
    pub(crate) began: String,
    pub(crate) commit: String,
    /// Whether the checkout differed from the commit.
    pub(crate) uncommitted_changes: bool,
    pub(crate) outcome: Outcome,
    /// Why the outcome is what it is, in a sentence.
    pub(crate) verdict: String,
    pub(crate) machine: Machine,
    /// What took part, and of which version.
    pub(crate) versions: BTreeMap<String, String>,
    /// What the run was set to: scenario, runtime, tool, seed and the like, as text.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) numbers: BTreeMap<String, f64>,
    pub(crate) notes: Vec<String>,
    pub(crate) charts: Vec<File>,
    pub(crate) raw: Vec<File>,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Every objective was held.
    Held,
    /// At least one was not.
    Broken,
    /// Nothing can be concluded: the generator was too near its ceiling, or did not send what it was to send.
    #[default]
    Void,
}

impl Outcome {
    /// As the page says it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Held => "all objectives held",
            Self::Broken => "objectives broken",
            Self::Void => "void",
        }
    }
}

/// The machine that everything ran on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) system: String,
    pub(crate) cpu: String,
    pub(crate) cores: u32,
    pub(crate) memory_bytes: u64,
}

/// Something that had to be so, and whether it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Objective {
    /// As in `browse.availability`.
    pub(crate) name: String,
    /// `>=`, `<=` or `==`.
    pub(crate) comparison: String,
    pub(crate) wanted: f64,
    pub(crate) reached: f64,
    /// `share`, `ms`, `requests` and the like.
    pub(crate) unit: String,
    pub(crate) held: bool,
}

impl Objective {
    /// Compares what was reached with what is wanted; a figure that is not there (`NaN`) holds nothing.
    ///
    /// # Panics
    /// Never: another comparison than `>=`, `<=` and `==` is not held.
    pub(crate) fn new(
        name: impl Into<String>,
        reached: f64,
        comparison: &str,
        wanted: f64,
        unit: &str,
    ) -> Self {
        let held = match comparison {
            ">=" => reached >= wanted,
            "<=" => reached <= wanted,
            "==" => (reached - wanted).abs() < 1e-9,
            _ => false,
        };
        Self {
            name: name.into(),
            comparison: comparison.to_owned(),
            wanted,
            reached,
            unit: unit.to_owned(),
            held,
        }
    }
}

/// A file of the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) file: String,
    pub(crate) what: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_holds_nothing() {
        assert!(Objective::new("a", 1.0, ">=", 0.999, "share").held);
        assert!(!Objective::new("a", f64::NAN, ">=", 0.999, "share").held);
        assert!(!Objective::new("a", f64::NAN, "<=", 5.0, "ms").held);
        assert!(!Objective::new("a", 1.0, "==", 0.0, "requests").held);
    }
}
