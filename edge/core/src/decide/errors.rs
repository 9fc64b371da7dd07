//! Errors: which of them say something about the resource, and which about one request or one moment.

use http::StatusCode;

/// Whether a request's own fields may have caused this status, so that it says nothing about what others get: a field that is
/// too large, a form that is not offered, a precondition, a range, a rate. Levee assigns it no lifetime.
pub const fn is_of_one_request(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 406 | 408 | 411..=413 | 415..=417 | 421 | 422 | 425 | 426 | 428 | 429 | 431)
}

/// Whether a stored response outlives this one: an error of the server, or one that may concern this request alone. A 404 or
/// 410 replaces it.
pub const fn leaves_entry(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 405 | 406 | 408 | 411..=418 | 421..=431 | 500..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::from_u16(code).unwrap()
    }

    #[test]
    fn what_concerns_the_resource_replaces_what_was_there() {
        for replaces in [200, 203, 204, 300, 301, 302, 307, 308, 404, 410, 451] {
            assert!(!leaves_entry(status(replaces)), "{replaces}");
        }
        for leaves in [400, 401, 403, 406, 412, 416, 421, 429, 431, 500, 502, 503, 504, 599, 999] {
            assert!(leaves_entry(status(leaves)), "{leaves}");
        }
    }

    #[test]
    fn every_error_of_one_request_leaves_the_entry() {
        for code in 100..1000 {
            assert!(!is_of_one_request(status(code)) || leaves_entry(status(code)), "{code}");
        }
    }
}
