//! Fills and those who wait for them: whose they are, what is shared, and what is not.

use std::time::Duration;

use levee::config::{Config, Limits, Policy, Ttl};
use levee::platform::FetchError;
use levee::testing::{Ask, Reply, Sent, Sim, TestBody, config_for};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn plain() -> Config {
    config_for(&["https://o.example"])
}

fn many<'a>(one: Sent<'a>, times: usize) -> Vec<Sent<'a>> {
    vec![one; times]
}

const GET: Sent<'static> = ("GET", "/a", &[]);

#[test]
fn a_fill_goes_on_when_its_client_has_gone() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=60", "page").after(seconds(2)));
    for _ in 0..5 {
        sim.impatient("/a", Duration::from_millis(500));
    }
    sim.settle();
    assert_eq!(sim.asked().len(), 1);
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=58");
}

#[test]
fn those_who_wait_are_answered_when_the_leaders_client_has_gone() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=60", "page").after(seconds(2)));
    sim.impatient("/a", Duration::from_millis(500));
    let answers = sim.send_together(&many(GET, 20));
    assert!(
        answers.iter().all(|answer| answer.text() == "page" && answer.cache_status().contains("collapsed"))
    );
    assert_eq!(sim.asked().len(), 1);
}

#[test]
fn a_failure_is_shared_by_everyone_who_waits_for_it() {
    let failing = |_: &Ask| Reply::new("", "broken").status(503).after(seconds(1));
    let sim = Sim::new(plain(), failing);
    let answers = sim.send_together(&many(GET, 60));
    assert!(answers.iter().all(|answer| answer.status == 503), "{:?}", answers[1]);
    assert_eq!(sim.asked().len(), 1);
    // The leader has the origin's own words; who waited is told by the edge, as another's answer may be personal.
    assert_eq!(answers.iter().filter(|answer| answer.text() == "broken").count(), 1);
    assert!(answers.iter().filter(|answer| answer.text() != "broken").all(|answer| {
        answer.cache_status().contains("fwd-status=503") && answer.cache_status().contains("collapsed")
    }));
    // The next ones collapse as well: a failure marks no key as one whose responses cannot be shared.
    sim.send_together(&many(GET, 60));
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn an_origin_that_cannot_be_reached_is_asked_once_for_all_who_wait() {
    let sim = Sim::new(plain(), |_| Reply::error(FetchError::ConnectionRefused).after(seconds(1)));
    let answers = sim.send_together(&many(GET, 60));
    assert!(answers.iter().all(|answer| answer.status == 502));
    assert_eq!(sim.asked().len(), 1);
}

#[test]
fn a_failure_that_one_request_may_have_caused_is_its_own() {
    let sim = Sim::new(plain(), |ask| {
        let fails = ask.field("accept-language").len() > 100;
        let reply =
            if fails { Reply::new("", "broken").status(500) } else { Reply::new("max-age=60", "page") };
        reply.after(seconds(1))
    });
    let long = "x".repeat(200);
    let crafted = [("accept-language", long.as_str())];
    let mut requests = vec![("GET", "/a", &crafted[..])];
    requests.extend(many(GET, 20));
    let answers = sim.send_together(&requests);
    assert_eq!(answers[0].status, 500);
    assert!(answers[1..].iter().all(|answer| (answer.status, answer.text()) == (200, "page")));
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn known_variants_are_fetched_side_by_side() {
    let kinds = ["gzip", "br", "zstd", "br, gzip", "br, gzip, zstd", "identity"];
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", ask.field("accept-encoding"))
            .field("vary", "accept-encoding")
            .after(seconds(1))
    });
    let fields: Vec<_> = kinds.iter().map(|kind| [("accept-encoding", *kind)]).collect();
    let requests: Vec<Sent<'_>> = (0..120).map(|n| ("GET", "/a", &fields[n % kinds.len()][..])).collect();
    let began = sim.platform_now();
    let answers = sim.send_together(&requests);
    assert_eq!(sim.asked().len(), kinds.len());
    // The first one shows what the URL varies on, and the others go at once.
    assert_eq!(sim.platform_now().since(began), seconds(2));
    for (answer, request) in answers.iter().zip(&requests) {
        assert_eq!(answer.status, 200);
        let (mut got, mut wanted): (Vec<_>, Vec<_>) =
            (answer.text().split(',').collect(), request.2[0].1.split(", ").collect());
        got.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(got, wanted);
    }
}

#[test]
fn nobody_waits_for_the_end_of_an_event_stream() {
    let ttl = Ttl { default: seconds(10), ..Ttl::default() };
    let config = Config { defaults: Policy { ttl, ..Policy::default() }, ..plain() };
    for content_type in
        ["text/event-stream", "Text/Event-Stream; charset=utf-8", "multipart/x-mixed-replace;boundary=b"]
    {
        let sim = Sim::new(config.clone(), move |_| {
            Reply::new("", "data: 1\n\n").field("content-type", content_type)
        });
        let answers = sim.send_together(&many(GET, 2));
        assert!(answers.iter().all(|answer| answer.cache_status().ends_with("detail=event-stream")));
        assert_eq!(sim.asked().len(), 2, "each has a stream of its own");
    }
}

#[test]
fn what_could_never_be_used_is_not_waited_for() {
    let ttl = Ttl { default: seconds(10), ..Ttl::default() };
    let config = Config { defaults: Policy { ttl, ..Policy::default() }, ..plain() };
    let sim = Sim::new(config, |_| Reply::new("no-cache", "x"));
    assert_eq!(sim.get("/a").cache_status(), "fwd=uri-miss; fwd-status=200; detail=no-lifetime-no-validator");
}

#[test]
fn a_body_that_breaks_off_is_given_to_nobody_as_whole() {
    let sim = Sim::new(plain(), |_| {
        Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok("half"), Err("reset")])).after(seconds(1))
    });
    let answers = sim.send_together(&many(GET, 5));
    assert_eq!(answers.iter().filter(|answer| answer.body.is_err()).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 502).count(), 4, "{answers:?}");
    assert_eq!(sim.asked().len(), 1);
}

#[test]
fn what_is_too_large_is_not_waited_for_twice() {
    let limits = Limits { object: 4, ..Limits::default() };
    let sim = Sim::new(Config { limits, ..plain() }, |_| {
        Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok("123"), Ok("456")])).after(seconds(1))
    });
    let answers = sim.send_together(&many(GET, 3));
    assert!(answers.iter().all(|answer| answer.text() == "123456"));
    assert_eq!(sim.asked().len(), 3);
}
