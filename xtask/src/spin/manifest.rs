//! What spin.toml has to repeat of levee.toml, compared.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use levee::config::{Origin, origin_variable};
use levee_config::Place;
use serde::Deserialize;
use toml::Spanned;

/// What of a manifest has to agree with a configuration; the rest is Spin's to check.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, Spanned<Variable>>,
    component: BTreeMap<String, Spanned<Component>>,
}

#[derive(Debug, Deserialize)]
struct Variable {
    default: Option<Spanned<String>>,
    #[serde(default)]
    secret: bool,
}

#[derive(Debug, Deserialize)]
struct Component {
    allowed_outbound_hosts: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// The component that Levee is in a manifest.
const COMPONENT: &str = "levee";
/// What begins the name of each variable that is about an origin.
const ORIGIN: &str = "levee_origin_";
/// What the component may reach beside the origins.
const REDIS: &str = "levee_redis_host";

/// Compares the manifest with the origins of a configuration.
///
/// # Errors
/// Each difference, with the manifest's line and what has to stand there.
pub(crate) fn check(manifest: &Path, config: &Path, origins: &[Origin]) -> Result<()> {
    let text = fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let problems = problems(&name(manifest), &text, &name(config), origins)?;
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

fn problems(file: &str, text: &str, config: &str, origins: &[Origin]) -> Result<Vec<String>> {
    let manifest: Manifest = toml::from_str(text).with_context(|| format!("{file} is not a manifest"))?;
    let Some(component) = manifest.component.get(COMPONENT) else {
        bail!("{file} has no [component.{COMPONENT}]");
    };
    let span = component.span();
    let component = component.get_ref();
    let mut found = Findings { file, text, problems: Vec::new() };
    let hosts: &[Spanned<String>] =
        component.allowed_outbound_hosts.as_ref().map_or(&[], |hosts| hosts.get_ref());
    let hosts_span = component.allowed_outbound_hosts.as_ref().map_or(span, Spanned::span);
    let mut expected = Vec::new();
    for origin in origins {
        let variable = origin_variable(&origin.name).to_ascii_lowercase();
        let template = reference(&variable);
        let own = format!("[origins.{}] of {config}", origin.name);
        match declared(&manifest, &variable) {
            None => found.add(
                section(text, "[variables]"),
                format!("the variable {variable} of {own} is not declared"),
                format!("{variable} = {{ default = \"{}\" }}", origin.url),
            ),
            Some(declared) => match &declared.get_ref().default {
                Some(default) if *default.get_ref() == origin.url => {}
                Some(default) => found.add(
                    default.span(),
                    format!("the URL of {own} is {}", origin.url),
                    format!("default = \"{}\"", origin.url),
                ),
                None => found.add(
                    declared.span(),
                    format!("the variable of {own} has no default"),
                    format!("default = \"{}\"", origin.url),
                ),
            },
        }
        match component.variables.iter().find(|(name, _)| *name.get_ref() == variable) {
            None => found.add(
                section(text, &format!("[component.{COMPONENT}.variables]")),
                format!("the component does not get the variable of {own}"),
                format!("{variable} = \"{template}\""),
            ),
            Some((_, value)) if !is_reference(value.get_ref(), &variable) => found.add(
                value.span(),
                format!("the component gets something else for {own}"),
                format!("\"{template}\""),
            ),
            Some(_) => {}
        }
        if !hosts.iter().any(|host| is_reference(host.get_ref(), &variable)) {
            found.add(
                hosts_span.clone(),
                format!("the component may not reach {own}"),
                format!("\"{template}\" in allowed_outbound_hosts"),
            );
        }
        expected.push(variable);
    }
    for host in hosts {
        let known = expected.iter().map(String::as_str).chain([REDIS]);
        if !known.into_iter().any(|variable| is_reference(host.get_ref(), variable)) {
            found.add(
                host.span(),
                format!("the component may reach `{}`, which is no origin of {config}", host.get_ref()),
                "only the origins, each by its variable".to_owned(),
            );
        }
    }
    for (name, variable) in &manifest.variables {
        let is_left = name.get_ref().starts_with(ORIGIN) && !expected.contains(name.get_ref());
        if is_left {
            found.add(
                name.span(),
                format!("the variable {} is about no origin of {config}", name.get_ref()),
                "no such line".to_owned(),
            );
        }
        let default = variable.get_ref().default.as_ref();
        if let Some(default) =
            default.filter(|value| variable.get_ref().secret && !value.get_ref().is_empty())
        {
            found.add(
                default.span(),
                format!("the secret {} stands in this file", name.get_ref()),
                "default = \"\", and the value from outside".to_owned(),
            );
        }
    }
    Ok(found.problems)
}

fn declared<'m>(manifest: &'m Manifest, variable: &str) -> Option<&'m Spanned<Variable>> {
    manifest.variables.iter().find(|(name, _)| name.get_ref() == variable).map(|(_, declared)| declared)
}

fn reference(variable: &str) -> String {
    format!("{{{{ {variable} }}}}")
}

/// Whether a template is this variable and nothing else.
fn is_reference(template: &str, variable: &str) -> bool {
    let inner = template.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.is_some_and(|inner| inner.trim() == variable)
}

/// Where a section begins, or the file.
fn section(text: &str, header: &str) -> Range<usize> {
    let at = text.find(header).unwrap_or(0);
    at..at + header.len().min(text.len() - at)
}

struct Findings<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<String>,
}

impl Findings<'_> {
    /// One mistake: where, what is wrong, what is expected there.
    fn add(&mut self, span: Range<usize>, wrong: String, expected: String) {
        let Place { line, column, .. } = Place::of(self.file, self.text, span);
        self.problems.push(format!("{}:{line}:{column}: {wrong}; expected: {expected}", self.file));
    }
}

#[cfg(test)]
mod tests {
    use levee_config::Overrides;

    use super::*;

    const CONFIG: &str =
        "version = 1\nhosts = [\"a.example\"]\n[origins.box-office]\nurl = \"http://127.0.0.1:8081\"\n";

    const MANIFEST: &str = r#"[variables]
levee_origin_box_office_url = { default = "http://127.0.0.1:8081" }
levee_status_token = { default = "", secret = true }

[component.levee]
allowed_outbound_hosts = ["{{ levee_origin_box_office_url }}", "{{levee_redis_host}}"]

[component.levee.variables]
levee_origin_box_office_url = "{{ levee_origin_box_office_url }}"
"#;

    fn problems_of(manifest: &str, config: &str) -> Vec<String> {
        let compiled = levee_config::compile_str("levee.toml", config, &Overrides::default());
        let origins = compiled.expect("a configuration").config.origins;
        problems("spin.toml", manifest, "levee.toml", &origins).expect("a manifest")
    }

    #[test]
    fn what_agrees_is_right() {
        assert_eq!(problems_of(MANIFEST, CONFIG), Vec::<String>::new());
    }

    #[test]
    fn an_origin_that_has_moved_is_named_with_its_line() {
        let moved = CONFIG.replace("http://127.0.0.1:8081", "https://tickets.example.net");
        let problems = problems_of(MANIFEST, &moved);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("spin.toml:2:43: "), "{problems:?}");
        assert!(problems[0].contains("https://tickets.example.net"), "{problems:?}");
    }

    #[test]
    fn a_new_origin_is_missing_in_three_places() {
        let more = format!("{CONFIG}[origins.us]\nurl = \"https://us.example.net\"\n");
        let problems = problems_of(MANIFEST, &more);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("spin.toml:1:1: ") && problems[0].contains("levee_origin_us_url"));
        assert!(problems[2].starts_with("spin.toml:6:"), "{problems:?}");
    }

    #[test]
    fn what_is_allowed_without_need_and_a_secret_in_the_file_are_found() {
        let loose = MANIFEST
            .replace("{{levee_redis_host}}", "*://*:*")
            .replace("levee_status_token = { default = \"\"", "levee_status_token = { default = \"x\"");
        let problems = problems_of(&loose, CONFIG);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("spin.toml:6:") && problems[0].contains("*://*:*"), "{problems:?}");
        assert!(problems[1].starts_with("spin.toml:3:") && problems[1].contains("secret"), "{problems:?}");
        let left = problems_of(MANIFEST, &CONFIG.replace("box-office", "shop"));
        assert!(
            left.iter().any(|problem| problem.contains("levee_origin_box_office_url is about no origin"))
        );
    }
}
