use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a component could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The manifest is not a manifest, or asks for what this host does not have.
    #[error("{}: {why}", file.display())]
    Manifest {
        /// The manifest.
        file: PathBuf,
        /// What is wrong, and where it stands.
        why: String,
    },
    /// A variable was given that the manifest does not declare, or a required one was not.
    #[error("{0}")]
    Variable(String),
    /// The component is not one, or imports what this host does not have.
    #[error("{}: {why}", file.display())]
    Component {
        /// The component.
        file: PathBuf,
        /// What the runtime says.
        why: String,
    },
    /// A limit in the environment is no number.
    #[error("{name} is {value:?}, which is no number for it")]
    Limit {
        /// The variable.
        name: String,
        /// What it says.
        value: String,
    },
    /// A store of the key-value interface could not be opened.
    #[error("the key-value store {file}: {source}")]
    Store {
        /// Its file.
        file: String,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file or folder could not be read or made.
    #[error("{what}: {source}")]
    Io {
        /// Which one, and what was done with it.
        what: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
