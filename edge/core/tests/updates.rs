//! What a response may change of what is stored: 304s are judged as full responses, and errors leave good entries alone.

use std::time::Duration;

use levee::config::{Config, Credentials, Negative, Policy, Stale, Ttl};
use levee::testing::{Ask, Reply, Sim, TestBody, config_for};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn with(policy: Policy) -> Config {
    Config { defaults: policy, ..config_for(&["https://o.example"]) }
}

/// A response with a validator, then 304s that say `more`.
fn validated(first: &'static str, more: &'static [(&'static str, &'static str)]) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        if ask.field("if-none-match").is_empty() {
            return Reply::new(first, "body").field("etag", "\"1\"");
        }
        let mut reply = Reply::new("", "").status(304).body(levee::body::Body::empty());
        reply.fields.clear();
        more.iter().fold(reply, |reply, (name, value)| reply.field(name, *value))
    }
}

#[test]
fn a_cookie_that_a_304_brings_is_for_one_client() {
    let sim = Sim::new(
        with(Policy::default()),
        validated("max-age=1, no-cache=\"set-cookie\"", &[("set-cookie", "sid=ann")]),
    );
    sim.get("/a");
    sim.advance(seconds(2));
    assert_eq!(sim.get("/a").field("set-cookie"), "sid=ann");
    let other = sim.get("/a");
    assert_eq!((other.field("set-cookie"), other.text()), ("", "body"));
}

#[test]
fn a_304_for_one_origin_changes_nothing_for_others() {
    let sim = Sim::new(with(Policy::default()), |ask| {
        let reply = if ask.field("if-none-match").is_empty() {
            Reply::new("max-age=1", "body").field("etag", "\"1\"")
        } else {
            Reply::new("max-age=60", "").status(304)
        };
        match ask.field("origin") {
            "" => reply,
            origin => reply.field("access-control-allow-origin", origin),
        }
    });
    sim.get("/a");
    sim.advance(seconds(2));
    let from = |origin: &'static str| sim.send("GET", "/a", &[("origin", origin)]);
    assert_eq!(from("https://b.example").field("access-control-allow-origin"), "https://b.example");
    for _ in 0..2 {
        assert_eq!(from("https://c.example").field("access-control-allow-origin"), "https://c.example");
        assert_eq!(sim.get("/a").field("access-control-allow-origin"), "");
        assert_eq!(from("https://b.example").field("access-control-allow-origin"), "https://b.example");
    }
}

#[test]
fn a_304_that_varies_is_for_one_variant() {
    let sim = Sim::new(with(Policy::default()), |ask| match ask.field("if-none-match") {
        "" => Reply::new("max-age=1", ask.field("accept-language")).field("etag", "\"1\""),
        _ => Reply::new("max-age=60", "").status(304).field("vary", "accept-language"),
    });
    let get = |language: &'static str| sim.send("GET", "/a", &[("accept-language", language)]);
    get("de");
    sim.advance(seconds(2));
    assert_eq!(get("de").text(), "de");
    assert_eq!(get("en").text(), "en");
    assert_eq!(get("de").text(), "de");
}

#[test]
fn a_304_with_another_validator_validates_nothing() {
    for (field, old, new) in [
        ("etag", "\"1\"", "\"2\""),
        ("last-modified", "Tue, 14 Nov 2023 22:00:00 GMT", "Tue, 14 Nov 2023 22:05:00 GMT"),
    ] {
        let sim =
            Sim::new(with(Policy::default()), move |_| Reply::new("max-age=1", "old").field(field, old));
        sim.get("/a");
        sim.advance(seconds(2));
        sim.origin(move |ask| {
            if ask.field("if-none-match").is_empty() && ask.field("if-modified-since").is_empty() {
                return Reply::new("max-age=60", "new").field(field, new);
            }
            Reply::new("max-age=60", "").status(304).field(field, new)
        });
        assert_eq!(sim.get("/a").text(), "new", "{field}");
        assert_eq!((sim.get("/a").text(), sim.get("/a").field(field)), ("new", new));
    }
}

#[test]
fn a_304_that_forbids_to_store_is_obeyed() {
    for forbids in [("cache-control", "private"), ("cache-control", "no-store"), ("vary", "*")] {
        let more: &'static [(&str, &str)] = Box::leak(Box::new([forbids]));
        let sim = Sim::new(with(Policy::default()), validated("max-age=1, stale-while-revalidate=60", more));
        sim.get("/a");
        sim.advance(seconds(90));
        assert_eq!(sim.get("/a").text(), "body", "{forbids:?}");
        assert!(sim.get("/a").cache_status().starts_with("fwd=uri-miss"), "{forbids:?}");
    }
}

#[test]
fn an_override_is_for_what_succeeds() {
    let ttl = Ttl { overrides: Some(seconds(3600)), ..Ttl::default() };
    for status in [503, 429, 403, 500, 404, 400] {
        let sim = Sim::new(with(Policy { ttl, ..Policy::default() }), move |_| {
            Reply::new("max-age=5", "x").status(status)
        });
        sim.get("/a");
        sim.advance(seconds(6));
        assert!(!sim.get("/a").cache_status().starts_with("hit"), "{status}");
    }
}

#[test]
fn an_error_that_one_request_provoked_is_nobody_elses() {
    let negative = [400, 431, 503, 404].map(|status| Negative { status, ttl: seconds(60) }).to_vec();
    let ttl = Ttl { overrides: Some(seconds(3600)), default: seconds(60), ..Ttl::default() };
    for status in [400, 431] {
        let sim =
            Sim::new(with(Policy { negative: negative.clone(), ttl, ..Policy::default() }), move |ask| {
                let status = if ask.field("accept-language").len() > 100 { status } else { 200 };
                Reply::new("", "x").status(status)
            });
        let long = "x".repeat(9000);
        assert_eq!(sim.send("GET", "/a", &[("accept-language", &long)]).status, status);
        assert_eq!(sim.get("/a").status, 200);
    }
}

#[test]
fn an_error_leaves_a_good_entry_where_it_is() {
    let stale = Stale { if_error: seconds(3600), ..Stale::default() };
    for status in [400, 401, 403, 406, 412, 416, 429, 431, 500, 502, 503, 504] {
        for lifetime in ["", "max-age=60"] {
            let sim = Sim::new(with(Policy { stale, ..Policy::default() }), |_| {
                Reply::new("max-age=1", "good").field("etag", "\"1\"")
            });
            sim.get("/a");
            sim.advance(seconds(2));
            sim.origin(move |_| Reply::new(lifetime, "bad").status(status));
            let answer = sim.get("/a");
            assert!(answer.status == status || answer.text() == "good");
            sim.origin(|_| Reply::error(levee::platform::FetchError::ConnectionRefused));
            let after = sim.get("/a");
            assert_eq!((after.status, after.text()), (200, "good"), "{status} {lifetime:?}");
        }
    }
}

#[test]
fn an_error_behind_a_stale_answer_leaves_it_too() {
    let stale = Stale { if_error: seconds(3600), ..Stale::default() };
    for status in [406, 403, 500, 429] {
        let sim = Sim::new(with(Policy { stale, ..Policy::default() }), |_| {
            Reply::new("max-age=1, stale-while-revalidate=5", "good").field("etag", "\"1\"")
        });
        sim.get("/a");
        sim.advance(seconds(2));
        sim.origin(move |_| Reply::new("max-age=60", "bad").status(status));
        assert_eq!(sim.get("/a").text(), "good");
        sim.settle();
        sim.advance(seconds(30));
        sim.origin(|_| Reply::error(levee::platform::FetchError::ConnectionRefused));
        assert_eq!(sim.get("/a").text(), "good", "{status}");
    }
}

#[test]
fn what_is_gone_is_gone() {
    let stale = Stale { if_error: seconds(3600), ..Stale::default() };
    for status in [404, 410] {
        let sim = Sim::new(with(Policy { stale, ..Policy::default() }), |_| Reply::new("max-age=1", "good"));
        sim.get("/a");
        sim.advance(seconds(2));
        sim.origin(move |_| Reply::new("", "gone").status(status));
        assert_eq!(sim.get("/a").status, status);
        sim.origin(|_| Reply::error(levee::platform::FetchError::ConnectionRefused));
        assert_eq!(sim.get("/a").status, 502);
    }
}

#[test]
fn what_only_one_client_may_have_moves_nothing() {
    // The 304 to a request with credentials says nothing about what others get.
    let policy = Policy {
        credentials: Credentials::Authorization,
        particular: levee::config::Particular::Answer,
        ..Policy::default()
    };
    let sim = Sim::new(with(policy), validated("max-age=1, public", &[("cache-control", "max-age=60")]));
    sim.get("/a");
    sim.advance(seconds(2));
    assert_eq!(sim.send("GET", "/a", &[("authorization", "Basic YQ==")]).text(), "body");
    let _ = TestBody::chunks(vec![]);
    assert_eq!(sim.get("/a").text(), "body");
}
