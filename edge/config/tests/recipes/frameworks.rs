//! What the pages of web frameworks say, with the fields that these frameworks send.

use std::time::Duration;

use levee::config::OriginHost;

use super::play::{answer, behind, goes_on, hits, is_hit, saw, saying};
use super::text::config;

#[test]
fn what_holds_for_all() {
    assert_eq!(config("README", None).origins[0].host, OriginHost::Client);

    let lifetime = behind("django", None, saying(&[("cache-control", "max-age=60")]));
    goes_on(&lifetime, "/", &[]);
    assert!(hits(&lifetime, "/", &[]));
    goes_on(&lifetime, "/", &[("cookie", "sid=1")]);
    goes_on(&lifetime, "/", &[("authorization", "Bearer 1")]);

    for says in [["public, max-age=60"], ["s-maxage=60"], ["max-age=60, must-revalidate"]] {
        let public = behind("django", None, move |ask| answer(ask, &[("cache-control", says[0])]));
        goes_on(&public, "/", &[("cookie", "sid=1")]);
        goes_on(&public, "/", &[]);
        assert!(hits(&public, "/", &[("cookie", "sid=2")]), "{says:?}");
        assert!(hits(&public, "/", &[("authorization", "Bearer 2")]), "{says:?}");
    }

    let session = behind("django", None, saying(&[("cache-control", "max-age=60"), ("set-cookie", "sid=1")]));
    assert!(goes_on(&session, "/", &[]).contains("set-cookie"));
    goes_on(&session, "/", &[]);

    let silent = behind("django", None, saying(&[]));
    let claims = [("x-forwarded-host", "evil.example"), ("x-forwarded-for", "203.0.113.9")];
    assert!(goes_on(&silent, "/", &claims).contains("no-lifetime"));
    assert_eq!(saw(&silent, "x-forwarded-host"), "a.example");
    assert_eq!(saw(&silent, "x-forwarded-proto"), "https");
    assert_eq!(saw(&silent, "x-forwarded-for"), "192.0.2.1");
}

#[test]
fn django() {
    const PAGE: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("vary", "Cookie")];
    let plain = behind("django", None, saying(PAGE));
    goes_on(&plain, "/", &[]);
    assert!(hits(&plain, "/", &[]));
    goes_on(&plain, "/", &[("cookie", "sessionid=1")]);

    let files = behind("django", Some(0), saying(&[]));
    goes_on(&files, "/static/a.css", &[("cookie", "sessionid=1")]);
    assert!(hits(&files, "/static/a.css", &[("cookie", "sessionid=2")]));
    assert_eq!(saw(&files, "cookie"), "");

    let named = behind("django", Some(1), saying(PAGE));
    goes_on(&named, "/", &[("cookie", "_ga=1")]);
    assert!(hits(&named, "/", &[("cookie", "_ga=2")]));
    goes_on(&named, "/", &[("cookie", "sessionid=1; _ga=1")]);
    assert_eq!(saw(&named, "cookie"), "sessionid=1");
    goes_on(&named, "/", &[("cookie", "sessionid=2; _ga=1")]);
    named.send("POST", "/form", &[("cookie", "sessionid=2; _ga=1"), ("authorization", "Bearer 1")]);
    assert_eq!(saw(&named, "cookie"), "sessionid=2; _ga=1");
    assert_eq!(saw(&named, "authorization"), "Bearer 1");
}

#[test]
fn next() {
    const VARY: &str = "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch";
    const YEAR: &[(&str, &str)] = &[("cache-control", "s-maxage=31536000"), ("vary", VARY)];
    let payload = [("rsc", "1"), ("next-router-state-tree", "%5B%22%22%5D")];
    for block in [None, Some(0)] {
        let sim = behind("nextjs", block, saying(YEAR));
        goes_on(&sim, "/a", &[]);
        goes_on(&sim, "/a", &payload);
        assert!(hits(&sim, "/a", &payload), "what `Vary` names is stored the first time");
        assert!(hits(&sim, "/a", &[("cookie", "a=1")]));
        sim.advance(Duration::from_secs(400));
        assert_eq!(hits(&sim, "/a", &[]), block.is_none(), "a year is cut");
    }
    const REVALIDATED: &[(&str, &str)] = &[("cache-control", "s-maxage=1, stale-while-revalidate=60")];
    for block in [None, Some(0)] {
        let sim = behind("nextjs", block, saying(REVALIDATED));
        goes_on(&sim, "/a", &[]);
        sim.advance(Duration::from_secs(5));
        assert_eq!(hits(&sim, "/a", &[]), block.is_some(), "stale beside s-maxage");
    }
    let files =
        behind("nextjs", Some(0), saying(&[("cache-control", "public, max-age=31536000, immutable")]));
    goes_on(&files, "/_next/static/chunks/a.js", &[("cookie", "a=1")]);
    files.advance(Duration::from_secs(400));
    assert!(hits(&files, "/_next/static/chunks/a.js", &[("cookie", "a=2")]));
}

#[test]
fn express() {
    const FILE: &[(&str, &str)] = &[("cache-control", "public, max-age=31536000, immutable")];
    let files = behind("express", Some(0), saying(FILE));
    goes_on(&files, "/static/a.js", &[("cookie", "connect.sid=1")]);
    assert!(hits(&files, "/static/a.js", &[("cookie", "connect.sid=2")]));
    let poll = "/socket.io/?EIO=4&transport=polling&sid=1";
    assert!(goes_on(&files, poll, &[("cookie", "io=1")]).contains("route"));
    assert_eq!(saw(&files, "cookie"), "io=1");

    let stream = behind("express", None, saying(&[("content-type", "text/event-stream")]));
    let resumes = [("accept", "text/event-stream"), ("last-event-id", "7")];
    goes_on(&stream, "/events", &resumes);
    goes_on(&stream, "/events", &resumes);
    assert_eq!(saw(&stream, "last-event-id"), "7");
}

#[test]
fn htmx() {
    let at = |page| [("hx-request", "true"), ("hx-target", "list"), ("hx-current-url", page)];
    let plain = behind("htmx", None, saying(&[("cache-control", "max-age=60")]));
    goes_on(&plain, "/items", &[]);
    goes_on(&plain, "/items", &at("https://a.example/1"));
    goes_on(&plain, "/items", &at("https://a.example/1"));
    assert!(hits(&plain, "/items", &at("https://a.example/1")));
    goes_on(&plain, "/items", &at("https://a.example/2"));

    let lines = behind("htmx", Some(0), saying(&[("cache-control", "max-age=60")]));
    goes_on(&lines, "/items", &[]);
    goes_on(&lines, "/items", &at("https://a.example/1"));
    assert!(hits(&lines, "/items", &at("https://a.example/2")));
    assert!(hits(&lines, "/items", &[]));

    // What the page warns of: `public` without `Vary`.
    for (block, given) in [(None, true), (Some(0), false)] {
        let sim = behind("htmx", block, saying(&[("cache-control", "public, max-age=60")]));
        goes_on(&sim, "/items", &[]);
        assert_eq!(hits(&sim, "/items", &at("https://a.example/1")), given);
    }
    const VARIED: &[(&str, &str)] = &[("cache-control", "public, max-age=60"), ("vary", "HX-Request")];
    let varied = behind("htmx", None, saying(VARIED));
    goes_on(&varied, "/items", &[]);
    goes_on(&varied, "/items", &at("https://a.example/1"));
}

#[test]
fn rails() {
    const PAGE: &[(&str, &str)] = &[
        ("cache-control", "max-age=0, private, must-revalidate"),
        ("cdn-cache-control", "max-age=60"),
        ("vary", "Cookie"),
    ];
    let page = behind("rails", None, saying(PAGE));
    goes_on(&page, "/", &[]);
    let anonymous = page.get("/");
    assert!(is_hit(&anonymous));
    assert_eq!(anonymous.field("cdn-cache-control"), "");
    goes_on(&page, "/", &[("cookie", "_shop_session=1")]);

    let frames = behind("rails", Some(0), saying(&[("cache-control", "max-age=60, public")]));
    goes_on(&frames, "/", &[]);
    goes_on(&frames, "/", &[("turbo-frame", "cart")]);
    assert!(hits(&frames, "/", &[("turbo-frame", "cart")]));
    goes_on(&frames, "/assets/a.js", &[("cookie", "_shop_session=1")]);
    assert!(hits(&frames, "/assets/a.js", &[("cookie", "_shop_session=2")]));

    let named = behind("rails", Some(1), saying(&[("cache-control", "max-age=60, public")]));
    goes_on(&named, "/", &[("cookie", "_ga=1")]);
    assert!(hits(&named, "/", &[("cookie", "_ga=2")]));
    goes_on(&named, "/", &[("cookie", "_shop_session=1")]);
}

#[test]
fn fastapi() {
    let sim = behind("fastapi", Some(0), saying(&[]));
    goes_on(&sim, "/catalogue/books?page=1&session=a", &[]);
    assert_eq!(saw(&sim, "x-forwarded-for"), "", "the policy gives the lifetime");
    assert!(sim.asked()[0].uri.ends_with("/catalogue/books?page=1"));
    assert!(hits(&sim, "/catalogue/books?page=1&session=b", &[]));
    goes_on(&sim, "/catalogue/books?page=1", &[("x-api-key", "1")]);

    // Equal keys in a field of one's own share entries, others do not.
    let keys = behind("fastapi", None, saying(&[("cache-control", "max-age=60")]));
    goes_on(&keys, "/me", &[("x-shop-key", "1")]);
    goes_on(&keys, "/me", &[("x-shop-key", "1")]);
    assert!(hits(&keys, "/me", &[("x-shop-key", "1")]));
    goes_on(&keys, "/me", &[("x-shop-key", "2")]);
}
