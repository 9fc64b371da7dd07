use std::path::{Path, PathBuf};

use crate::{Process, Ready, Result, Spec};

/// A Spin component in the project's own host, `levee-component-host`, without Spin.
#[derive(Debug)]
pub struct ComponentHost {
    spec: Spec,
    listen: String,
    binary: PathBuf,
}

impl ComponentHost {
    /// The binary to start and the `spin.toml` whose component it runs; it listens on a free port unless told otherwise.
    pub fn new(binary: impl AsRef<Path>, manifest: impl AsRef<Path>) -> Self {
        let binary = binary.as_ref().to_path_buf();
        let spec = Spec::new("levee-component-host", &binary).arg("--from").arg(manifest.as_ref());
        Self { spec, listen: String::from("127.0.0.1:0"), binary }
    }

    /// Listens on this port of 127.0.0.1.
    pub fn port(mut self, port: u16) -> Self {
        self.listen = format!("127.0.0.1:{port}");
        self
    }

    /// A value for a variable of the manifest.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.spec = self.spec.arg("--variable").arg(format!("{name}={value}"));
        self
    }

    /// Keeps the key-value stores in this SQLite file; in memory by default.
    pub fn sqlite(mut self, file: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--sqlite").arg(file.as_ref());
        self
    }

    /// A Redis that stands in for each one that the component opens and may reach.
    pub fn redis(mut self, url: &str) -> Self {
        self.spec = self.spec.arg("--redis").arg(url);
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
        crate::build::present(&self.binary, "cargo build -p levee-component-host")?;
        let ready = Ready::Line { before: String::from("levee-component-host listening on ") };
        Process::start(self.spec.arg("--listen").arg(&self.listen), &ready)
    }
}
