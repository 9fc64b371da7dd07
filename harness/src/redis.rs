use std::env;
use std::path::{Path, PathBuf};

use crate::{Error, Process, Ready, Result, Spec, free_port};

/// A `redis-server` of one's own: on 127.0.0.1, keeping nothing, gone with its value.
#[derive(Debug)]
pub struct Redis {
    spec: Spec,
    port: Option<u16>,
}

/// The port was free when it was chosen; another program may have taken it meanwhile. Then the next one, this often.
const ATTEMPTS: u32 = 4;

impl Redis {
    /// The server to start, from [`find_redis`]; it listens on a free port unless told otherwise.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let spec = Spec::new("redis-server", binary).args(["--bind", "127.0.0.1", "--daemonize", "no"]);
        Self { spec: spec.args(["--save", "", "--appendonly", "no"]), port: None }
    }

    /// Listens on this port of 127.0.0.1.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// Starts it; its address begins with `redis://`.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start(self) -> Result<Process> {
        let folder = crate::build::scratch("levee-redis")?;
        let spec = self.spec.arg("--dir").arg(folder.path());
        let mut attempt = 1;
        loop {
            let port = self.port.map_or_else(free_port, Ok)?;
            let ready = Ready::Text {
                text: String::from("Ready to accept connections"),
                url: format!("redis://127.0.0.1:{port}"),
            };
            match Process::start(spec.clone().arg("--port").arg(port.to_string()), &ready) {
                Err(Error::Died { log, .. })
                    if self.port.is_none() && attempt < ATTEMPTS && log.contains("in use") =>
                {
                    attempt += 1;
                }
                started => return Ok(started?.keep(folder)),
            }
        }
    }
}

/// The `redis-server` of this machine: `LEVEE_REDIS_SERVER`, else the one in PATH.
///
/// # Errors
/// [`Error::Missing`] when there is none, or when `LEVEE_REDIS_SERVER` names a file that is not there.
pub fn find_redis() -> Result<PathBuf> {
    if let Some(path) = env::var_os("LEVEE_REDIS_SERVER").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        let what = format!("the Redis {} (LEVEE_REDIS_SERVER)", path.display());
        return Err(Error::Missing { what, remedy: String::from("correct the path or unset the variable") });
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|file| file.is_file());
    found.ok_or_else(|| Error::Missing {
        what: String::from("redis-server"),
        remedy: String::from(
            "install Redis (`apt-get install redis-server`, `brew install redis`), or set LEVEE_REDIS_SERVER to its path",
        ),
    })
}
