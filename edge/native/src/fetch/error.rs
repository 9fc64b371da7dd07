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
        return FetchError::Client(fault.clone());
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
        FetchError::ConnectionTerminated(text)
    }
}
