use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Process, Ready, Result, Spec};

/// The box office, `levee-origin`.
#[derive(Debug)]
pub struct Origin {
    spec: Spec,
    listen: String,
    temporary: bool,
    binary: PathBuf,
}

impl Origin {
    /// The binary to start. Unless told otherwise it listens on a free port and keeps its database in a temporary
    /// folder that goes when the process does.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let binary = binary.as_ref().to_path_buf();
        let spec = Spec::new("levee-origin", &binary).within(Duration::from_secs(120));
        Self { spec, listen: String::from("127.0.0.1:0"), temporary: true, binary }
    }

    /// Listens on this port of 127.0.0.1.
    pub fn port(mut self, port: u16) -> Self {
        self.listen = format!("127.0.0.1:{port}");
        self
    }

    /// Keeps the database in this file.
    pub fn database(mut self, file: impl AsRef<Path>) -> Self {
        self.spec = self.spec.arg("--database").arg(file.as_ref());
        self.temporary = false;
        self
    }

    /// How long `GET /data/{key}` takes.
    pub fn data_delay(mut self, delay: Duration) -> Self {
        self.spec = self.spec.arg("--data-delay").arg(format!("{}ms", delay.as_millis()));
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// Starts it; the first start with a new database loads the catalogue into it.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start(mut self) -> Result<Process> {
        crate::build::present(&self.binary, "cargo build -p levee-origin")?;
        let ready = Ready::Line { before: String::from("levee-origin listening on ") };
        self.spec = self.spec.arg("--listen").arg(&self.listen);
        if !self.temporary {
            return Process::start(self.spec, &ready);
        }
        let folder = crate::build::scratch("levee-origin")?;
        let spec = self.spec.arg("--database").arg(folder.path().join("box-office.sqlite"));
        Ok(Process::start(spec, &ready)?.keep(folder))
    }
}
