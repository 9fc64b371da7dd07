//! The configuration that `workerd serve` reads, in Cap'n Proto's text form.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::{Error, Result};

/// Where the bundle's files go, beside the configuration.
const MODULES: &str = "bundle";

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) vars: Vec<(String, String)>,
    pub(super) replaced: Vec<(String, Vec<u8>)>,
    pub(super) date: String,
    pub(super) flags: Vec<String>,
    pub(super) kv: bool,
    /// How many responses the Cache API keeps; `None`: it is not there.
    pub(super) cache: Option<u32>,
    /// The ports of KV and the Cache API where these are another process's; else they are in this one.
    pub(super) apart: Option<(u16, u16)>,
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            vars: Vec::new(),
            replaced: Vec::new(),
            // The same as in wrangler.toml; a test in this file holds them together.
            date: String::from("2026-10-01"),
            flags: Vec::new(),
            kv: true,
            cache: Some(100_000),
            apart: None,
        }
    }
}

impl Worker {
    /// Copies the bundle, with what replaces parts of it, and returns its modules' paths, the entry first.
    pub(super) fn copy(&self, bundle: &Path, to: &Path) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        walk(bundle, "", &mut paths)?;
        paths.extend(self.replaced.iter().map(|(path, _)| path.clone()));
        paths.sort_by_key(|path| (path != "index.mjs", path.clone()));
        paths.dedup();
        for path in &paths {
            let target = to.join(MODULES).join(path);
            let failed = || format!("copying {path} of the bundle {}", bundle.display());
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(Error::io(failed()))?;
            }
            match self.replaced.iter().find(|(replaced, _)| replaced == path) {
                Some((_, content)) => fs::write(&target, content).map_err(Error::io(failed()))?,
                None => fs::copy(bundle.join(path), &target).map(drop).map_err(Error::io(failed()))?,
            }
        }
        Ok(paths)
    }

    /// The configuration's text, for modules copied by [`Worker::copy`].
    pub(super) fn capnp(&self, modules: &[String], port: u16) -> String {
        let mut listed = String::new();
        for path in modules {
            let Some(kind) = kind(path) else { continue };
            let _ = writeln!(
                listed,
                "    (name = {}, {kind} = embed {}),",
                quoted(path),
                quoted(&format!("{MODULES}/{path}"))
            );
        }
        let mut bindings = String::new();
        if self.kv {
            bindings.push_str("    (name = \"LEVEE_KV\", kvNamespace = \"kv\"),\n");
        }
        for (name, value) in &self.vars {
            let _ = writeln!(bindings, "    (name = {}, text = {}),", quoted(name), quoted(value));
        }
        let outbound = if self.cache.is_some() { "\n  cacheApiOutbound = \"cache\"," } else { "" };
        let flags = self.flags.iter().map(|flag| quoted(flag)).collect::<Vec<_>>().join(", ");
        let date = quoted(&self.date);
        let external = |port| format!("external = (address = \"127.0.0.1:{port}\", http = ())");
        let (kv, cache, workers) = match self.apart {
            Some((kv, cache)) => (external(kv), external(cache), String::new()),
            None => {
                let cache = cache_worker(&self.date, self.cache.unwrap_or_default());
                (
                    String::from("worker = .kv"),
                    String::from("worker = .cache"),
                    kv_worker(&self.date) + &cache,
                )
            }
        };
        format!(
            r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "levee", worker = .levee),
    (name = "kv", {kv}),
    (name = "cache", {cache}),
    (name = "internet", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = true)
    )),
  ],
  {sockets}
);

const levee :Workerd.Worker = (
  modules = [
{listed}  ],
  bindings = [
{bindings}  ],{outbound}
  compatibilityDate = {date},
  compatibilityFlags = [{flags}]
);
{workers}"#,
            sockets = sockets(&[("http", port, "levee")]),
        )
    }
}

/// Sockets by name, port (0: a free one) and service.
pub(super) fn sockets(all: &[(&str, u16, &str)]) -> String {
    let listed = all.iter().map(|(name, port, service)| {
        format!("(name = \"{name}\", address = \"127.0.0.1:{port}\", http = (), service = \"{service}\")")
    });
    format!("sockets = [{}]", listed.collect::<Vec<_>>().join(", "))
}

/// The Worker `kv`, out of `kv.mjs`.
pub(super) fn kv_worker(date: &str) -> String {
    let date = quoted(date);
    format!(
        r#"
const kv :Workerd.Worker = (
  modules = [(name = "kv.mjs", esModule = embed "kv.mjs")],
  compatibilityDate = {date}
);
"#
    )
}

/// The Worker `cache`, out of `cache.mjs`, which keeps so many responses.
pub(super) fn cache_worker(date: &str, most: u32) -> String {
    let date = quoted(date);
    format!(
        r#"
const cache :Workerd.Worker = (
  modules = [(name = "cache.mjs", esModule = embed "cache.mjs")],
  bindings = [(name = "MOST", text = "{most}")],
  compatibilityDate = {date}
);
"#
    )
}

/// The kind of module that a file is, by the same names as wrangler's rules.
fn kind(path: &str) -> Option<&'static str> {
    match path.rsplit('.').next()? {
        "mjs" | "js" => Some("esModule"),
        "wasm" => Some("wasm"),
        "bin" => Some("data"),
        "txt" | "html" => Some("text"),
        _ => None,
    }
}

fn walk(folder: &Path, prefix: &str, into: &mut Vec<String>) -> Result<()> {
    let failed = || format!("reading the bundle {}", folder.display());
    for entry in fs::read_dir(folder).map_err(Error::io(failed()))? {
        let entry = entry.map_err(Error::io(failed()))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{name}/"), into)?;
        } else if kind(&name).is_some() {
            into.push(name);
        }
    }
    Ok(())
}

/// A string literal of Cap'n Proto's text form, which is C's.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_may_contain_anything() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn same_compatibility_date_as_when_deployed() {
        let wrangler = include_str!("../../../wrangler.toml");
        let date = format!("compatibility_date = \"{}\"", Worker::default().date);
        assert!(wrangler.contains(&date), "wrangler.toml has no line {date}");
    }
}
