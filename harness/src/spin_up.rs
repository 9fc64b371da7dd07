use std::path::Path;

use crate::{Process, Ready, Result, Spec, ensure_free, free_port};

/// `spin up`: the component as Spin itself runs it.
#[derive(Debug)]
pub struct SpinUp {
    spec: Spec,
    port: Option<u16>,
}

impl SpinUp {
    /// Runs the application of this manifest by this `spin`, on a free port unless told otherwise.
    pub fn new(program: impl AsRef<Path>, manifest: impl AsRef<Path>) -> Self {
        let spec = Spec::new("spin up", program).args(["up", "--from"]).arg(manifest.as_ref());
        Self { spec, port: None }
    }

    /// Listens on this port of 127.0.0.1.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// A value for a variable of the manifest.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.spec = self.spec.arg("--variable").arg(format!("{name}={value}"));
        self
    }

    /// Keeps the key-value store and its logs in this folder.
    pub fn state(mut self, folder: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--state-dir").arg(folder.as_ref());
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// [`crate::Error::PortInUse`]; else as [`Process::start`].
    pub fn start(self) -> Result<Process> {
        let port = match self.port {
            Some(port) => port,
            None => free_port()?,
        };
        ensure_free(port)?;
        let ready = Ready::Line { before: String::from("Serving ") };
        Process::start(self.spec.arg("--listen").arg(format!("127.0.0.1:{port}")), &ready)
    }
}
