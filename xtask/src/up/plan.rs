use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use levee_config::{Compiled, Overrides};

use crate::{config, project};

/// The name under which levee.toml knows the origin that we start.
const BOX_OFFICE: &str = "box-office";
/// Hosts that `up` answers besides those of the configuration.
pub(super) const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// Which rules hold, and which origins they are about.
#[derive(Debug)]
pub(super) struct Plan {
    rules: Rules,
    /// The origin that the user gave.
    given: Option<String>,
    /// Names and addresses of the configuration's origins.
    named: Vec<(String, String)>,
}

#[derive(Debug)]
enum Rules {
    File(PathBuf),
    Neutral,
}

impl Plan {
    pub(super) fn new(root: &Path, file: Option<&Path>, origin: Option<&str>) -> Result<Self> {
        let given = origin.map(normal).transpose()?;
        let rules = match (file, &given) {
            (Some(file), _) => Rules::File(project::given(file)?),
            (None, Some(_)) => Rules::Neutral,
            (None, None) => Rules::File(root.join("levee.toml")),
        };
        let mut plan = Self { rules, given, named: Vec::new() };
        // Here, before anything is installed or built: a wrong configuration needs no wait.
        let compiled = plan.compile(None)?;
        plan.named = compiled.config.origins.into_iter().map(|origin| (origin.name, origin.url)).collect();
        Ok(plan)
    }

    /// The file whose rules hold, if they come from one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.rules {
            Rules::File(file) => Some(file),
            Rules::Neutral => None,
        }
    }

    /// Our own origin is started where the configuration names it and the user named no other.
    pub(super) fn starts_box_office(&self) -> bool {
        self.given.is_none() && self.named.iter().any(|(name, _)| name == BOX_OFFICE)
    }

    /// Names and addresses of the configuration's origins.
    pub(super) fn named(&self) -> &[(String, String)] {
        &self.named
    }

    /// The origins' addresses when none is started here.
    pub(super) fn origins(&self) -> Vec<String> {
        match &self.given {
            Some(url) => vec![url.clone()],
            None => self.named.iter().map(|(_, url)| url.clone()).collect(),
        }
    }

    /// What the origins are called among files.
    pub(super) fn origin_name(&self) -> String {
        if self.starts_box_office() {
            return BOX_OFFICE.to_owned();
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        self.origins().join("+").chars().map(plain).collect()
    }

    /// The addresses that take the place of those in the configuration, by origin name.
    pub(super) fn overrides(&self, box_office: Option<&str>) -> Overrides {
        let replaced = |name: &str| match (&self.given, box_office) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(url)) if name == BOX_OFFICE => Some(url.to_owned()),
            _ => None,
        };
        let origins =
            self.named.iter().filter_map(|(name, _)| Some((name.clone(), replaced(name)?))).collect();
        Overrides { hosts: HOSTS.map(str::to_owned).to_vec(), origins }
    }

    /// The configuration as the edge is given it.
    pub(super) fn compile(&self, box_office: Option<&str>) -> Result<Compiled> {
        let overrides = self.overrides(box_office);
        match (&self.rules, &self.given) {
            (Rules::File(file), _) => config::compile(file, &overrides),
            (Rules::Neutral, Some(url)) => {
                config::neutral(url, &Overrides { origins: Vec::new(), ..overrides })
            }
            (Rules::Neutral, None) => bail!("a neutral configuration needs --origin"),
        }
    }

    pub(super) fn describe(&self, root: &Path) -> String {
        match &self.rules {
            Rules::File(file) => {
                format!("{} (a change takes effect while this runs)", project::shown(root, file))
            }
            Rules::Neutral => {
                String::from("neutral: what the origin's own fields allow (--config sets others)")
            }
        }
    }
}

/// `http` or `https`, a host, and nothing behind it.
fn normal(origin: &str) -> Result<String> {
    let trimmed = origin.trim_end_matches('/');
    let rest = trimmed.strip_prefix("http://").or_else(|| trimmed.strip_prefix("https://"));
    match rest {
        Some(authority) if !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']) => {
            Ok(trimmed.to_owned())
        }
        _ => bail!("--origin {origin}: give scheme, host and port only, such as http://127.0.0.1:8000"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_authorities() {
        assert_eq!(normal("http://127.0.0.1:8000/").expect("good"), "http://127.0.0.1:8000");
        assert_eq!(normal("https://example.org").expect("good"), "https://example.org");
        for bad in ["127.0.0.1:8000", "http://", "ftp://host", "http://host/path", "http://user@host"] {
            let message = normal(bad).unwrap_err().to_string();
            assert!(message.contains("such as http://"), "{message}");
        }
    }

    fn plan(given: Option<&str>) -> Plan {
        let named = [(BOX_OFFICE, "http://a"), ("other", "http://b")];
        let named = named.map(|(name, url)| (name.to_owned(), url.to_owned())).to_vec();
        Plan { rules: Rules::Neutral, given: given.map(str::to_owned), named }
    }

    #[test]
    fn ours_replaces_its_own_address_only() {
        let plan = plan(None);
        assert!(plan.starts_box_office());
        assert_eq!(plan.origin_name(), "box-office");
        let origins = plan.overrides(Some("http://127.0.0.1:1")).origins;
        assert_eq!(origins, [(BOX_OFFICE.to_owned(), "http://127.0.0.1:1".to_owned())]);
    }

    #[test]
    fn each_origin_has_a_name_of_its_own() {
        assert_eq!(plan(Some("http://127.0.0.1:8000")).origin_name(), "http---127.0.0.1-8000");
        assert_ne!(plan(Some("http://a")).origin_name(), plan(Some("https://a")).origin_name());
    }

    #[test]
    fn a_given_origin_replaces_all_and_ours_stays_off() {
        let plan = plan(Some("http://given"));
        assert!(!plan.starts_box_office());
        assert!(plan.overrides(None).origins.iter().all(|(_, url)| url == "http://given"));
        assert_eq!(plan.overrides(None).origins.len(), 2);
    }
}
