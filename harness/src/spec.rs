use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::log::Sink;

/// How one sees that a process is ready.
#[derive(Debug, Clone)]
pub enum Ready {
    /// A line on stdout or stderr contains `before`; its address is the `http…` that follows.
    Line { before: String },
    /// A line on stdout or stderr contains `text`; its address is `url`, which the caller knows.
    Text { text: String, url: String },
    /// workerd's control messages on stdout, `{"event":"listen","socket":"http","port":N}`.
    WorkerdControl,
    /// Something takes connections at this URL's host and port, whatever it speaks; its address is the URL.
    Listens { url: String },
    /// A GET of this URL gets an HTTP answer, whatever its status; its address is the URL's.
    Http { url: String },
}

/// What is started: a program, its arguments and environment, and where its output goes.
#[derive(Clone)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) sink: Option<Sink>,
    pub(crate) within: Duration,
    pub(crate) cancelled: Option<fn() -> bool>,
}

impl Spec {
    /// A program under the name that messages use for it.
    pub fn new(name: impl Into<String>, program: impl AsRef<Path>) -> Self {
        Self {
            name: name.into(),
            program: program.as_ref().to_path_buf(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            log_file: None,
            sink: None,
            within: Duration::from_secs(30),
            cancelled: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable; all others are inherited.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes an inherited environment variable away.
    pub fn env_remove(mut self, key: impl AsRef<OsStr>) -> Self {
        self.env.push((key.as_ref().to_owned(), None));
        self
    }

    /// The working directory; the caller's by default.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_path_buf());
        self
    }

    /// Writes the whole output to this file as well.
    pub fn log_file(mut self, path: impl AsRef<Path>) -> Self {
        self.log_file = Some(path.as_ref().to_path_buf());
        self
    }

    /// Hands every line of output to `sink` as it comes.
    pub fn echo(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// How long it may take to become ready; 30 s by default.
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Asked again and again while waiting; `true` stops the process and ends the wait.
    pub fn cancelled_by(mut self, cancelled: fn() -> bool) -> Self {
        self.cancelled = Some(cancelled);
        self
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .field("program", &self.program)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}
