//! Ranges and conditions of one client, and what they make the edge fetch.

use std::time::Duration;

use levee::config::{Config, Limits};
use levee::testing::{Ask, Reply, Sim, config_for};

const BODY: &str = "0123456789";

/// A large file: it is told apart by its tag, and has parts.
fn large(ask: &Ask) -> Reply {
    if ask.field("if-none-match") == "\"1\"" {
        return Reply::new("max-age=60", "")
            .status(304)
            .body(levee::body::Body::empty())
            .field("etag", "\"1\"");
    }
    let reply = match ask.field("range") {
        "" => Reply::new("max-age=60", BODY),
        _ => Reply::new("max-age=60", "89").status(206).field("content-range", "bytes 8-9/10"),
    };
    reply.field("etag", "\"1\"")
}

/// A 304 does not say how large the whole is. Where it turns out to be too large to be stored, that is remembered: else a
/// request for its last bytes has the edge read all of it, again and again.
#[test]
fn what_is_too_large_to_be_stored_is_not_fetched_for_its_last_bytes_again() {
    let limits = Limits { object: 4, ..Limits::default() };
    let sim = Sim::new(Config { limits, ..config_for(&["https://o.example"]) }, large);
    assert_eq!(sim.send("GET", "/a", &[("if-none-match", "\"1\"")]).status, 304);
    for _ in 0..5 {
        let answer = sim.send("GET", "/a", &[("range", "bytes=8-9")]);
        assert_eq!((answer.status, answer.text()), (206, "89"));
        sim.advance(Duration::from_secs(3));
    }
    let wholes = sim.asked().iter().filter(|ask| ask.field("range").is_empty()).count() - 1;
    assert!(wholes <= 1, "the whole was fetched {wholes} times");
}

/// A part of what is only known to be large by its part goes through as it is: two ranges that differ do not wait for one another.
#[test]
fn different_parts_are_fetched_side_by_side() {
    let limits = Limits { object: 4, ..Limits::default() };
    let sim = Sim::new(Config { limits, ..config_for(&["https://o.example"]) }, |ask| {
        large(ask).after(Duration::from_secs(1))
    });
    let began = sim.platform_now();
    let (one, other) = ([("range", "bytes=8-9")], [("range", "bytes=8-")]);
    sim.send_together(&[("GET", "/a", &one), ("GET", "/a", &other)]);
    assert_eq!(sim.platform_now().since(began), Duration::from_secs(1));
}
