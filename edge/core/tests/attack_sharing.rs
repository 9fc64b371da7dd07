//! What one client's request does to others: failures that are shared with the wrong ones, marks and removals by answers that
//! were one request's own, and misses that are not collapsed.

use std::time::Duration;

use levee::config::{Config, Particular, Policy, Shield};
use levee::testing::{Ask, Reply, Sent, Sim, TestBody, config_for};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn plain() -> Config {
    config_for(&["https://o.example"])
}

fn forwarding_all() -> Config {
    Config { defaults: Policy { particular: Particular::Answer, ..Policy::default() }, ..plain() }
}

const GET: Sent<'static> = ("GET", "/a", &[]);

fn request_by(client: [u8; 4], target: &str) -> levee::Request<TestBody> {
    levee::Request {
        method: http::Method::GET,
        scheme: levee::Scheme::Https,
        authority: "a.example".to_owned(),
        target: target.to_owned(),
        fields: http::HeaderMap::new(),
        body: levee::body::Body::empty(),
        client: Some(client.into()),
        extensions: http::Extensions::default(),
    }
}

/// A leader that is refused because of its own share fails for itself alone.
#[test]
fn a_client_that_has_its_share_fails_nobody_else() {
    let shield = Shield { max_inflight: 4, ..Shield::default() };
    let sim = Sim::new(Config { shield, ..plain() }, |_| Reply::new("max-age=60", "page").after(seconds(5)));
    let (greedy, other) = ([192, 0, 2, 1], [198, 51, 100, 7]);
    let mut requests: Vec<_> = ["/s1", "/s2", "/s3", "/x"].map(|target| request_by(greedy, target)).into();
    requests.push(request_by(other, "/x"));
    let answers = sim.exchange_together(requests);
    assert_eq!(answers[3].status, 503, "it holds three of four");
    assert_eq!((answers[4].status, answers[4].text()), (200, "page"), "the last place is kept for others");
}

/// Who waits shares the failure only of a request that was the same: a range and conditions are part of what was asked.
#[test]
fn a_failure_that_a_range_caused_is_its_own() {
    let sim = Sim::new(plain(), |ask| {
        let reply = match ask.field("range") {
            "bytes=0-1" => Reply::new("max-age=60", "01").status(206).field("content-range", "bytes 0-1/10"),
            "" => Reply::new("max-age=60", "0123456789"),
            _ => Reply::new("", "broken").status(500),
        };
        reply.after(seconds(1))
    });
    let (crafted, plain) = ([("range", "bytes=9-,0-,1-")], [("range", "bytes=0-1")]);
    let answers = sim.send_together(&[("GET", "/a", &crafted), ("GET", "/a", &plain)]);
    assert_eq!(answers[0].status, 500);
    assert_eq!((answers[1].status, answers[1].text()), (206, "01"), "{}", answers[1].cache_status());
}

/// The same by a condition.
#[test]
fn a_failure_that_a_condition_caused_is_its_own() {
    let sim = Sim::new(plain(), |ask| {
        let reply = match ask.field("if-none-match") {
            "" => Reply::new("max-age=60", "page"),
            "\"1\"" => Reply::new("max-age=60", "").status(304).field("etag", "\"1\""),
            _ => Reply::new("", "broken").status(500),
        };
        reply.after(seconds(1))
    });
    let (crafted, plain) = ([("if-none-match", "%%%")], [("if-none-match", "\"1\"")]);
    let answers = sim.send_together(&[("GET", "/a", &crafted), ("GET", "/a", &plain)]);
    assert_eq!(answers[1].status, 304, "{}", answers[1].cache_status());
}

/// Requests whose own fields make them fail neither hold up others nor wear out their patience: equal ones still collapse.
#[test]
fn failures_of_some_leave_the_others_collapsed() {
    let sim = Sim::new(plain(), |ask| {
        let fails = ask.field("accept-language").len() > 50;
        let reply =
            if fails { Reply::new("", "broken").status(500) } else { Reply::new("max-age=60", "page") };
        reply.after(seconds(5))
    });
    let long: Vec<String> = (0..5).map(|n| format!("{}{n}", "x".repeat(60))).collect();
    let crafted: Vec<_> = long.iter().map(|long| [("accept-language", long.as_str())]).collect();
    let mut requests: Vec<Sent<'_>> = crafted.iter().map(|fields| ("GET", "/a", &fields[..])).collect();
    requests.extend([GET; 40]);
    let began = sim.platform_now();
    let answers = sim.send_together(&requests);
    assert!(answers[5..].iter().all(|answer| answer.text() == "page"));
    let asked = sim.asked().iter().filter(|ask| ask.field("accept-language").is_empty()).count();
    assert_eq!(asked, 1, "those that are equal are one flight");
    assert!(sim.platform_now().since(began) <= seconds(10), "they wait for none of the others, or for one");
}

/// A 304 or 206 to one client's own condition or range says nothing about whether the whole can be shared: many origins leave
/// `Cache-Control` out of it.
#[test]
fn a_condition_or_a_range_of_one_client_lets_no_stampede_through() {
    for own in [
        ("if-none-match", "*"),
        ("if-modified-since", "Fri, 01 Jan 2049 00:00:00 GMT"),
        ("range", "bytes=0-0"),
    ] {
        let sim = Sim::new(plain(), |ask| {
            let mut reply = Reply::new("max-age=60", "page");
            if !ask.field("if-none-match").is_empty() || !ask.field("if-modified-since").is_empty() {
                reply = reply.status(304).body(levee::body::Body::empty());
                reply.fields.clear();
            } else if !ask.field("range").is_empty() {
                reply = Reply::new("", "p").status(206).field("content-range", "bytes 0-0/4");
                reply.fields.remove(0);
            }
            reply.field("etag", "\"1\"").after(Duration::from_millis(500))
        });
        assert!(matches!(sim.send("GET", "/a", &[own]).status, 206 | 304));
        sim.send_together(&[GET; 50]);
        assert_eq!(sim.asked().len(), 2, "one for the {}, one for all fifty", own.0);
    }
}

/// What the answer to one request with credentials says is for that request alone: it removes nothing and marks nothing.
#[test]
fn a_private_answer_to_one_who_is_logged_in_removes_nothing() {
    for forbids in ["private", "no-store", "private, max-age=60"] {
        let sim = Sim::new(forwarding_all(), move |ask| match ask.field("cookie") {
            "" => Reply::new("max-age=60", "anonymous"),
            _ => Reply::new(forbids, "ann's"),
        });
        sim.get("/a");
        assert_eq!(sim.send("GET", "/a", &[("cookie", "sid=ann")]).text(), "ann's");
        let others = sim.get("/a");
        assert!(others.cache_status().starts_with("hit"), "{forbids}: {}", others.cache_status());
    }
}

/// The same marks: beside someone who is logged in, the others still collapse.
#[test]
fn a_private_answer_to_one_who_is_logged_in_lets_no_stampede_through() {
    let sim = Sim::new(forwarding_all(), |ask| {
        let reply = match ask.field("cookie") {
            "" => Reply::new("max-age=60", "anonymous").field("vary", "cookie"),
            _ => Reply::new("private", "ann's").field("vary", "cookie"),
        };
        reply.after(Duration::from_millis(500))
    });
    sim.send("GET", "/a", &[("cookie", "sid=ann")]);
    sim.send_together(&[GET; 50]);
    assert_eq!(sim.asked().len(), 2);
}

/// A HEAD with credentials tells nothing about the entry that those without share (RFC 9111, section 4.3.5: of what could have
/// been chosen for it).
#[test]
fn a_head_of_one_who_is_logged_in_removes_nothing() {
    let sim = Sim::new(forwarding_all(), |ask| match ask.field("cookie") {
        "" => Reply::new("max-age=60", "anonymous"),
        _ => Reply::new("max-age=60", "").field("content-length", "5"),
    });
    sim.get("/a");
    sim.send("HEAD", "/a", &[("cookie", "sid=ann")]);
    let others = sim.get("/a");
    assert!(others.cache_status().starts_with("hit"), "{}", others.cache_status());
}

/// A HEAD that names nothing by which the body is known confirms no body: else who asks by HEAD, again and again, keeps old
/// content alive for ever.
#[test]
fn a_head_without_a_validator_keeps_no_old_body_alive() {
    let sim = Sim::new(plain(), |ask| match ask.method.as_str() {
        "HEAD" => Reply::new("max-age=1", "").body(TestBody::chunks(vec![])),
        _ => Reply::new("max-age=1", if ask.number == 0 { "old" } else { "new" }),
    });
    assert_eq!(sim.get("/a").text(), "old");
    for _ in 0..5 {
        sim.advance(seconds(2));
        sim.send("HEAD", "/a", &[]);
    }
    assert_eq!(sim.get("/a").text(), "new");
}

/// One variant that can no longer be stored says nothing about the others.
#[test]
fn what_becomes_of_one_variant_leaves_the_others() {
    let sim = Sim::new(plain(), |ask| {
        let directives = match (ask.field("accept-language"), ask.number) {
            ("xx", 0) => "max-age=1",
            ("xx", _) => "no-store",
            _ => "max-age=600",
        };
        Reply::new(directives, ask.field("accept-language")).field("vary", "accept-language")
    });
    let get = |language: &'static str| sim.send("GET", "/a", &[("accept-language", language)]);
    get("xx");
    get("de");
    sim.advance(seconds(2));
    get("xx");
    let other = get("de");
    assert!(other.cache_status().starts_with("hit"), "{}", other.cache_status());
}

/// An error that one request's own fields may have caused keeps no revalidation from being tried for others.
#[test]
fn an_error_of_one_request_delays_no_revalidation() {
    let sim = Sim::new(plain(), |ask| {
        let fails = ask.field("accept-language").len() > 50;
        let reply = Reply::new("max-age=1, stale-while-revalidate=60", "page");
        if fails { reply.status(431) } else { reply }
    });
    sim.get("/a");
    sim.advance(seconds(2));
    sim.send("GET", "/a", &[("accept-language", &"x".repeat(60))]);
    assert_eq!(sim.get("/a").text(), "page");
    // The one before has had it revalidated.
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=1");
}

/// Whoever waits waits once: an answer that has to be validated at each use is not waited for by one after another.
#[test]
fn what_is_always_validated_costs_one_exchange_of_time() {
    let sim = Sim::new(plain(), |ask| {
        let reply = match ask.field("if-none-match") {
            "" => Reply::new("no-cache", "page").field("etag", "\"1\""),
            _ => Reply::new("no-cache", "").status(304).field("etag", "\"1\""),
        };
        reply.after(seconds(1))
    });
    sim.get("/a");
    for _ in 0..2 {
        let began = sim.platform_now();
        let answers = sim.send_together(&[GET; 20]);
        assert!(answers.iter().all(|answer| answer.text() == "page"));
        assert_eq!(sim.platform_now().since(began), seconds(1));
    }
}

/// An origin that breaks every body off is not asked by each who waits.
#[test]
fn bodies_that_break_off_let_no_stampede_through() {
    let broken = |_: &Ask| {
        Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok("half"), Err("reset")])).after(seconds(1))
    };
    let sim = Sim::new(plain(), broken);
    let answers = sim.send_together(&[GET; 60]);
    assert!(answers.iter().all(|answer| answer.body.is_err() || answer.status >= 500));
    assert!(sim.asked().len() <= 8, "{} requests", sim.asked().len());
}

/// Nor is one that says that it is asked too often: every fill of a key is sent the same fields.
#[test]
fn an_origin_that_says_429_is_not_asked_by_each_who_waits() {
    let sim = Sim::new(plain(), |_| {
        Reply::new("", "slow down").status(429).field("retry-after", "5").after(seconds(1))
    });
    sim.send_together(&[GET; 60]);
    assert!(sim.asked().len() <= 8, "{} requests", sim.asked().len());
}

/// What came of a flight answers all who have waited for it, also where the origin took longer than its answer is fresh: that is
/// how a flood begins. It is no older for them than for the one who led (RFC 9111, section 4: collapsed requests).
#[test]
fn a_slow_origin_and_a_short_lifetime_let_no_stampede_through() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=1", "page").after(seconds(2)));
    for round in 1..=2 {
        let answers = sim.send_together(&[GET; 50]);
        assert!(sim.asked().len() <= 2 * round, "{} requests in {round} rounds", sim.asked().len());
        assert!(answers.iter().all(|answer| answer.text() == "page"));
        sim.advance(seconds(5));
    }
}

/// The same for what comes old from a cache behind the edge.
#[test]
fn an_answer_that_comes_old_lets_no_stampede_through_or_holds_nobody_up() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=60", "page").field("age", "100").after(seconds(1)));
    sim.get("/a");
    let began = sim.platform_now();
    sim.send_together(&[GET; 20]);
    let (waited, asked) = (sim.platform_now().since(began), sim.asked().len() - 1);
    assert!(waited == seconds(1) || asked <= 2, "{asked} requests, and {waited:?}");
}

/// Of two answers the more recent one counts, by its `Date`, whichever comes last (RFC 9111, section 4).
#[test]
fn an_older_answer_replaces_no_newer_one() {
    let sim = Sim::new(plain(), |ask| match ask.number {
        // For a moment nobody waits for anybody.
        0 => Reply::new("private", "x"),
        1 => Reply::new("max-age=60", "old").field("date", "Tue, 14 Nov 2023 22:13:20 GMT").after(seconds(5)),
        _ => Reply::new("max-age=60", "new").field("date", "Tue, 14 Nov 2023 22:13:21 GMT").after(seconds(1)),
    });
    sim.get("/a");
    let answers = sim.send_together(&[GET, GET]);
    assert_eq!((answers[0].text(), answers[1].text()), ("old", "new"));
    assert_eq!(sim.get("/a").text(), "new");
}
