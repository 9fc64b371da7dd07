//! What generated inputs have found once, and must not come back.

#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use levee::config::{Config, Credentials, Particular, Policy};
use levee::fields::cache_control::Qualified;
use levee::fields::{CacheControl, vary};
use levee::testing::{Ask, Reply, Sim, config_for};

fn plain(origin: impl Fn(&Ask) -> Reply + 'static) -> Sim {
    Sim::new(config_for(&["https://o.example"]), origin)
}

fn transparent(origin: impl Fn(&Ask) -> Reply + 'static) -> Sim {
    let policy = Policy {
        credentials: Credentials::Authorization,
        particular: Particular::Answer,
        ..Policy::default()
    };
    Sim::new(Config { defaults: policy, ..config_for(&["https://o.example"]) }, origin)
}

fn tagged(cache_control: &str) -> Reply {
    Reply::new(cache_control, "body").field("etag", "\"1\"")
}

/// 1. The session of whoever caused the revalidation goes to everyone.
#[test]
fn a_cookie_of_a_304_is_for_one() {
    let sim = plain(|ask| match ask.field("if-none-match") {
        "" => tagged("max-age=1"),
        _ => tagged("max-age=1").status(304).field("set-cookie", "sid=of-the-second"),
    });
    sim.get("/");
    sim.advance(Duration::from_secs(2));
    assert_eq!(sim.get("/").field("set-cookie"), "sid=of-the-second", "it is for whoever asked");
    sim.origin(|_| tagged("max-age=60"));
    assert_eq!(sim.get("/").field("set-cookie"), "");
}

/// 1.
#[test]
fn a_cookie_of_an_answer_to_head_is_for_one() {
    let sim = plain(|ask| match ask.method.as_str() {
        "HEAD" => tagged("max-age=1").field("set-cookie", "sid=of-the-second"),
        _ => tagged("max-age=1"),
    });
    sim.get("/");
    sim.advance(Duration::from_secs(2));
    sim.send("HEAD", "/", &[]);
    assert_eq!(sim.get("/").field("set-cookie"), "");
}

/// 2. RFC 9111, 5.2.2.5 and 5.2.2.7.
#[test]
fn a_304_that_may_not_be_stored_updates_nothing() {
    for cache_control in ["private, max-age=60", "no-store, max-age=60", "max-age=60, private=\"x-user\""] {
        let sim = plain(move |ask| match ask.field("if-none-match") {
            "" => tagged("max-age=1"),
            _ => tagged(cache_control).status(304).field("x-user", "second"),
        });
        sim.get("/");
        sim.advance(Duration::from_secs(2));
        sim.get("/");
        sim.origin(|_| tagged("max-age=60"));
        assert_eq!(sim.get("/").field("x-user"), "", "{cache_control}");
    }
}

/// 3. RFC 9111, 3.5.
#[test]
fn an_answer_to_credentials_updates_nothing() {
    for method in ["HEAD", "GET"] {
        let sim = transparent(|ask| {
            let reply = tagged("max-age=60").field("x-user", ask.field("authorization"));
            if ask.field("if-none-match").is_empty() { reply } else { reply.status(304) }
        });
        sim.get("/");
        sim.send(method, "/", &[("authorization", "ann")]);
        assert_eq!(sim.get("/").field("x-user"), "", "{method}");
    }
}

fn map(name: &'static str, value: &[u8]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    fields.append(name, HeaderValue::from_bytes(value).unwrap());
    fields
}

/// 4. One byte above ASCII must not lift what the rest of the line forbids.
#[test]
fn a_line_that_is_not_ascii_is_read() {
    let read = CacheControl::read(&map("cache-control", b"no-store, x=\"\xe4\""), "cache-control");
    assert!(read.unwrap().no_store);
    let read = CacheControl::read(&map("cache-control", b"max-age=60, private=\"\xe4\""), "cache-control");
    assert_eq!(read.unwrap().private, Qualified::Yes);
    // As `a b` is: what cannot be a field's name cannot be matched.
    assert_eq!(vary::Vary::read(&map("vary", b"x-a, \xe4")), vary::Vary::Any);
}

/// 5.
#[test]
fn values_that_are_not_text_are_told_apart() {
    let seal = levee::seal::Seal::new(Some("secret"), "");
    let selector = |value: &[u8]| vary::selector(&map("x-a", value), &["x-a".parse().unwrap()], &seal);
    assert_ne!(selector(b"\xe4"), selector(b"\xf6"));
}

/// 6. Names that cannot be read: all of it is private, not none.
#[test]
fn private_for_what_cannot_be_read_is_private() {
    assert_eq!(CacheControl::parse("private=\"a b\"").private, Qualified::Yes);
    assert_eq!(CacheControl::parse("no-cache=\"a b\"").no_cache, Qualified::Yes);
}

/// 8. Anyone could empty the cache by showing credentials.
#[test]
fn a_request_with_credentials_does_not_flush_what_is_fresh_for_others() {
    let sim = transparent(|ask| Reply::new("max-age=60", &ask.number.to_string()));
    sim.get("/");
    sim.send("GET", "/", &[("authorization", "ann")]);
    assert_eq!(sim.get("/").text(), "0");
}

/// 9. What cannot be normalised once and for all is refused.
#[test]
fn authorities_are_stable_or_refused() {
    for raw in ["a.example..", "[::", "a:443:443", "a:.", "a:0443", "[0:0::1]"] {
        let once = levee::key::authority(levee::Scheme::Https, raw);
        let twice = once.as_deref().and_then(|text| levee::key::authority(levee::Scheme::Https, text));
        assert_eq!(once, twice, "{raw}");
    }
}

/// 10. RFC 9651, 4.2.10: a backslash in a display string is a backslash.
#[test]
fn a_display_string_may_hold_a_backslash() {
    assert!(levee::fields::structured::dictionary("a=%\"b\\c\", max-age=5").is_some());
}

/// 11. Whoever reaches a loopback address could read keys: through a proxy, or from any page that a developer opens.
#[test]
fn what_is_inside_is_for_who_shows_the_token() {
    let sim = plain(|_| Reply::new("max-age=60", "x"));
    for target in ["/.levee/", "/.levee/explain?url=/a"] {
        let closed = sim.get(target);
        assert_eq!(closed.status, 401, "{target}: another host is not this machine");
        assert_eq!(closed.field("x-content-type-options"), "nosniff");
        let open = sim.inside(target);
        assert_eq!((open.status, open.field("cross-origin-resource-policy")), (200, "same-origin"));
        assert_eq!(
            (open.field("x-content-type-options"), open.field("cache-control")),
            ("nosniff", "no-store")
        );
    }
    let guessed = sim.send("GET", "/a", &[("levee-token", "guessed")]);
    assert!(!guessed.cache_status().contains("key="), "{guessed:?}");
}

/// 12. A response could be stored whose `private` was mangled, or named by `Connection`.
#[test]
fn what_forbids_cannot_be_garbled_away() {
    for cache_control in
        ["max-age=60, private=\",\"", "max-age=60, x=\"a, private", "max-age=60; no-store", "private=\"\""]
    {
        let sim = plain(move |ask| tagged(cache_control).field("x-number", ask.number.to_string()));
        sim.get("/");
        assert_eq!(sim.get("/").field("x-number"), "1", "{cache_control}");
    }
    let sim = plain(|ask| {
        let reply = tagged("max-age=60, private").field("connection", "Cache-Control, vary, set-cookie");
        reply.field("x-number", ask.number.to_string()).field("cdn-cache-control", "max-age=60, private, &&")
    });
    sim.get("/");
    let second = sim.get("/");
    assert_eq!((second.field("x-number"), second.field("cache-control")), ("1", "max-age=60, private"));
}

/// 13. `Connection: x-tenant` stored for a tenant what was fetched for none.
#[test]
fn connection_cannot_split_the_key_from_the_request() {
    let policy = Policy {
        key: levee::config::KeyPolicy { fields: vec!["x-tenant".into()], ..Default::default() },
        particular: Particular::Answer,
        ..Policy::default()
    };
    let config = Config { defaults: policy, ..config_for(&["https://o.example"]) };
    let sim = Sim::new(config, |ask| Reply::new("max-age=60", ask.field("x-tenant")));
    sim.send("GET", "/", &[("x-tenant", "1"), ("connection", "X-Tenant")]);
    assert_eq!(sim.send("GET", "/", &[("x-tenant", "1")]).text(), "1");
}

/// 14. A byte above 127 in one cookie hid the others: two sessions had one key.
#[test]
fn a_cookie_is_keyed_and_sent_whatever_stands_beside_it() {
    let policy = Policy {
        credentials: Credentials::Key { cookies: vec!["sid".into()], fields: vec![] },
        ..Policy::default()
    };
    let config = Config { defaults: policy, ..config_for(&["https://o.example"]) };
    let sim = Sim::new(config, |ask| Reply::new("max-age=60", ask.field("cookie")));
    let request = |cookie: &[u8]| levee::Request {
        method: http::Method::GET,
        scheme: levee::Scheme::Https,
        authority: "a.example".into(),
        target: "/".into(),
        fields: map("cookie", cookie),
        body: <levee::testing::TestBody as levee::body::Body>::empty(),
        client: None,
        extensions: Default::default(),
    };
    assert_eq!(sim.exchange(request(b"name=J\xf6rg; sid=1")).text(), "sid=1");
    assert_eq!(sim.exchange(request(b"name=J\xf6rg; sid=2")).text(), "sid=2");
    assert_eq!(sim.exchange(request(b"sid=1; name=\xff")).text(), "sid=1");
    assert_eq!(sim.asked().len(), 2);
}

/// 15. Spin keeps `Connection` to itself, so that a request for WebSocket was stored, and a hit.
#[test]
fn who_asks_for_another_protocol_is_never_answered_from_the_cache() {
    let sim = plain(|_| Reply::new("max-age=60", "x"));
    sim.get("/");
    for fields in [
        &[("upgrade", "websocket")][..],
        &[("upgrade", "websocket"), ("connection", "upgrade")],
        &[("upgrade", "h2c"), ("connection", "upgrade, http2-settings"), ("http2-settings", "AAMA")],
        &[("upgrade", "h2c")],
    ] {
        let before = sim.asked().len();
        let answer = sim.send("GET", "/", fields);
        assert!(answer.cache_status().starts_with("fwd=bypass"), "{answer:?}");
        let asked = &sim.asked()[before];
        let is_websocket = fields.len() == 2;
        assert_eq!(asked.field("upgrade"), if is_websocket { "websocket" } else { "" });
        assert_eq!(asked.field("http2-settings"), "");
    }
}

/// 16.
#[test]
fn what_is_no_request_for_an_origin_reaches_none() {
    let sim = plain(|_| Reply::new("max-age=60", "x"));
    for method in ["TRACE", "Trace", "CONNECT"] {
        let refused = sim.send(method, "/%zz", &[]);
        assert_eq!((refused.status, refused.field("content-type")), (405, "application/problem+json"));
    }
    for target in ["ftp://a.example/", "http://a.example/", "a.example:443", "*", ""] {
        assert_eq!(sim.send("GET", target, &[]).status, 400, "{target}");
    }
    for target in ["/%2elevee/", "/x/../.levee/", "/.levee/../.levee/status"] {
        assert_eq!(sim.get(target).status, 401, "{target}");
        assert_eq!(sim.inside(target).status, 200, "{target}");
    }
    assert_eq!(sim.asked().len(), 0);
}

/// 17. Every deployment was called `levee`, so that one could not stand before another.
#[test]
fn a_circle_is_one_deployment_twice() {
    let inner = plain(|_| Reply::new("max-age=60", "x"));
    let outer = Sim::new(config_for(&["https://inner.example"]), |_| Reply::new("max-age=60", "x"));
    outer.get("/");
    let hops = outer.asked()[0].field("cdn-loop").to_owned();
    assert_eq!(hops, outer.edge.identity());
    assert_eq!(inner.send("GET", "/", &[("cdn-loop", &hops)]).status, 200);
    inner.send("POST", "/", &[("cdn-loop", &hops)]);
    let hops = inner.asked()[0].field("cdn-loop").to_owned();
    assert_eq!(hops, format!("{}, {}", outer.edge.identity(), inner.edge.identity()));
    assert_eq!(inner.asked()[1].field("cdn-loop"), hops, "a fill and a write have come the same way");
    for again in [&inner, &outer, &inner.beside()] {
        let refused = again.send("GET", "/", &[("cdn-loop", &hops), ("connection", "cdn-loop")]);
        assert_eq!(refused.status, 508);
    }
}

/// 18. A part carried the digest of the whole, and a 416 a lifetime for which a cache would answer plain requests with it.
#[test]
fn what_describes_the_whole_is_not_said_of_a_part() {
    let sim = plain(|_| {
        let reply =
            tagged("max-age=60").field("content-digest", "sha-256=:YQ==:").field("content-md5", "YQ==");
        reply
            .field("digest", "sha-256=YQ==")
            .field("repr-digest", "sha-256=:YQ==:")
            .field("cdn-cache-control", "max-age=60")
    });
    sim.get("/");
    let of_content = |answer: &levee::testing::Answered| {
        ["content-digest", "content-md5", "digest"].map(|name| answer.fields.contains_key(name))
    };
    let range = |range| sim.send("GET", "/", &[("range", range)]);
    for (part, text) in [("bytes=1-2", "od"), ("bytes=0-0,3-3", "")] {
        let part = range(part);
        assert_eq!((part.status, of_content(&part)), (206, [false; 3]));
        assert!(text.is_empty() || part.text() == text);
        assert_eq!(part.field("content-length"), part.text().len().to_string());
        assert_eq!((part.field("repr-digest"), part.field("etag")), ("sha-256=:YQ==:", "\"1\""));
        assert_eq!(part.field("cache-control"), "max-age=60");
    }
    let beyond = range("bytes=9-");
    assert_eq!((beyond.status, of_content(&beyond)), (416, [false; 3]));
    assert_eq!((beyond.field("cache-control"), beyond.field("cdn-cache-control")), ("no-store", ""));
    assert_eq!((beyond.field("content-range"), beyond.field("etag")), ("bytes */4", ""));
    let unchanged = sim.send("GET", "/", &[("if-none-match", "\"1\"")]);
    assert_eq!((unchanged.status, of_content(&unchanged)), (304, [false; 3]));
    let head = sim.send("HEAD", "/", &[]);
    assert_eq!((head.field("content-length"), of_content(&head)), ("4", [false, true, true]));
    assert_eq!(of_content(&sim.get("/")), [true; 3]);
}

/// 19. 10,100 unsafe requests to distinct URLs flushed the whole cache.
#[test]
fn many_writes_flush_little_and_each_is_seen() {
    let sim = plain(|ask| Reply::new("max-age=600", &format!("{} {}", ask.uri, ask.number)));
    let pages: Vec<String> = (0..200).map(|n| format!("/page/{n}")).collect();
    for page in &pages {
        sim.get(page);
    }
    let before = sim.get("/written").text().to_owned();
    for n in 0..10_100 {
        sim.send("POST", &format!("/{n}"), &[]);
    }
    sim.send("POST", "/written", &[]);
    assert!(sim.edge.counters().invalidations_limited > 9_000);
    assert_ne!(sim.get("/written").text(), before, "who wrote reads what he wrote");
    let hits = pages.iter().filter(|page| sim.get(page).cache_status().starts_with("hit")).count();
    assert!(hits > 170, "{hits} of 200");
}

/// 20. The same above the rate: in each variant, in each tier, and for what was under way.
#[test]
fn a_write_above_the_rate_invalidates_as_any_other() {
    let stores = vec![levee::testing::MapStore::new(Duration::ZERO)];
    let sim = Sim::with_stores(config_for(&["https://o.example"]), stores, |ask| {
        let slow = ask.method == "GET" && ask.uri.ends_with("under-way");
        let reply = Reply::new("max-age=600", &ask.number.to_string()).field("vary", "accept-language");
        reply.after(Duration::from_secs(slow.into()))
    });
    let languages = ["de", "en"];
    let get = |language: &str| sim.send("GET", "/", &[("accept-language", language)]).text().to_owned();
    let before = languages.map(get);
    for n in 0..2_000 {
        sim.send("POST", &format!("/{n}"), &[]);
    }
    sim.begin("/under-way");
    sim.send("POST", "/", &[]);
    sim.send("POST", "/under-way", &[]);
    let after = languages.map(get);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    assert_eq!(languages.map(get), after, "what was fetched since is kept");
    let written = sim.asked().iter().rposition(|ask| ask.method == "POST").unwrap();
    let read: usize = sim.get("/under-way").text().parse().unwrap();
    assert!(read > written, "{read} was under way when {written} was written");
}
