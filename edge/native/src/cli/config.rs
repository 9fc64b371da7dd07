//! The configuration that the command line asks for.

use std::path::Path;

use anyhow::{Context, bail};
use http::Uri;
use http::uri::PathAndQuery;
use levee_config::{Compiled, Overrides};
use levee_native::levee::config::{Config, HostPattern};

use super::Arguments;

/// What is read where the command line names neither a file nor an origin.
const DEFAULT: &str = "levee.toml";

impl Arguments {
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let mut overrides = Overrides { hosts: self.host.clone(), origins: Vec::new() };
        let mut alone = Vec::new();
        for origin in &self.origin {
            match named(origin) {
                Some((name, url)) => overrides.origins.push((name.to_owned(), url.to_owned())),
                None => alone.push(origin),
            }
        }
        let path = match (&self.config, &alone[..]) {
            (Some(path), []) => path,
            (None, [url]) => return accept(levee_config::neutral(url, &overrides)?),
            (None, []) if Path::new(DEFAULT).exists() => Path::new(DEFAULT),
            (None, []) => bail!(
                "there is no {DEFAULT} here: name a configuration (--config FILE), \
                 or one origin (--origin http://127.0.0.1:8081)"
            ),
            (_, [url, ..]) => bail!(
                "--origin {url}: write NAME=URL, with the name of an origin of the configuration; \
                 one URL alone stands in for a configuration"
            ),
        };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.starts_with(b"LVC") {
            let config = Config::decode(&bytes).with_context(|| path.display().to_string())?;
            return change(config, overrides);
        }
        accept(levee_config::compile_file(path, &overrides)?)
    }
}

fn accept(compiled: Compiled) -> anyhow::Result<Config> {
    for warning in &compiled.warnings {
        tracing::warn!("{warning}");
    }
    Ok(compiled.config)
}

/// Changes what was compiled elsewhere.
fn change(mut config: Config, overrides: Overrides) -> anyhow::Result<Config> {
    // Where no host is named, every host is served already.
    if !config.hosts.is_empty() {
        config.hosts.extend(overrides.hosts.iter().map(|host| HostPattern::new(host.to_ascii_lowercase())));
    }
    for (name, url) in overrides.origins {
        let url = base(&url)?;
        match config.origins.iter_mut().find(|origin| origin.name == name) {
            Some(origin) => origin.url = url,
            None => {
                let known: Vec<_> = config.origins.iter().map(|origin| origin.name.as_str()).collect();
                bail!("--origin {name}={url}: the configuration's origins are called {}", known.join(", "));
            }
        }
    }
    Ok(config)
}

/// `NAME=URL`. A URL alone may hold `=` too, but only after its scheme.
fn named(origin: &str) -> Option<(&str, &str)> {
    origin.split_once('=').filter(|(name, _)| !name.contains(':'))
}

/// Scheme and authority, as the edge puts paths behind them.
fn base(url: &str) -> anyhow::Result<String> {
    let uri: Uri = url.parse().with_context(|| format!("`{url}` is no URL"))?;
    match (uri.scheme_str(), uri.authority(), uri.path_and_query().map(PathAndQuery::as_str)) {
        (Some(scheme @ ("http" | "https")), Some(authority), None | Some("/")) => {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => bail!("`{url}`: an origin is http or https, a host, and no path: http://127.0.0.1:8081"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<Config> {
        Arguments::parse_from([&["levee-native"], arguments].concat()).config()
    }

    #[test]
    fn one_origin_is_enough() {
        let config = config(&["--origin", "http://127.0.0.1:81"]).unwrap();
        assert_eq!(config.origins[0].url, "http://127.0.0.1:81");
        assert!(config.hosts.is_empty());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in ["ftp://a", "a", "http://a/b", "/x", "http://a/?b=c"] {
            assert!(config(&["--origin", wrong]).is_err(), "{wrong}");
            assert!(base(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_in_either_form_with_changes() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("levee.toml");
        std::fs::write(
            &source,
            "version = 1\nhosts = [\"a.example\"]\n[origins.shop]\nurl = \"https://shop.example\"\n",
        )
        .unwrap();
        let source = source.to_str().unwrap();
        let compiled = dir.path().join("levee.bin");
        std::fs::write(&compiled, config(&["--config", source]).unwrap().encode()).unwrap();
        for path in [source, compiled.to_str().unwrap()] {
            let changed =
                config(&["--config", path, "--origin", "shop=http://[::1]:7", "--host", "LocalHost"])
                    .unwrap();
            assert_eq!(changed.origins[0].url, "http://[::1]:7");
            assert!(changed.hosts.iter().any(|host| host.matches("localhost")));
            assert!(changed.hosts.iter().any(|host| host.matches("a.example")));
            let error = config(&["--config", path, "--origin", "other=http://a"]).unwrap_err();
            assert!(error.to_string().contains("shop"), "{error}");
            assert!(config(&["--config", path, "--origin", "http://a"]).is_err());
        }
    }

    #[test]
    fn a_file_that_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wrong.toml");
        std::fs::write(&path, "version = 1\nhosst = []\n").unwrap();
        let error = format!("{:#}", config(&["--config", path.to_str().unwrap()]).unwrap_err());
        assert!(error.contains("wrong.toml") && error.contains("hosst"), "{error}");
        let missing = dir.path().join("missing.toml");
        let error = format!("{:#}", config(&["--config", missing.to_str().unwrap()]).unwrap_err());
        assert!(error.contains("missing.toml"), "{error}");
    }
}
