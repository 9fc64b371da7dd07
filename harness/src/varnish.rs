use std::path::{Path, PathBuf};

use crate::{Process, Ready, Result, Spec, build, find_program, free_port, template};

/// Varnish with a VCL of ours, its objects in memory.
#[derive(Debug)]
pub struct Varnish {
    spec: Spec,
    template: PathBuf,
    origin_port: String,
    memory: String,
}

impl Varnish {
    /// The installed `varnishd`.
    ///
    /// # Errors
    /// [`crate::Error::Missing`] with how to get it.
    pub fn binary() -> Result<PathBuf> {
        find_program("varnishd", "install it with `apt-get install varnish` or `brew install varnish`")
    }

    /// `template`: a VCL with `{{origin_port}}`, a port of 127.0.0.1.
    pub fn new(binary: impl AsRef<Path>, template: impl AsRef<Path>) -> Self {
        Self {
            spec: Spec::new("varnish", binary),
            template: template.as_ref().to_path_buf(),
            origin_port: String::new(),
            memory: String::from("256m"),
        }
    }

    /// The server behind it, as `http://127.0.0.1:PORT`.
    pub fn origin(mut self, url: &str) -> Self {
        url.rsplit(':').next().unwrap_or_default().clone_into(&mut self.origin_port);
        self
    }

    /// What its objects may take, as Varnish writes it (`256m`).
    pub fn memory(mut self, size: &str) -> Self {
        size.clone_into(&mut self.memory);
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
        let folder = build::scratch("varnish")?;
        let listen = format!("127.0.0.1:{}", free_port()?);
        let vcl = folder.path().join("levee.vcl");
        template::fill(&self.template, &[("origin_port", &self.origin_port)], &vcl)?;
        let spec = self
            .spec
            .arg("-F")
            .args(["-a", &listen, "-s", &format!("malloc,{}", self.memory)])
            // Without its jail, which wants root and users of its own.
            .args(["-j", "none"])
            .arg("-f")
            .arg(&vcl)
            .arg("-n")
            .arg(folder.path().join("work"));
        Ok(Process::start(spec, &Ready::Listens { url: format!("http://{listen}") })?.keep(folder))
    }
}
