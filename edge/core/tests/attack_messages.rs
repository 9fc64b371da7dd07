//! Wrong messages: what an answer says, to whom, and what a client can make it cost.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use http::{HeaderMap, HeaderValue, StatusCode};
use levee::config::{Config, Limits};
use levee::respond::conditional::{Condition, evaluate, range_applies};
use levee::testing::{Reply, Sim, config_for};

fn plain() -> Config {
    config_for(&["https://o.example"])
}

/// Fields for the edge alone stay there also where several parts are asked for and there is no room to cut them out.
#[test]
fn what_is_for_the_edge_reaches_no_client_that_asks_for_parts() {
    let limits = Limits { object: 64 << 20, memory: 1 << 20, ..Limits::default() };
    let body = "x".repeat(26 << 20);
    let sim = Sim::new(Config { limits, ..plain() }, move |_| {
        Reply::new("max-age=60", &body)
            .status(200)
            .field("cdn-cache-control", "max-age=60")
            .field("levee-cache-control", "max-age=60")
            .field("cache-tag", "secret-tag")
    });
    let whole = sim.send("GET", "/b", &[]);
    assert_eq!(whole.field("cache-tag"), "");
    // Its range goes to the origin first, which knows none.
    let answer = sim.send("GET", "/a", &[("range", "bytes=0-0,2-2")]);
    assert_eq!(answer.field("cache-tag"), "", "{}", answer.cache_status());
}

fn fields(pairs: &[(&'static str, &'static [u8])]) -> HeaderMap {
    pairs
        .iter()
        .map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap()))
        .collect()
}

/// Bytes above ASCII may stand in a tag (RFC 9110, section 8.8.3: `obs-text`).
#[test]
fn a_tag_with_bytes_above_ascii_is_a_tag() {
    let response = fields(&[("etag", b"\"\xe4\"")]);
    let of = |request: &HeaderMap| evaluate(request, StatusCode::OK, &response);
    assert_eq!(of(&fields(&[("if-none-match", b"\"\xe4\"")])), Condition::NotModified);
    assert_eq!(of(&fields(&[("if-match", b"\"\xe4\"")])), Condition::Proceed);
}

/// A tag is no quoted string: a backslash is a character of it (section 8.8.3).
#[test]
fn a_backslash_in_a_tag_escapes_nothing() {
    let response = fields(&[("etag", b"\"b\"")]);
    let of = |request: &HeaderMap| evaluate(request, StatusCode::OK, &response);
    assert_eq!(of(&fields(&[("if-none-match", b"\"a\\\", \"b\"")])), Condition::NotModified);
    assert_eq!(of(&fields(&[("if-match", b"\"a\\\", \"b\"")])), Condition::Proceed);
}

/// A date tells two parts of one representation only where it was changed at least a second before it was sent (sections
/// 8.8.2.2 and 13.1.5).
#[test]
fn a_weak_date_holds_no_parts_together() {
    let now = b"Tue, 14 Nov 2023 22:13:20 GMT";
    let response = fields(&[("last-modified", now), ("date", now)]);
    assert!(!range_applies(&fields(&[("if-range", now)]), &response));
}
