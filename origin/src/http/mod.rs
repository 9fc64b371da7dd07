//! What every route shares: replies, errors, query strings, and the layers around the router.

mod conditional;
mod finish;
mod problem;
mod query;
pub(crate) mod reply;
mod request_log;
mod security;

use http::{Method, StatusCode, Uri};

pub(crate) use finish::finish;
pub(crate) use problem::{PROBLEM_TYPES, Problem};
pub(crate) use query::Pairs;
pub(crate) use request_log::request_log;

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The answer where no route matches.
pub(crate) async fn no_such_page(uri: Uri) -> Problem {
    Problem::not_found(format!("There is nothing at {}.", uri.path()))
}

/// The answer where the path exists but not for this method; `Allow` is added by the router.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not answer to {method}; the field Allow says to what it does.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}
