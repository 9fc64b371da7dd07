//! Where the configuration comes from, and what the Worker's variables change in it.

use levee::config::Config as Compiled;

/// A configuration, or why there is none. In the latter case every request is answered 500 with that reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config(pub(crate) Result<Compiled, String>);

impl Config {
    /// Reads the compiled configuration from the bundle's `levee.bin`; `source` is what it was compiled from.
    #[doc(hidden)]
    pub fn bundled(source: &str) -> Self {
        let bytes = crate::isolate::bundled_config();
        Self(Compiled::decode(bytes.as_deref().unwrap_or_default()).map_err(|error| {
            if bytes.as_deref().unwrap_or_default().is_empty() {
                format!("The bundle's levee.bin is empty: compile {source} into it.")
            } else {
                format!("The bundle's levee.bin, made from {source}, cannot be used: {error}.")
            }
        }))
    }
}

/// A configuration made by the program itself.
impl From<Compiled> for Config {
    fn from(config: Compiled) -> Self {
        Self(Ok(config))
    }
}

/// Replaces origin URLs by `LEVEE_ORIGIN_<NAME>_URL`, where `variable` has one: one bundle, several environments.
///
/// # Errors
/// What is wrong with such a URL, for people.
pub(crate) fn override_origins(
    config: &mut Compiled,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), String> {
    for origin in &mut config.origins {
        let name = variable_name(&origin.name);
        if let Some(url) = variable(&name) {
            origin.url = origin_url(&url)
                .ok_or_else(|| {
                    format!(
                        "The variable {name} is `{url}`: it must be http:// or https://, a host, and no path."
                    )
                })?
                .to_owned();
        }
    }
    Ok(())
}

/// `box-office` is overridden by `LEVEE_ORIGIN_BOX_OFFICE_URL`.
fn variable_name(origin: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let mut name = String::from("LEVEE_ORIGIN_");
    name.extend(origin.chars().map(upper));
    name.push_str("_URL");
    name
}

/// Scheme and authority, without a slash at the end.
fn origin_url(url: &str) -> Option<&str> {
    let url = url.strip_suffix('/').unwrap_or(url);
    let authority = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let parsed = authority.parse::<http::uri::Authority>().ok()?;
    (!parsed.host().is_empty() && !authority.contains('@')).then_some(url)
}

#[cfg(test)]
mod tests {
    use levee::config::{Limits, Origin, OriginHost, Policy, Shield};

    use super::*;

    fn config() -> Compiled {
        Compiled {
            hosts: Vec::new(),
            origins: vec![Origin {
                name: "box-office".into(),
                url: "https://example.net".into(),
                region: None,
                health: None,
                weight: 1,
                backup: false,
                host: OriginHost::Origin,
            }],
            shield: Shield::default(),
            purge_auth: Vec::new(),
            limits: Limits::default(),
            routes: Vec::new(),
            defaults: Policy::default(),
        }
    }

    fn overridden(url: &str) -> Result<String, String> {
        let mut config = config();
        let variable = |name: &str| (name == "LEVEE_ORIGIN_BOX_OFFICE_URL").then(|| url.to_owned());
        override_origins(&mut config, variable)?;
        Ok(config.origins[0].url.clone())
    }

    #[test]
    fn a_variable_replaces_the_url_of_the_origin_it_names() {
        assert_eq!(overridden("http://127.0.0.1:8081"), Ok("http://127.0.0.1:8081".into()));
        assert_eq!(overridden("https://[::1]:8081/"), Ok("https://[::1]:8081".into()));
    }

    #[test]
    fn what_is_no_origin_is_refused_by_name() {
        for url in
            ["", "example.net", "ftp://example.net", "http://", "http://a/b", "http://u:p@a", "http://a b"]
        {
            let error = overridden(url).expect_err(url);
            assert!(error.contains("LEVEE_ORIGIN_BOX_OFFICE_URL"), "{error}");
        }
    }

    #[test]
    fn without_variables_nothing_changes() {
        let mut config = config();
        assert_eq!(override_origins(&mut config, |_| None), Ok(()));
        assert_eq!(config.origins[0].url, "https://example.net");
    }
}
