use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, Process, Ready, Result, Spec, ensure_free, free_port};

/// wrangler chooses further ports for its own use before it listens there; any connection may take one meanwhile. It is
/// then started again, this often at most.
const ATTEMPTS: u32 = 4;

/// `wrangler dev`: the Worker as its author sees it, for a browser. Its proxy answers a few hundred requests a
/// second; what is measured runs on [`crate::Workerd`].
#[derive(Debug)]
pub struct WranglerDev {
    spec: Spec,
    port: Option<u16>,
    script: PathBuf,
}

impl WranglerDev {
    /// The wrangler configuration for a bundle that was built already, made from the project's own `wrangler.toml`: the
    /// same but for `main` (relative to where the result is kept) and for the build that would replace the bundle.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read or is not TOML.
    pub fn config_for(wrangler_toml: impl AsRef<Path>, main: &str) -> Result<String> {
        let path = wrangler_toml.as_ref();
        let what = || path.display().to_string();
        let text = fs::read_to_string(path).map_err(Error::io(what()))?;
        let invalid = |error: toml::de::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut table: toml::Table = text.parse().map_err(invalid).map_err(Error::io(what()))?;
        table.remove("build");
        table.insert(String::from("main"), toml::Value::from(main));
        serde_json::to_string_pretty(&table).map_err(io::Error::from).map_err(Error::io(what()))
    }

    /// Runs the wrangler of this `node_modules` on this Node, with this wrangler configuration.
    pub fn new(node: impl AsRef<Path>, node_modules: impl AsRef<Path>, config: impl AsRef<Path>) -> Self {
        let script = node_modules.as_ref().join("wrangler/bin/wrangler.js");
        let spec = Spec::new("wrangler dev", node.as_ref())
            .arg(&script)
            .args(["dev", "--ip", "127.0.0.1", "--show-interactive-dev-session", "false", "--config"])
            .arg(config.as_ref())
            .env("WRANGLER_SEND_METRICS", "false")
            // A request's place on earth is not asked for: a placeholder will do, and nothing leaves this machine.
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0")
            .within(Duration::from_secs(60));
        Self { spec, port: None, script }
    }

    /// Listens on this port of 127.0.0.1 instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Keeps KV and the like under this folder.
    pub fn persist_to(mut self, folder: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--persist-to").arg(folder.as_ref());
        self
    }

    /// A variable of the Worker.
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.spec = self.spec.arg("--var").arg(format!("{name}:{value}"));
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// [`Error::PortInUse`]; else as [`Process::start`].
    pub fn start(self) -> Result<Process> {
        crate::build::present(&self.script, "npm ci")?;
        let port = match self.port {
            Some(port) => port,
            None => free_port()?,
        };
        ensure_free(port)?;
        let spec = self.spec.arg("--port").arg(port.to_string());
        let ready = Ready::Line { before: String::from("Ready on ") };
        for _ in 1..ATTEMPTS {
            match Process::start(spec.clone(), &ready) {
                Err(Error::Died { log, .. }) if log.contains("Address already in use") => ensure_free(port)?,
                started => return started,
            }
        }
        Process::start(spec, &ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_file_without_its_build() {
        let toml = concat!(env!("CARGO_MANIFEST_DIR"), "/../wrangler.toml");
        let config = WranglerDev::config_for(toml, "worker/index.mjs").expect("a configuration");
        let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        assert_eq!(config["main"], "worker/index.mjs");
        assert_eq!(config["kv_namespaces"][0]["binding"], "LEVEE_KV");
        assert!(config["build"].is_null());
    }
}
