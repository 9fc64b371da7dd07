use std::path::{Path, PathBuf};

use crate::{Process, Ready, Result, Spec, build};

/// A Python application under gunicorn, from a virtual environment.
#[derive(Debug)]
pub struct Gunicorn {
    spec: Spec,
    binary: PathBuf,
}

impl Gunicorn {
    /// `environment`: the folder of the virtual environment. `application`: the folder with `gunicorn.conf.py` and the
    /// module `app`, whose `app` is served.
    pub fn new(environment: impl AsRef<Path>, application: impl AsRef<Path>) -> Self {
        let binary = environment.as_ref().join("bin/gunicorn");
        let spec = Spec::new("gunicorn", &binary)
            .args(["--bind", "127.0.0.1:0", "--config"])
            .arg(application.as_ref().join("gunicorn.conf.py"))
            .arg("--chdir")
            .arg(application.as_ref())
            .arg("app:app")
            // The folder is the project's: nothing is left behind in it.
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Self { spec, binary }
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// As [`Process::start`].
    pub fn start(self) -> Result<Process> {
        build::present(&self.binary, "python3 -m venv, and pip install with the application's requirements")?;
        Process::start(self.spec, &Ready::Line { before: String::from("Listening at:") })
    }
}
