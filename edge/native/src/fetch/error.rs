//! Names for what goes wrong on the way to an origin (RFC 9209, section 2.3).

use std::error::Error;
use std::io;

use levee::platform::FetchError;

use crate::body::BodyError;

/// Why no connection could be made.
pub(super) fn of_connect(error: &io::Error) -> FetchError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => FetchError::ConnectionRefused,
        io::ErrorKind::TimedOut => FetchError::ConnectionTimeout,
        _ => FetchError::ConnectionTerminated(error.to_string()),
    }
}

/// Why an exchange on a connection failed.
pub(super) fn of_exchange(error: &hyper::Error) -> FetchError {
    if let Some(fault) = BodyError::client_fault(error) {
        return fault.clone().into();
    }
    let text = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    if error.is_parse() {
        FetchError::Protocol(text)
    } else if error.is_user() {
        FetchError::Internal(text)
    } else {
        let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            // The origin did not take the request, for too long.
            Some(io::ErrorKind::TimedOut) => FetchError::ResponseTimeout,
            Some(io::ErrorKind::InvalidData) => FetchError::Protocol(text),
            _ => FetchError::ConnectionTerminated(text),
        }
    }
}

/// Why an exchange failed on a connection that had been used before, and on which nothing was heard: the origin closed it, and
/// that crossed with the request. What has another cause is named by it.
pub(super) fn of_reused(error: &hyper::Error) -> FetchError {
    match of_exchange(error) {
        FetchError::ConnectionTerminated(_) => FetchError::KeptAliveClosed,
        other => other,
    }
}
