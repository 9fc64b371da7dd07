//! What an origin forbids holds however it is written.

#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use levee::Time;
use levee::config::{Policy, Ttl};
use levee::decide::{Candidate, Freshness, storable};
use proptest::prelude::*;
use proptest::sample::select;

/// Whether a response with this `Cache-Control` is stored, where everything else speaks for it.
fn is_stored(lines: &[String]) -> bool {
    let policy = Policy {
        ttl: Ttl { default: Duration::from_secs(60), max: None, overrides: Some(Duration::from_secs(60)) },
        ..Policy::default()
    };
    let mut response = HeaderMap::new();
    response.insert("etag", HeaderValue::from_static("\"1\""));
    for line in lines {
        let bytes: Vec<u8> = line.chars().map(|c| c as u8).collect();
        response.append("cache-control", HeaderValue::from_bytes(&bytes).unwrap());
    }
    let now = Time(1_700_000_000_000);
    let freshness = Freshness::compute(StatusCode::OK, &response, now, now, &policy);
    let candidate = Candidate {
        request: &HeaderMap::new(),
        request_no_store: false,
        status: StatusCode::OK,
        response: &response,
        freshness: &freshness,
        length: Some(1),
    };
    storable(&candidate, 1 << 20, &policy).is_ok()
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// A line without the quoted strings of its directives; `None`: it is not a list of directives. By cutting, where the edge reads
/// from left to right.
fn without_strings(line: &str) -> Option<String> {
    let mut text = line.to_owned();
    while let Some(open) = text.find('"') {
        let escaped =
            |at: usize| text[open + 1..at].bytes().rev().take_while(|&b| b == b'\\').count() % 2 == 1;
        let close = (open + 1..text.len()).find(|&at| text.as_bytes()[at] == b'"' && !escaped(at))?;
        let name = text[..open].trim_end_matches([' ', '\t']).strip_suffix('=')?;
        let name = name.rsplit(',').next()?.trim_matches([' ', '\t']);
        let after = text[close + 1..].trim_start_matches([' ', '\t']);
        if !is_token(name) || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        text.replace_range(open..=close, "");
    }
    text.split(',')
        .map(|directive| directive.trim_matches([' ', '\t']))
        .all(|directive| match directive.split_once('=') {
            _ if directive.is_empty() => true,
            None => is_token(directive),
            Some((name, value)) => {
                let value = value.trim_start_matches([' ', '\t']);
                is_token(name.trim_end_matches([' ', '\t'])) && (value.is_empty() || is_token(value))
            }
        })
        .then_some(text)
}

/// Whether a line says it outside of the strings of other directives.
fn says(line: &str, word: &str) -> bool {
    let text = without_strings(line).unwrap_or_else(|| line.to_owned());
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .any(|found| found.eq_ignore_ascii_case(word))
}

/// `private="x-a"`: for some fields alone.
fn is_limited(line: &str) -> bool {
    let squeezed: String = line.to_ascii_lowercase().chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    squeezed.contains("private=\"")
}

fn line() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "private",
        "PRIVATE",
        "no-store",
        "No-Store",
        "max-age=60",
        "s-maxage=60",
        "public",
        "x",
        "x=\"",
        "\"",
        "\"",
        "\\",
        "\\\"",
        ",",
        ",",
        ", ",
        "; ",
        "=",
        "=\"",
        " ",
        "\t",
        "(",
        "'",
        "\u{e4}",
        "ext=\"a\"",
        "no-cache=\"x-a\"",
        "must-revalidate",
    ]);
    prop::collection::vec(pieces, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_forbidden_is_not_stored(lines in prop::collection::vec(line(), 1..3)) {
        let forbidden = lines.iter().any(|line| {
            says(line, "no-store") || (says(line, "private") && !is_limited(line))
        });
        prop_assert!(!forbidden || !is_stored(&lines), "{lines:?}");
    }
}

#[test]
fn what_is_quoted_by_the_grammar_forbids_nothing() {
    for line in
        ["max-age=60, ext=\"private, no-store\"", "ext = \"\\\"private\\\"\" , max-age=60", "private=\"x-a\""]
    {
        assert!(is_stored(&[line.to_owned()]), "{line}");
    }
}
