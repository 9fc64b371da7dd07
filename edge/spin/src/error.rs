//! What a handler may fail with.

use levee::body::CaptureError;
use levee::origin::OriginError;

/// A failure of a handler. Its text is for the operator: it is logged, and clients do not see it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No origin answered.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The response could not be built.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// A body could not be read.
    #[error(transparent)]
    Body(#[from] CaptureError),
    /// A variable is not there, or its provider failed.
    #[error("variable `{name}`: {reason}")]
    Variable { name: String, reason: String },
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Any other failure, as a sentence.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }
}

impl From<Error> for OriginError {
    fn from(error: Error) -> Self {
        match error {
            Error::Origin(error) => error,
            other => Self::Handler(other.to_string()),
        }
    }
}
