//! Ranges and conditions of clients, where the response is stored and where it is not.

use std::time::Duration;

use bytes::Bytes;
use levee::body::Body;
use levee::config::{Config, Limits};
use levee::testing::{Ask, Reply, Sim, TestBody, config_for};

const DATA: &str = "0123456789";

fn small_limit() -> Config {
    Config { limits: Limits { object: 5, ..Limits::default() }, ..config_for(&["https://o.example"]) }
}

fn plain() -> Config {
    config_for(&["https://o.example"])
}

/// An origin that overlooks ranges and conditions.
fn simple(cache_control: &'static str) -> impl Fn(&Ask) -> Reply {
    move |_| {
        Reply::new(cache_control, DATA)
            .field("etag", "\"v1\"")
            .field("last-modified", "Tue, 14 Nov 2023 22:00:00 GMT")
            .field("content-length", "10")
            .field("content-digest", "sha-256=:AAAA:")
    }
}

/// An origin that answers single ranges and validators.
fn able(cache_control: &'static str) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        let reply = simple(cache_control)(ask);
        if ask.field("if-none-match").contains("\"v1\"") {
            return reply.status(304).body(TestBody::empty());
        }
        if !ask.field("if-match").is_empty() && !ask.field("if-match").contains("\"v1\"") {
            return Reply::new("no-store", "").status(412);
        }
        match ask.field("range") {
            "" => reply,
            "bytes=99-" => Reply::new("max-age=600", "").status(416).field("content-range", "bytes */10"),
            _ => reply
                .status(206)
                .field("content-range", "bytes 2-4/10")
                .body(TestBody::full(Bytes::from_static(b"234"))),
        }
    }
}

/// Each way in which a response comes to be not stored.
fn not_stored() -> Vec<Sim> {
    vec![
        Sim::new(small_limit(), simple("max-age=60")),
        Sim::new(plain(), simple("")),
        Sim::new(plain(), simple("no-store")),
        Sim::new(small_limit(), able("max-age=60")),
        Sim::new(plain(), able("no-store")),
    ]
}

#[test]
fn a_part_of_what_is_not_stored_is_a_part() {
    for sim in not_stored() {
        for wait in [0, 3, 0, 3] {
            sim.advance(Duration::from_secs(wait));
            let part = sim.send("GET", "/a", &[("range", "bytes=2-4")]);
            assert_eq!((part.status, part.text(), part.field("content-range")), (206, "234", "bytes 2-4/10"));
            assert_eq!(sim.get("/a").text(), DATA);
        }
    }
}

#[test]
fn conditions_hold_for_what_is_not_stored() {
    for sim in not_stored() {
        for _ in 0..3 {
            let status = |name, value| sim.send("GET", "/a", &[(name, value)]).status;
            assert_eq!(status("if-none-match", "\"v1\""), 304);
            assert_eq!(status("if-none-match", "\"v2\""), 200);
            assert_eq!(status("if-match", "\"v1\""), 200);
            assert_eq!(status("if-match", "\"v2\""), 412);
            assert_eq!(status("if-unmodified-since", "Tue, 14 Nov 2023 21:00:00 GMT"), 412);
            assert_eq!(status("if-modified-since", "Tue, 14 Nov 2023 22:00:00 GMT"), 304);
            sim.advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn no_part_of_another_version_is_sent() {
    let mut sims = not_stored();
    sims.extend([Sim::new(plain(), simple("max-age=60")), Sim::new(plain(), able("max-age=60"))]);
    for sim in sims {
        for _ in 0..3 {
            let failed = sim.send("GET", "/a", &[("range", "bytes=2-4"), ("if-match", "\"v0\"")]);
            assert_eq!((failed.status, failed.text()), (412, ""));
            let whole = sim.send("GET", "/a", &[("range", "bytes=2-4"), ("if-range", "\"v0\"")]);
            assert!(
                matches!((whole.status, whole.text()), (200, DATA))
                    || sim.asked().last().unwrap().field("if-range") == "\"v0\""
            );
            let part = sim.send("GET", "/a", &[("range", "bytes=2-4"), ("if-match", "\"v1\"")]);
            assert_eq!((part.status, part.text()), (206, "234"));
        }
    }
}

#[test]
fn a_part_shows_that_the_whole_is_worth_fetching() {
    let sim = Sim::new(plain(), able("max-age=60"));
    let range = [("range", "bytes=2-4")];
    assert_eq!(sim.send("GET", "/a", &range).status, 206);
    let next = sim.send("GET", "/a", &range);
    assert_eq!(
        (next.status, next.text(), next.cache_status()),
        (206, "234", "fwd=uri-miss; fwd-status=200; stored")
    );
    assert_eq!(sim.asked()[1].field("range"), "", "the whole was asked for");
    assert_eq!(sim.send("GET", "/a", &range).cache_status(), "hit; ttl=60");
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn a_304_shows_that_the_whole_is_worth_fetching() {
    let sim = Sim::new(plain(), able("max-age=60"));
    let condition = [("if-none-match", "\"v1\"")];
    assert_eq!(sim.send("GET", "/a", &condition).status, 304);
    assert_eq!(sim.asked()[0].field("if-none-match"), "\"v1\"");
    assert_eq!(sim.send("GET", "/a", &condition).status, 304);
    assert_eq!(sim.asked()[1].field("if-none-match"), "", "the whole was asked for");
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=60");
}

#[test]
fn a_part_of_what_is_too_large_shows_that_too() {
    let sim = Sim::new(small_limit(), able("max-age=60"));
    let range = [("range", "bytes=2-4")];
    for _ in 0..4 {
        assert_eq!(sim.send("GET", "/a", &range).status, 206);
    }
    assert!(
        sim.asked().iter().all(|ask| ask.field("range") == "bytes=2-4"),
        "the whole is never fetched for a part"
    );
}

#[test]
fn a_416_answers_no_plain_request() {
    let sim = Sim::new(small_limit(), able("max-age=600"));
    sim.get("/a");
    assert_eq!(sim.send("GET", "/a", &[("range", "bytes=99-")]).status, 416);
    assert_eq!(sim.get("/a").status, 200);
    let sim = Sim::new(plain(), able("max-age=600"));
    assert_eq!(sim.send("GET", "/a", &[("range", "bytes=99-")]).status, 416);
    assert_eq!((sim.get("/a").status, sim.get("/a").text()), (200, DATA));
}

#[test]
fn parts_of_one_cold_url_are_asked_for_once() {
    let sim = Sim::new(plain(), |ask| able("max-age=60")(ask).after(Duration::from_secs(1)));
    let range = [("range", "bytes=2-4")];
    let answers = sim.send_together(&vec![("GET", "/a", &range[..]); 30]);
    assert!(answers.iter().all(|answer| (answer.status, answer.text()) == (206, "234")));
    assert_eq!(sim.asked().len(), 2, "the part that shows it, and the whole");
}

#[test]
fn a_request_for_a_part_holds_up_none_for_the_whole() {
    let sim = Sim::new(plain(), |ask| {
        let delay = if ask.field("range").is_empty() { 1 } else { 5 };
        able("max-age=60")(ask).after(Duration::from_secs(delay))
    });
    let began = sim.platform_now();
    let range = [("range", "bytes=2-4")];
    sim.impatient("/other", Duration::ZERO);
    sim.send_together(&[("GET", "/b", &[])]);
    let whole = sim.send_together(&[("GET", "/a", &range[..]), ("GET", "/a", &[])]);
    assert_eq!((whole[0].text(), whole[1].text()), ("234", DATA));
    assert!(sim.platform_now().since(began) <= Duration::from_secs(7));
}

#[test]
fn what_is_stored_does_not_judge_if_match() {
    let sim = Sim::new(plain(), simple("max-age=60"));
    sim.get("/a");
    sim.origin(|ask| {
        assert_eq!(ask.field("if-match"), "\"v2\"", "it goes to the origin as it came");
        Reply::new("max-age=60", "newer").field("etag", "\"v2\"")
    });
    let newer = sim.send("GET", "/a", &[("if-match", "\"v2\"")]);
    assert_eq!((newer.status, newer.text()), (200, "newer"));
    assert_eq!(newer.cache_status(), "fwd=bypass; fwd-status=200; detail=precondition");
    assert_eq!(sim.send("GET", "/a", &[("if-match", "\"v1\"")]).cache_status(), "hit; ttl=60");
}

#[test]
fn fields_that_describe_the_whole_are_not_sent_with_a_part() {
    for sim in [Sim::new(plain(), simple("max-age=60")), Sim::new(small_limit(), simple("max-age=60"))] {
        for _ in 0..2 {
            let part = sim.send("GET", "/a", &[("range", "bytes=2-4")]);
            assert_eq!(
                (part.status, part.field("content-digest"), part.field("content-length")),
                (206, "", "3")
            );
        }
    }
}
