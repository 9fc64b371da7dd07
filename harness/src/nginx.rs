use std::path::{Path, PathBuf};

use crate::{Process, Ready, Result, Spec, build, find_program, free_port, template};

/// nginx with a configuration of ours, in a folder of its own.
#[derive(Debug)]
pub struct Nginx {
    spec: Spec,
    template: PathBuf,
    upstream: String,
}

impl Nginx {
    /// The installed `nginx`.
    ///
    /// # Errors
    /// [`crate::Error::Missing`] with how to get it.
    pub fn binary() -> Result<PathBuf> {
        find_program("nginx", "install it with `apt-get install nginx-light` or `brew install nginx`")
    }

    /// `template`: a configuration with `{{listen}}`, `{{upstream}}` (both `127.0.0.1:PORT`) and `{{folder}}`, where it may
    /// write.
    pub fn new(binary: impl AsRef<Path>, template: impl AsRef<Path>) -> Self {
        let template = template.as_ref().to_path_buf();
        Self { spec: Spec::new("nginx", binary), template, upstream: String::new() }
    }

    /// The server behind it, as `http://127.0.0.1:PORT`.
    pub fn upstream(mut self, url: &str) -> Self {
        url.trim_start_matches("http://").clone_into(&mut self.upstream);
        self
    }

    /// Changes what is passed on to the process: arguments, environment, log file, echo.
    pub fn with(mut self, change: impl FnOnce(Spec) -> Spec) -> Self {
        self.spec = change(self.spec);
        self
    }

    /// # Errors
    /// [`crate::Error::Io`] about its files; else as [`Process::start`].
    pub fn start(self) -> Result<Process> {
        let folder = build::scratch("nginx")?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        let config = folder.path().join("nginx.conf");
        let path = folder.path().to_string_lossy();
        let values = [("listen", &*listen), ("upstream", &*self.upstream), ("folder", &*path)];
        template::fill(&self.template, &values, &config)?;
        // Started by root it would run as a user who may not read the folder.
        let root = rustix::process::getuid().is_root();
        let spec = self.spec.arg("-p").arg(folder.path()).arg("-c").arg(&config).arg("-g");
        let spec = spec.arg(if root { "daemon off; user root;" } else { "daemon off;" });
        Ok(Process::start(spec, &Ready::Listens { url: format!("http://{listen}") })?.keep(folder))
    }
}
