//! Conditional requests (RFC 9110, section 13), put to a response that is stored or on its way.

use http::{HeaderMap, StatusCode, header};

use crate::fields::{
    self,
    etag::{self, ETag},
};

/// What a request's conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There are none, or they let the answer through.
    Proceed,
    /// The client has this answer: 304.
    NotModified,
    /// The client wants no other representation than one it knows, and this is another: 412.
    Failed,
}

/// Puts a request's conditions to a response, in the order of section 13.2.2. `If-Range` comes with the range
/// ([`range_applies`]).
pub fn evaluate(request: &HeaderMap, status: StatusCode, response: &HeaderMap) -> Condition {
    if !status.is_success() {
        return Condition::Proceed;
    }
    if fails(request, response) {
        return Condition::Failed;
    }
    let matched = if request.contains_key(header::IF_NONE_MATCH) {
        none_match(request, response)
    } else {
        not_modified_since(request, response)
    };
    if matched { Condition::NotModified } else { Condition::Proceed }
}

/// Whether `If-Match`, else `If-Unmodified-Since`, rules a response out (sections 13.1.1 and 13.1.4).
pub fn fails(request: &HeaderMap, response: &HeaderMap) -> bool {
    if request.contains_key(header::IF_MATCH) {
        let current = ETag::of(response);
        return !etag::any(request, &header::IF_MATCH, |tag| current.is_some_and(|ours| ours.strong_eq(tag)));
    }
    let date = |fields, name| fields::text(fields, name).and_then(fields::date::parse);
    match (date(request, "if-unmodified-since"), date(response, "last-modified")) {
        (Some(since), Some(modified)) => modified > since,
        // Without a date to compare the condition is ignored.
        _ => false,
    }
}

fn none_match(request: &HeaderMap, response: &HeaderMap) -> bool {
    let stored = ETag::of(response);
    etag::any(request, &header::IF_NONE_MATCH, |tag| stored.is_some_and(|ours| ours.weak_eq(tag)))
}

fn not_modified_since(request: &HeaderMap, response: &HeaderMap) -> bool {
    let Some(since) = fields::text(request, "if-modified-since").and_then(fields::date::parse) else {
        return false;
    };
    let modified = fields::text(response, "last-modified")
        .or_else(|| fields::text(response, "date"))
        .and_then(fields::date::parse);
    modified.is_some_and(|modified| modified <= since)
}

/// Whether `Range` is to be looked at: there is no `If-Range`, or it names exactly this response (section 13.1.5).
pub fn range_applies(request: &HeaderMap, response: &HeaderMap) -> bool {
    let Some(validator) = request.get(header::IF_RANGE) else { return true };
    if validator.as_bytes().contains(&b'"') {
        let wanted = ETag::parse(validator.as_bytes());
        return ETag::of(response).is_some_and(|ours| ours.strong_eq(&wanted));
    }
    let Ok(validator) = validator.to_str() else { return false };
    let Some(modified) = fields::text(response, "last-modified") else { return false };
    modified.trim() == validator.trim() && is_strong_date(modified, response)
}

/// Whether a date tells two representations apart: one of the same second as the response may stand for two (section 8.8.2.2).
fn is_strong_date(modified: &str, response: &HeaderMap) -> bool {
    let date = fields::text(response, "date").and_then(fields::date::parse);
    match (fields::date::parse(modified), date) {
        (Some(modified), Some(date)) => date.since(modified) >= std::time::Duration::from_secs(1),
        // Without a date of the response nothing speaks against it.
        (_, None) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn condition(
        request: &[(&'static str, &'static str)],
        response: &[(&'static str, &'static str)],
    ) -> Condition {
        evaluate(&map(request), StatusCode::OK, &map(response))
    }

    const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const NEW: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

    #[test]
    fn tags_are_compared_weakly_and_come_first() {
        let response = [("etag", "W/\"a\""), ("last-modified", NEW)];
        assert_eq!(condition(&[("if-none-match", "\"b\", \"a\"")], &response), Condition::NotModified);
        assert_eq!(condition(&[("if-none-match", "*")], &response), Condition::NotModified);
        assert_eq!(
            condition(&[("if-none-match", "\"b\""), ("if-modified-since", NEW)], &response),
            Condition::Proceed
        );
    }

    #[test]
    fn dates() {
        let response = [("last-modified", OLD)];
        assert_eq!(condition(&[("if-modified-since", OLD)], &response), Condition::NotModified);
        assert_eq!(condition(&[("if-modified-since", OLD)], &[("last-modified", NEW)]), Condition::Proceed);
        assert_eq!(condition(&[("if-modified-since", "soon")], &response), Condition::Proceed);
    }

    #[test]
    fn a_representation_that_the_client_does_not_know_fails() {
        let response = [("etag", "\"a\""), ("last-modified", NEW)];
        assert_eq!(condition(&[("if-match", "\"b\", \"a\"")], &response), Condition::Proceed);
        assert_eq!(condition(&[("if-match", "*")], &response), Condition::Proceed);
        assert_eq!(condition(&[("if-match", "\"b\"")], &response), Condition::Failed);
        assert_eq!(condition(&[("if-match", "\"a\"")], &[("etag", "W/\"a\"")]), Condition::Failed);
        assert_eq!(condition(&[("if-match", "\"a\"")], &[]), Condition::Failed);
        assert_eq!(condition(&[("if-unmodified-since", OLD)], &response), Condition::Failed);
        assert_eq!(condition(&[("if-unmodified-since", NEW)], &response), Condition::Proceed);
        assert_eq!(condition(&[("if-unmodified-since", OLD)], &[]), Condition::Proceed);
        let both = [("if-match", "\"a\""), ("if-unmodified-since", OLD)];
        assert_eq!(condition(&both, &response), Condition::Proceed, "the tag comes first");
        let none_match = [("if-match", "\"b\""), ("if-none-match", "\"a\"")];
        assert_eq!(condition(&none_match, &response), Condition::Failed, "before If-None-Match");
    }

    #[test]
    fn if_range_is_strict() {
        let response = map(&[("etag", "\"a\""), ("last-modified", OLD)]);
        assert!(range_applies(&map(&[("if-range", "\"a\"")]), &response));
        assert!(!range_applies(&map(&[("if-range", "W/\"a\"")]), &response));
        assert!(range_applies(&map(&[("if-range", OLD)]), &response));
        assert!(!range_applies(&map(&[("if-range", NEW)]), &response));
    }
}
