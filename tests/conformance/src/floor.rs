//! What has been reached: a count may rise and may not drop.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::definitions::Kind;
use crate::verdict::Summary;

/// The checked-in file, from the workspace's root.
pub const FILE: &str = "tests/conformance/floor.toml";

const HEADER: &str = "# What each runtime has reached in the public cache tests, by profile. `cargo xtask conformance` raises it; a run that\n\
    # reaches less fails. `not_passed` are the required and optimal tests that were not passed then.\n\n";

/// What one runtime has reached under one profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Required tests that are passed.
    pub required: usize,
    /// Required and optimal tests that are passed.
    pub all: usize,
    /// Required and optimal tests that are not.
    pub not_passed: Vec<String>,
}

impl Floor {
    /// What a run has reached.
    pub fn reached(summary: &Summary) -> Self {
        let not_passed = summary.not_passed.iter().filter(|test| test.kind != Kind::Check);
        Self {
            required: summary.required.passed,
            all: summary.passed(),
            not_passed: not_passed.map(|test| test.id.clone()).collect(),
        }
    }

    /// Tests that were passed when the floor was reached and now are not.
    pub fn lost(&self, now: &Self) -> Vec<String> {
        now.not_passed.iter().filter(|id| !self.not_passed.contains(id)).cloned().collect()
    }
}

/// What comparing a run with the floor came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Same,
    /// The file can be raised.
    Higher,
}

/// All floors, by profile and runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Floors(BTreeMap<String, BTreeMap<String, Floor>>);

impl Floors {
    /// Reads the file; without one there are no floors yet.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
        toml::from_str(&text).with_context(|| format!("{FILE} is not right"))
    }

    /// The floor of a runtime under a profile; nothing has been reached where the file does not name it.
    pub fn of(&self, profile: &str, runtime: &str) -> Floor {
        self.0.get(profile).and_then(|runtimes| runtimes.get(runtime)).cloned().unwrap_or_default()
    }

    /// Compares a run with the floor.
    ///
    /// # Errors
    /// Less was reached, with the names of the tests that were lost.
    pub fn compare(&self, profile: &str, runtime: &str, now: &Floor) -> Result<Compared> {
        let floor = self.of(profile, runtime);
        if now.required < floor.required || now.all < floor.all {
            bail!(
                "{runtime} under the {profile} profile has passed {} of the required tests and {} in all; {FILE} has {} \
                 and {}. Lost: {}",
                now.required,
                now.all,
                floor.required,
                floor.all,
                floor.lost(now).join(", ")
            );
        }
        Ok(if *now == floor { Compared::Same } else { Compared::Higher })
    }

    /// Puts what was reached into the file.
    pub fn raise(mut self, root: &Path, profile: &str, runtime: &str, now: Floor) -> Result<()> {
        self.0.entry(profile.to_owned()).or_default().insert(runtime.to_owned(), now);
        let text = format!("{HEADER}{}", toml::to_string_pretty(&self)?);
        std::fs::write(root.join(FILE), text).with_context(|| format!("cannot write {FILE}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(required: usize, all: usize, not_passed: &[&str]) -> Floor {
        Floor { required, all, not_passed: not_passed.iter().map(|&id| id.to_owned()).collect() }
    }

    #[test]
    fn a_drop_names_what_was_lost() {
        let mut floors = Floors::default();
        floors.0.entry("p".to_owned()).or_default().insert("r".to_owned(), floor(2, 3, &["old"]));
        assert_eq!(floors.compare("p", "r", &floor(2, 3, &["old"])).expect("held"), Compared::Same);
        assert_eq!(floors.compare("p", "r", &floor(3, 4, &[])).expect("held"), Compared::Higher);
        let error = floors.compare("p", "r", &floor(1, 3, &["old", "new"])).expect_err("a drop").to_string();
        assert!(error.ends_with("Lost: new"), "{error}");
        assert!(floors.compare("p", "r", &floor(3, 2, &["x"])).is_err());
        assert_eq!(floors.compare("p", "other", &floor(1, 1, &[])).expect("new"), Compared::Higher);
    }

    #[test]
    fn the_file_is_read_as_it_is_written() {
        let root = std::env::temp_dir().join(format!("levee-floor-{}", std::process::id()));
        std::fs::create_dir_all(root.join("tests/conformance")).expect("a folder");
        Floors::default().raise(&root, "p", "r", floor(1, 2, &["a", "b"])).expect("written");
        assert_eq!(Floors::read(&root).expect("read").of("p", "r"), floor(1, 2, &["a", "b"]));
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
