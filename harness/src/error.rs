use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a part of the system could not be started. Each message is meant to be shown as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is not there or may not be run.
    #[error("{name} could not be started: {program}: {source}", program = program.display())]
    Spawn { name: String, program: PathBuf, source: io::Error },

    /// It ended before it was ready.
    #[error("{name} ended before it was ready ({status}){}", tail(log))]
    Died { name: String, status: ExitStatus, log: String },

    /// It runs, but was not ready in time, and has been stopped.
    #[error("{name} was not ready within {within:?}: waited for {awaited}{}", tail(log))]
    Late { name: String, within: Duration, awaited: String, log: String },

    /// The caller asked for the wait to end (Ctrl-C).
    #[error("{name} was stopped before it was ready")]
    Cancelled { name: String },

    /// Another program listens there.
    #[error("port {port} on 127.0.0.1 is in use by another program; stop it or choose another port")]
    PortInUse { port: u16 },

    /// A file or folder that the part needs.
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },

    /// Something that has to be built or installed first.
    #[error("{what} is missing: {remedy}")]
    Missing { what: String, remedy: String },

    /// `cargo build` failed; its own messages are on stderr.
    #[error("cargo build failed for {package}")]
    Build { package: String },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

fn tail(log: &str) -> String {
    if log.is_empty() { String::from("; it wrote nothing") } else { format!("; its last lines:\n{log}") }
}
