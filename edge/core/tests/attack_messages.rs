//! Wrong messages: what an answer says, to whom, and what a client can make it cost.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, StatusCode};
use levee::config::{Config, Limits};
use levee::respond::conditional::{Condition, evaluate, range_applies};
use levee::respond::range;
use levee::testing::{Reply, Sim, config_for};

fn plain() -> Config {
    config_for(&["https://o.example"])
}

/// An answer to a request without `Origin` may lack what one with it needs, and the origin does not always say `Vary`.
#[test]
fn a_request_without_origin_breaks_no_cross_origin_one() {
    let sim = Sim::new(plain(), |ask| match ask.field("origin") {
        "" => Reply::new("max-age=60", "page"),
        origin => Reply::new("max-age=60", "page").field("access-control-allow-origin", origin),
    });
    sim.get("/a");
    let answer = sim.send("GET", "/a", &[("origin", "https://b.example")]);
    assert_eq!(answer.field("access-control-allow-origin"), "https://b.example");
}

/// `null` names an origin as any other value does: that of a sandboxed frame, which anyone can make.
#[test]
fn an_answer_to_a_sandboxed_frame_is_for_sandboxed_frames() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", "page").field("access-control-allow-origin", ask.field("origin"))
    });
    sim.send("GET", "/a", &[("origin", "null")]);
    let answer = sim.send("GET", "/a", &[("origin", "https://b.example")]);
    assert_eq!(answer.field("access-control-allow-origin"), "https://b.example");
}

/// What is coded for one client is not for one that cannot read it (RFC 9110, section 12.5.3).
#[test]
fn a_coded_answer_goes_to_none_who_cannot_read_it() {
    let sim = Sim::new(plain(), |ask| {
        if ask.field("accept-encoding").contains("gzip") {
            return Reply::new("max-age=60", "(gzip)").field("content-encoding", "gzip");
        }
        Reply::new("max-age=60", "plain")
    });
    sim.send("GET", "/a", &[("accept-encoding", "gzip")]);
    let answer = sim.send("GET", "/a", &[("accept-encoding", "identity")]);
    assert_eq!((answer.text(), answer.field("content-encoding")), ("plain", ""));
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

fn crc_that_ends_in(mut body: Vec<u8>, wanted: u32) -> Vec<u8> {
    // Four bytes more give a body any CRC-32.
    let mut table = [0u32; 256];
    for (n, slot) in table.iter_mut().enumerate() {
        let mut crc = u32::try_from(n).unwrap();
        for _ in 0..8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
        }
        *slot = crc;
    }
    let forward = |mut crc: u32, bytes: &[u8]| {
        for byte in bytes {
            crc = table[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8);
        }
        crc
    };
    let state = forward(!0, &body);
    let mut back = !wanted;
    for _ in 0..4 {
        let at = (0..256).find(|n| table[*n] >> 24 == back >> 24).unwrap();
        back = ((back ^ table[at]) << 8) | u32::try_from(at).unwrap();
    }
    body.extend_from_slice(&(back ^ state).to_le_bytes());
    assert_eq!(!forward(!0, &body), wanted);
    body
}

fn time_of_two_parts(body: &bytes::Bytes) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..2 {
        let began = Instant::now();
        let answer = range::multiple(HeaderMap::new(), body, &[(0, 0), (2, 2)]);
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        best = best.min(began.elapsed());
    }
    best
}

/// Whoever may put a file on the origin knows its checksum, and so every boundary that is tried: it must not come up in turn.
#[test]
fn no_body_makes_its_parts_cost_more_than_another_of_its_size() {
    let wanted = 0xDEAD_BEEF_u32;
    let markers: String = (0..2_000).map(|n| format!("--levee-{wanted:08x}-{n}\r\n")).collect();
    let hostile = bytes::Bytes::from(crc_that_ends_in(markers.into_bytes(), wanted));
    let harmless = bytes::Bytes::from(vec![b'x'; hostile.len()]);
    let (hostile, harmless) = (time_of_two_parts(&hostile), time_of_two_parts(&harmless));
    assert!(hostile < harmless * 50, "{hostile:?} against {harmless:?}");
}

/// Two bytes of a large object cost no more than two bytes of a small one.
#[test]
fn a_few_bytes_cost_what_a_few_bytes_are_worth() {
    let (small, large) = (bytes::Bytes::from(vec![b'x'; 8 << 10]), bytes::Bytes::from(vec![b'x'; 8 << 20]));
    let (small, large) = (time_of_two_parts(&small), time_of_two_parts(&large));
    assert!(large < small * 100, "{large:?} against {small:?}");
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

/// A field that is twice as long takes twice as long to read.
#[test]
fn a_long_targeted_field_is_read_in_time_that_grows_with_its_length() {
    let time = |members: usize| {
        let line: Vec<String> = (0..members).map(|n| format!("a{n}")).collect();
        let fields: HeaderMap =
            [("cdn-cache-control".parse().unwrap(), HeaderValue::from_str(&line.join(",")).unwrap())]
                .into_iter()
                .collect();
        let began = Instant::now();
        assert!(levee::fields::CacheControl::read_targeted(&fields, "cdn-cache-control").is_some());
        began.elapsed()
    };
    time(100);
    let (short, long) = (time(500), time(10_000));
    assert!(long < short * 100, "{long:?} against {short:?}: twenty times as long");
}
