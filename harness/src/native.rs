use std::path::{Path, PathBuf};

use crate::{Process, Ready, Result, Spec};

/// The edge as a native server, `levee-native`.
#[derive(Debug)]
pub struct Native {
    spec: Spec,
    listen: String,
    binary: PathBuf,
}

impl Native {
    /// The binary to start; it listens on a free port unless told otherwise.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let binary = binary.as_ref().to_path_buf();
        Self { spec: Spec::new("levee-native", &binary), listen: String::from("127.0.0.1:0"), binary }
    }

    /// Listens on this port of 127.0.0.1.
    pub fn port(mut self, port: u16) -> Self {
        self.listen = format!("127.0.0.1:{port}");
        self
    }

    /// The configuration file; `levee.toml` in the working directory by default.
    pub fn config(mut self, file: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--config").arg(file.as_ref());
        self
    }

    /// Where the origin of this name is, instead of where the configuration says.
    pub fn origin(mut self, name: &str, url: &str) -> Self {
        self.spec = self.spec.arg("--origin").arg(format!("{name}={url}"));
        self
    }

    /// A host that is answered besides those of the configuration.
    pub fn host(mut self, host: &str) -> Self {
        self.spec = self.spec.arg("--host").arg(host);
        self
    }

    /// Keeps entries in this SQLite file as well as in memory.
    pub fn store(mut self, file: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--store").arg(file.as_ref());
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// As [`Process::start`].
    pub fn start(self) -> Result<Process> {
        crate::build::present(&self.binary, "cargo build -p levee-native")?;
        let ready = Ready::Line { before: String::from("levee-native listening on ") };
        Process::start(self.spec.arg("--listen").arg(&self.listen), &ready)
    }
}
