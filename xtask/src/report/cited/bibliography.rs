//! `report/case-study/references.toml`: what the case study stands on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// Where a source stands to what it tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// By those who run the system, or who wrote the rule.
    Primary,
    /// By journalists.
    Press,
    /// By somebody else who quotes a source that could not be opened.
    Quotation,
}

/// One entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reference {
    pub(super) title: String,
    /// A person or an organisation.
    pub(super) author: String,
    /// When it was written or last changed, as the source says it; `undated` where it does not.
    pub(super) date: String,
    pub(super) address: String,
    /// What is taken from it.
    pub(super) supports: String,
    pub(super) kind: Kind,
}

/// All of them, by key.
#[derive(Debug)]
pub(in crate::report) struct Bibliography(BTreeMap<String, Reference>);

impl Bibliography {
    /// # Errors
    /// When the file cannot be read, an entry lacks a field, or an address is not one of the web.
    pub(in crate::report) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no bibliography", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let entries: BTreeMap<String, Reference> = toml::from_str(text)?;
        let mut by_address = BTreeMap::new();
        for (key, entry) in &entries {
            let fields = [&entry.title, &entry.author, &entry.date, &entry.supports];
            if fields.iter().any(|field| field.trim().is_empty()) {
                bail!("{key}: a field is empty");
            }
            if !entry.address.starts_with("https://") && !entry.address.starts_with("http://") {
                bail!("{key}: {:?} is no address", entry.address);
            }
            if let Some(other) = by_address.insert(&entry.address, key) {
                bail!("{key} has the address of {other}");
            }
        }
        Ok(Self(entries))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Reference> {
        self.0.get(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, address: &str) -> String {
        format!(
            "[{key}]\ntitle = \"t\"\nauthor = \"a\"\ndate = \"2020\"\naddress = \"{address}\"\nsupports = \"s\"\nkind = \"press\"\n"
        )
    }

    #[test]
    fn what_an_entry_must_have() {
        let both = entry("one", "https://one.example/") + &entry("two", "https://two.example/");
        let read = Bibliography::parse(&both).expect("read");
        assert_eq!(read.keys().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(read.get("two").expect("there").kind, Kind::Press);
        let twice = entry("one", "https://one.example/") + &entry("two", "https://one.example/");
        for wrong in [
            twice.as_str(),
            &entry("one", "one.example"),
            &entry("one", "https://one.example/").replace("\"2020\"", "\" \""),
            &entry("one", "https://one.example/").replace("press", "hearsay"),
            &entry("one", "https://one.example/").replace("supports", "support"),
        ] {
            assert!(Bibliography::parse(wrong).is_err(), "{wrong}");
        }
    }
}
