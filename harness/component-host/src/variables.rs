use std::collections::BTreeMap;
use std::fmt;

use wasmtime::Result;
use wasmtime::component::{Accessor, HasSelf};

use crate::Error;
use crate::bindings::variables as wit;
use crate::manifest::Declared;
use crate::state::HostState;

/// The variables of an application, each with its value or none.
pub(crate) struct Variables(BTreeMap<String, Option<String>>);

impl Variables {
    /// Each declared variable from `given`, else from the environment (`SPIN_VARIABLE_NAME`), else its default.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Declared>,
        given: &[(String, String)],
    ) -> Result<Self, Error> {
        if let Some((name, _)) = given.iter().find(|(name, _)| !declared.contains_key(name)) {
            let names = declared.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(Error::Variable(format!(
                "the manifest declares no variable {name:?}; it has {}",
                if names.is_empty() { "none" } else { &names }
            )));
        }
        let mut values = BTreeMap::new();
        for (name, declared) in declared {
            if !is_name(name) {
                return Err(Error::Variable(format!("{name:?} is not a name for a variable: {NAMES}")));
            }
            let given = given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone());
            let environment = || std::env::var(format!("SPIN_VARIABLE_{}", name.to_uppercase())).ok();
            let value = given.or_else(environment).or_else(|| declared.default.clone());
            if declared.required && value.is_none() {
                let what = if declared.secret { "secret" } else { "variable" };
                return Err(Error::Variable(format!(
                    "the {what} {name:?} is required: give it by --variable {name}=VALUE or in the environment as \
                     SPIN_VARIABLE_{}",
                    name.to_uppercase()
                )));
            }
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// A text with the value of each `{{ name }}` in its place.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").ok_or_else(|| format!("{text:?} has {{{{ without }}}}"))?;
            let name = name.trim();
            let value = self.0.get(name).ok_or_else(|| format!("there is no variable {name:?}"))?;
            filled.push_str(before);
            filled.push_str(value.as_deref().ok_or_else(|| format!("the variable {name:?} has no value"))?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

impl fmt::Debug for Variables {
    /// Names alone: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

const NAMES: &str = "lower-case letters, digits and _, a letter first";

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl wit::Host for HostState {}

impl<T: Send> wit::HostWithStore<T> for HasSelf<HostState> {
    async fn get(host: &Accessor<T, Self>, name: String) -> Result<Result<String, wit::Error>> {
        let app = host.with(|mut host| host.get().app.clone());
        Ok(match app.manifest.variables.get(&name) {
            Some(value) => Ok(value.clone()),
            None if is_name(&name) => {
                Err(wit::Error::Undefined(format!("the component has no variable {name:?}")))
            }
            None => Err(wit::Error::InvalidName(format!("{name:?}: {NAMES}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let variables = Variables(BTreeMap::from([
            (String::from("host"), Some(String::from("a.example"))),
            (String::from("none"), None),
        ]));
        assert_eq!(variables.fill("no template").as_deref(), Ok("no template"));
        assert_eq!(
            variables.fill("http://{{host}}:80/{{ host }}").as_deref(),
            Ok("http://a.example:80/a.example")
        );
        variables.fill("{{ none }}").expect_err("no value");
        variables.fill("{{ absent }}").expect_err("not declared");
        variables.fill("{{ host").expect_err("not closed");
        assert_eq!(format!("{variables:?}"), r#"["host", "none"]"#);
    }

    #[test]
    fn names() {
        assert!(is_name("purge_token2"));
        assert!(!is_name("2nd") && !is_name("PURGE") && !is_name("") && !is_name("a-b"));
    }
}
