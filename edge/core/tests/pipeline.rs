//! The whole pipeline in memory under a virtual clock.

use std::time::Duration;

use levee::config::{ClientDirectives, Config, Credentials, Policy, SetCookie, Shield};
use levee::platform::FetchError;
use levee::testing::{Ask, Fault, MapStore, Reply, Sent, Sim, TOKEN, TestBody, config_for};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn with(policy: Policy) -> Config {
    Config { defaults: policy, ..config_for(&["https://o.example"]) }
}

fn plain() -> Config {
    with(Policy::default())
}

/// An origin that numbers its answers.
fn numbered(cache_control: &'static str) -> impl Fn(&Ask) -> Reply {
    move |ask| Reply::new(cache_control, &format!("answer {}", ask.number))
}

#[test]
fn a_miss_then_a_hit_then_a_new_miss() {
    let sim = Sim::new(plain(), numbered("max-age=10"));
    let first = sim.get("/a");
    assert_eq!(first.cache_status(), "fwd=uri-miss; fwd-status=200; stored");
    sim.advance(seconds(4));
    let second = sim.get("/a");
    assert_eq!((second.text(), second.cache_status()), ("answer 0", "hit; ttl=6"));
    assert_eq!(second.field("age"), "4");
    assert!(second.field("server-timing").contains("cache;desc=\"hit\", tier;desc=\"memory\", age;dur=4000"));
    sim.advance(seconds(6));
    assert_eq!(sim.get("/a").text(), "answer 1");
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn a_reload_is_not_a_purge() {
    let sim = Sim::new(plain(), numbered("max-age=10"));
    sim.get("/a");
    let reload = sim.send("GET", "/a", &[("cache-control", "max-age=0"), ("pragma", "no-cache")]);
    assert_eq!(reload.cache_status(), "hit; ttl=10");
    let honoured = with(Policy { client_directives: ClientDirectives::Honour, ..Policy::default() });
    let sim = Sim::new(honoured, numbered("max-age=10"));
    sim.get("/a");
    let reload = sim.send("GET", "/a", &[("cache-control", "max-age=0")]);
    assert_eq!((reload.text(), reload.cache_status()), ("answer 1", "fwd=request; fwd-status=200; stored"));
}

#[test]
fn stale_is_served_while_one_request_refreshes_behind() {
    let sim = Sim::new(plain(), numbered("max-age=1, stale-while-revalidate=30"));
    sim.get("/a");
    sim.advance(seconds(5));
    sim.origin(|ask| Reply::new("max-age=10", &format!("answer {}", ask.number)).after(seconds(1)));
    let stale = sim.send_together(&[("GET", "/a", &[]), ("GET", "/a", &[]), ("GET", "/a", &[])]);
    for answer in stale {
        assert_eq!(answer.text(), "answer 0");
        assert_eq!(answer.cache_status(), "hit; ttl=-4; detail=stale-while-revalidate");
    }
    sim.settle();
    assert_eq!(sim.get("/a").text(), "answer 1");
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn a_304_confirms_and_brings_fields_up_to_date() {
    let sim = Sim::new(plain(), |ask| {
        if ask.field("if-none-match") == "\"v1\"" {
            Reply::new("max-age=20", "").status(304).field("etag", "\"v1\"").field("x-a", "new")
        } else {
            Reply::new("max-age=1", "body").field("etag", "\"v1\"").field("x-a", "old")
        }
    });
    sim.get("/a");
    sim.advance(seconds(2));
    let confirmed = sim.get("/a");
    assert_eq!((confirmed.text(), confirmed.field("x-a")), ("body", "new"));
    assert_eq!(confirmed.cache_status(), "fwd=stale; fwd-status=304; ttl=20; stored");
    sim.advance(seconds(19));
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=1");
}

#[test]
fn stale_stands_in_for_an_error_as_long_as_it_may() {
    let sim = Sim::new(plain(), numbered("max-age=1, stale-if-error=60"));
    sim.get("/a");
    sim.advance(seconds(10));
    sim.origin(|_| Reply::error(FetchError::ConnectionRefused));
    let stale = sim.get("/a");
    assert_eq!((stale.status, stale.text()), (200, "answer 0"));
    assert_eq!(stale.cache_status(), "fwd=stale; ttl=-9; detail=stale-if-error");
    sim.origin(|_| Reply::new("", "oops").status(503));
    assert_eq!(sim.get("/a").cache_status(), "fwd=stale; fwd-status=503; ttl=-9; detail=stale-if-error");
    sim.advance(seconds(60));
    let gone = sim.get("/a");
    assert_eq!((gone.status, gone.text()), (503, "oops"));
}

#[test]
fn an_origin_that_is_gone_is_a_502_and_a_late_one_a_504() {
    let shield = Shield { first_byte_timeout: seconds(10), ..Shield::default() };
    let sim = Sim::new(Config { shield, ..plain() }, |_| Reply::error(FetchError::ConnectionRefused));
    let gone = sim.get("/a");
    assert_eq!((gone.status, gone.field("content-type")), (502, "application/problem+json"));
    assert_eq!(gone.field("proxy-status"), "levee; error=connection_refused");
    assert_eq!(gone.cache_status(), "fwd=uri-miss; detail=origin-unreachable");
    sim.origin(|_| Reply::new("", "").after(seconds(60)));
    assert_eq!(sim.get("/b").status, 504);
}

#[test]
fn concurrent_misses_become_one_request() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=10", "once").after(seconds(2)));
    let requests: Vec<Sent<'_>> = vec![("GET", "/a", &[]); 100];
    let answers = sim.send_together(&requests);
    assert!(answers.iter().all(|answer| answer.text() == "once"));
    assert_eq!(sim.asked().len(), 1);
    assert_eq!(
        answers.iter().filter(|answer| answer.cache_status() == "fwd=uri-miss; ttl=8; collapsed").count(),
        99
    );
}

#[test]
fn waiters_of_what_cannot_be_shared_each_get_their_own_and_do_not_queue() {
    let sim =
        Sim::new(plain(), |ask| Reply::new("private", &format!("for {}", ask.number)).after(seconds(2)));
    let start = sim.platform_now();
    let requests: Vec<Sent<'_>> = vec![("GET", "/a", &[]); 10];
    let answers = sim.send_together(&requests);
    let mut bodies: Vec<_> = answers.iter().map(|answer| answer.text().to_owned()).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 10, "a private answer was given to two");
    assert_eq!(sim.platform_now().since(start), seconds(4), "they queued behind one another");
}

#[test]
fn an_origin_that_fails_fails_once_for_all_who_wait() {
    let sim = Sim::new(plain(), |_| Reply::error(FetchError::ConnectionRefused).after(seconds(1)));
    let requests: Vec<Sent<'_>> = vec![("GET", "/a", &[]); 20];
    assert!(sim.send_together(&requests).iter().all(|answer| answer.status == 502));
    assert_eq!(sim.asked().len(), 1);
}

#[test]
fn private_and_no_store_are_never_shared() {
    for cache_control in ["private, max-age=60", "no-store, max-age=60", "max-age=60, private=\"\""] {
        let sim = Sim::new(plain(), move |ask| Reply::new(cache_control, &format!("answer {}", ask.number)));
        assert_eq!(sim.get("/a").text(), "answer 0");
        assert_eq!(sim.get("/a").text(), "answer 1", "{cache_control}");
    }
}

#[test]
fn a_request_with_credentials_goes_through_whole_and_is_not_shared() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", &format!("for {}{}", ask.field("authorization"), ask.field("x-unkeyed")))
    });
    let mine = sim.send("GET", "/a", &[("authorization", "me"), ("x-unkeyed", "!")]);
    assert_eq!(
        (mine.text(), mine.cache_status()),
        ("for me!", "fwd=bypass; fwd-status=200; detail=credentials")
    );
    assert_eq!(sim.get("/a").text(), "for ");
    // What is stored without credentials is not for those who show them either, unless the response says so.
    assert_eq!(sim.send("GET", "/a", &[("cookie", "sid=1")]).text(), "for ");
    assert_eq!(sim.asked().len(), 3);
}

#[test]
fn what_is_public_is_for_those_with_credentials_too() {
    let sim = Sim::new(plain(), numbered("public, max-age=60"));
    sim.get("/a");
    assert_eq!(sim.send("GET", "/a", &[("cookie", "sid=1")]).cache_status(), "hit; ttl=60");
}

#[test]
fn stripped_credentials_share_one_entry() {
    let policy = Policy { credentials: Credentials::Strip, ..Policy::default() };
    let sim = Sim::new(with(policy), |ask| {
        Reply::new("max-age=60", &format!("cookie: {:?}", ask.field("cookie"))).field("vary", "cookie")
    });
    assert_eq!(sim.send("GET", "/a", &[("cookie", "sid=1")]).text(), "cookie: \"\"");
    assert_eq!(sim.send("GET", "/a", &[("cookie", "sid=2")]).cache_status(), "hit; ttl=60");
}

#[test]
fn nothing_particular_poisons_an_entry() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new(
            "max-age=60",
            &format!("{}|{}", ask.field("x-forwarded-host"), ask.field("x-original-url")),
        )
    });
    let evil = [("x-forwarded-host", "evil.example"), ("x-original-url", "/admin")];
    for outcome in [
        "fwd=uri-miss; fwd-status=200; detail=particular-once",
        "fwd=uri-miss; fwd-status=200; stored",
        "hit; ttl=60",
    ] {
        let answer = sim.send("GET", "/a", &evil);
        let outcome = format!("{outcome}; particular=\"x-original-url\"");
        assert_eq!((answer.text(), answer.cache_status()), ("a.example|/admin", outcome.as_str()));
    }
    assert_eq!(sim.get("/a").text(), "a.example|");
    assert_eq!(sim.send("GET", "/a", &[("x-original-url", "/other")]).text(), "a.example|/other");
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=60");
}

#[test]
fn set_cookie_is_refused_or_stripped() {
    let reply =
        |ask: &Ask| Reply::new("max-age=60", &format!("answer {}", ask.number)).field("set-cookie", "sid=1");
    let sim = Sim::new(plain(), reply);
    let first = sim.get("/a");
    assert_eq!(
        (first.field("set-cookie"), first.cache_status()),
        ("sid=1", "fwd=uri-miss; fwd-status=200; detail=set-cookie")
    );
    assert_eq!(sim.get("/a").text(), "answer 1");
    let sim = Sim::new(with(Policy { set_cookie: SetCookie::Strip, ..Policy::default() }), reply);
    assert_eq!(sim.get("/a").field("set-cookie"), "");
    let hit = sim.get("/a");
    assert_eq!((hit.text(), hit.field("set-cookie")), ("answer 0", ""));
}

#[test]
fn where_the_origin_is_silent_nothing_is_stored_and_the_reason_is_named() {
    let sim = Sim::new(plain(), |_| Reply { fields: vec![], ..Reply::new("", "x") });
    sim.get("/a");
    assert_eq!(sim.get("/a").cache_status(), "fwd=uri-miss; fwd-status=200; detail=no-lifetime");
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn variants_are_told_apart_as_the_origin_saw_them() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", ask.field("accept-language")).field("vary", "Accept-Language")
    });
    let ask = |language: &'static str| sim.send("GET", "/a", &[("accept-language", language)]);
    assert_eq!(ask("de").text(), "de");
    assert_eq!(ask("EN").cache_status(), "fwd=vary-miss; fwd-status=200; stored");
    assert_eq!(ask("en").cache_status(), "hit; ttl=60");
    assert_eq!(ask("de").text(), "de");
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn a_response_goes_to_those_who_said_the_same_in_the_fields_it_varies_on() {
    let fragment = |ask: &Ask| {
        let text = if ask.field("hx-request") == "true" { "fragment" } else { "page" };
        Reply::new("max-age=60", text).field("vary", "HX-Request")
    };
    let sim = Sim::new(plain(), fragment);
    let (plain, htmx): (Sent<'_>, Sent<'_>) = (("GET", "/a", &[]), ("GET", "/a", &[("hx-request", "true")]));
    for (sent, text, outcome) in [
        (plain, "page", "fwd=uri-miss; fwd-status=200; stored"),
        // The response names it, so that it need not be seen a second time.
        (htmx, "fragment", "fwd=uri-miss; fwd-status=200; stored"),
        (htmx, "fragment", "hit; ttl=60"),
        (plain, "page", "hit; ttl=60"),
    ] {
        let answer = sim.send(sent.0, sent.1, sent.2);
        let particular = if sent.2.is_empty() { "" } else { "; particular=\"hx-request\"" };
        assert_eq!((answer.text(), answer.cache_status()), (text, format!("{outcome}{particular}").as_str()));
    }
}

#[test]
fn what_the_origin_calls_public_answers_all_who_say_more() {
    let sim = Sim::new(plain(), |_| Reply::new("public, max-age=60", "page"));
    assert!(sim.send("GET", "/a", &[("x-version", "1")]).cache_status().contains("detail=particular-once"));
    sim.get("/a");
    let other = sim.send("GET", "/a", &[("x-version", "2")]);
    assert_eq!(other.cache_status(), "hit; ttl=60; particular=\"x-version\"");
}

#[test]
fn equal_particular_sets_collapse_together_also_before_they_are_stored() {
    let sim = Sim::new(plain(), |ask| Reply::new("max-age=60", ask.field("x-version")).after(seconds(1)));
    let (one, two) = ([("x-version", "1")], [("x-version", "2")]);
    let sent: Vec<Sent<'_>> =
        (0..40).map(|n| ("GET", "/a", if n % 2 == 0 { &one[..] } else { &two[..] })).collect();
    let answers = sim.send_together(&sent);
    assert!(answers.iter().enumerate().all(|(n, answer)| answer.text() == ["1", "2"][n % 2]));
    assert_eq!(sim.asked().len(), 2);
}

#[test]
fn a_response_that_repeats_what_its_client_says_is_for_that_client_alone() {
    let sim =
        Sim::new(plain(), |ask| Reply::new("max-age=60", &format!("you are {}", ask.field("user-agent"))));
    let agent = |agent: &'static str| sim.send("GET", "/a", &[("user-agent", agent)]).text().to_owned();
    for name in ["curl/8.16.0 (one)", "curl/8.16.0 (other)", "curl/8.16.0 (one)"] {
        assert_eq!(agent(name), format!("you are {name}"));
    }
}

#[test]
fn an_answer_for_one_origin_is_not_given_to_another() {
    let sim = Sim::new(plain(), |ask| {
        let origin = ask.field("origin").to_owned();
        Reply::new("max-age=60", "x").field("access-control-allow-origin", origin)
    });
    let from = |origin: &'static str| sim.send("GET", "/a", &[("origin", origin)]);
    assert_eq!(from("https://b.example").field("access-control-allow-origin"), "https://b.example");
    assert_eq!(from("https://c.example").field("access-control-allow-origin"), "https://c.example");
    assert!(from("https://b.example").cache_status().starts_with("hit"));
}

#[test]
fn conditions_and_ranges_are_answered_from_the_entry() {
    // An origin that overlooks conditions and ranges.
    let sim = Sim::new(plain(), |_| {
        Reply::new("max-age=60", "0123456789").field("etag", "\"v\"").field("content-length", "10")
    });
    let miss = sim.send("GET", "/a", &[("if-none-match", "\"v\"")]);
    assert_eq!((miss.status, miss.text(), miss.field("etag")), (304, "", "\"v\""));
    let part = sim.send("GET", "/a", &[("range", "bytes=2-4")]);
    assert_eq!((part.status, part.text(), part.field("content-range")), (206, "234", "bytes 2-4/10"));
    assert_eq!(part.cache_status(), "hit; ttl=60");
    let head = sim.send("HEAD", "/a", &[]);
    assert_eq!((head.status, head.text(), head.field("content-length")), (200, "", "10"));
    assert_eq!(sim.asked().len(), 1);
    let fresh = sim.send("GET", "/b", &[("range", "bytes=-2")]);
    assert_eq!((fresh.status, fresh.text()), (206, "89"));
}

#[test]
fn a_head_tells_how_the_stored_answer_has_fared() {
    let answer = |tag: &'static str, max_age: &'static str| {
        move |ask: &Ask| {
            let body = if ask.method == "HEAD" { "" } else { "body" };
            Reply::new(max_age, body).field("etag", tag).field("x-a", tag)
        }
    };
    let sim = Sim::new(plain(), answer("\"1\"", "max-age=1"));
    sim.get("/a");
    sim.advance(seconds(2));
    sim.origin(answer("\"1\"", "max-age=60"));
    sim.send("HEAD", "/a", &[]);
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=60");
    sim.advance(seconds(61));
    sim.origin(answer("\"2\"", "max-age=60"));
    sim.send("HEAD", "/a", &[]);
    let new = sim.get("/a");
    assert_eq!((new.field("etag"), new.cache_status()), ("\"2\"", "fwd=uri-miss; fwd-status=200; stored"));
}

#[test]
fn a_body_that_breaks_off_or_is_too_large_is_not_stored() {
    let broken = |_: &Ask| Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok("ab"), Err("reset")]));
    let sim = Sim::new(plain(), broken);
    assert_eq!(sim.get("/a").body, Err("reset".to_owned()));
    assert_eq!(sim.get("/a").body, Err("reset".to_owned()));
    let mut config = plain();
    config.limits.object = 3;
    let sim =
        Sim::new(config, |_| Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok("ab"), Ok("cd")])));
    assert_eq!(sim.get("/a").text(), "abcd");
    assert_eq!(sim.get("/a").text(), "abcd");
    assert_eq!(sim.asked().len(), 2);
    let short = |_: &Ask| Reply::new("max-age=60", "abc").field("content-length", "5");
    let sim = Sim::new(plain(), short);
    sim.get("/a");
    sim.get("/a");
    assert_eq!(sim.asked().len(), 2, "a body shorter than its Content-Length was stored");
}

#[test]
fn one_form_of_a_target_is_keyed_and_sent() {
    let sim = Sim::new(plain(), |ask| Reply::new("max-age=60", &ask.uri));
    assert_eq!(sim.get("/x/../a%2fb?").text(), "https://o.example/a%2Fb");
    assert_eq!(sim.get("/a%2Fb").cache_status(), "hit; ttl=60");
    assert_eq!(sim.get("/%zz").status, 400);
}

#[test]
fn unsafe_methods_pass_and_invalidate() {
    let sim = Sim::new(plain(), numbered("max-age=60"));
    sim.get("/a");
    sim.get("/b");
    sim.origin(|ask| {
        Reply::new("", &format!("{} {}", ask.method, ask.field("x-any"))).field("location", "/b")
    });
    let posted = sim.send("POST", "/a", &[("x-any", "whole"), ("body", "x")]);
    assert_eq!((posted.text(), posted.cache_status()), ("POST whole", "fwd=method; fwd-status=200"));
    sim.origin(numbered("max-age=60"));
    assert_eq!(sim.get("/a").text(), "answer 3");
    assert_eq!(sim.get("/b").text(), "answer 4");
    let purge = sim.send("PURGE", "/b", &[]);
    assert_eq!(purge.text(), "answer 5", "an unknown method is passed by its own name");
}

#[test]
fn what_was_under_way_during_a_write_brings_nothing_old_back() {
    let store = MapStore::new(Duration::ZERO);
    let mut sim = Sim::with_stores(plain(), vec![store], |ask| match ask.method.as_str() {
        // The answer to GET left the origin before the write, and arrives after it.
        "GET" => Reply::new("max-age=60", &format!("read {}", ask.number)).after(seconds(2)),
        _ => Reply::new("", "written").after(seconds(1)),
    });
    let answers = sim.send_together(&[("GET", "/a", &[]), ("POST", "/a", &[("body", "x")])]);
    assert_eq!((answers[0].text(), answers[1].text()), ("read 1", "written"));
    sim.settle();
    assert_eq!(sim.get("/a").text(), "read 2");
    sim.restart();
    assert_eq!(sim.get("/a").text(), "read 2");
}

#[test]
fn a_write_makes_every_variant_invalid() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", &format!("{} {}", ask.field("accept-language"), ask.number))
            .field("vary", "accept-language")
    });
    let ask = |language: &'static str| sim.send("GET", "/a", &[("accept-language", language)]);
    ask("de");
    ask("en");
    sim.send("DELETE", "/a", &[]);
    assert_eq!((ask("de").text(), ask("en").text()), ("de 3", "en 4"));
}

#[test]
fn only_if_cached_spares_the_origin() {
    let sim = Sim::new(plain(), numbered("max-age=60"));
    let missing = sim.send("GET", "/a", &[("cache-control", "only-if-cached")]);
    assert_eq!((missing.status, sim.asked().len()), (504, 0));
}

#[test]
fn the_store_outlives_the_instance_and_its_faults_are_misses() {
    let store = MapStore::new(Duration::ZERO);
    let mut sim = Sim::with_stores(plain(), vec![store.clone()], |ask| {
        Reply::new("max-age=60", &format!("{} {}", ask.field("accept-language"), ask.number))
            .field("vary", "accept-language")
    });
    let ask = |sim: &Sim| sim.send("GET", "/a", &[("accept-language", "de")]);
    ask(&sim);
    sim.restart();
    let kept = ask(&sim);
    assert_eq!((kept.text(), kept.cache_status()), ("de 0", "hit; ttl=60"));
    assert!(kept.field("server-timing").contains("tier;desc=\"map\""));
    for (number, fault) in [Fault::Down, Fault::Truncates, Fault::MixesUp].into_iter().enumerate() {
        store.set_fault(fault);
        sim.restart();
        assert_eq!(ask(&sim).text(), format!("de {}", number + 1), "{fault:?}");
    }
}

#[test]
fn a_large_body_is_kept_apart_and_read_back_whole() {
    let store = MapStore::new(Duration::ZERO);
    let large = "x".repeat(300_000);
    let body = large.clone();
    let mut sim = Sim::with_stores(plain(), vec![store.clone()], move |_| Reply::new("max-age=60", &body));
    sim.get("/a");
    assert_eq!(store.len(), 2);
    sim.restart();
    let kept = sim.get("/a");
    assert_eq!((kept.text().len(), kept.cache_status()), (large.len(), "hit; ttl=60"));
}

#[test]
fn what_is_useful_for_a_moment_is_not_written_far() {
    let store = MapStore::new(seconds(30));
    let reply = |ask: &Ask| {
        Reply::new("max-age=2, stale-while-revalidate=5, stale-if-error=3600", &ask.uri)
            .field("etag", "\"1\"")
    };
    let sim = Sim::with_stores(plain(), vec![store.clone()], reply);
    sim.get("/a");
    assert!(store.is_empty());
    sim.origin(|ask| Reply::new("max-age=2, stale-while-revalidate=60", &ask.uri));
    sim.get("/b");
    assert_eq!(store.len(), 1);
}

#[test]
fn a_platforms_own_targeted_field_holds_before_the_common_one() {
    let both = |_: &Ask| {
        Reply::new("no-store", "x")
            .field("cdn-cache-control", "max-age=20")
            .field("cloudflare-cdn-cache-control", "max-age=30")
    };
    let sim = Sim::new(plain(), both);
    sim.get("/a");
    assert_eq!(sim.get("/a").cache_status(), "hit; ttl=20");
    let mut config = plain();
    config.listen_to("cloudflare-cdn-cache-control");
    config.listen_to("cloudflare-cdn-cache-control");
    assert_eq!(config.defaults.targeted, ["cloudflare-cdn-cache-control", "cdn-cache-control"]);
    let sim = Sim::new(config, both);
    sim.get("/a");
    let hit = sim.get("/a");
    assert_eq!(hit.cache_status(), "hit; ttl=30");
    assert_eq!((hit.field("cdn-cache-control"), hit.field("cloudflare-cdn-cache-control")), ("", ""));
    let mut deaf = with(Policy { targeted: vec![], ..Policy::default() });
    deaf.listen_to("cloudflare-cdn-cache-control");
    assert_eq!(deaf.defaults.targeted, [""; 0]);
}

#[test]
fn an_origin_that_fails_is_replaced_by_the_next() {
    let mut config = config_for(&["https://a.example.net", "https://b.example.net"]);
    config.origins[1].backup = true;
    let sim = Sim::new(config, |ask| {
        if ask.uri.starts_with("https://a") {
            Reply::error(FetchError::ConnectionRefused)
        } else {
            Reply::new("no-store", "from b")
        }
    });
    let post = || sim.send("POST", "/a", &[("body", "x")]).status;
    assert_eq!((post(), sim.asked().len()), (502, 1), "what is not safe is not sent twice");
    assert_eq!(sim.get("/a").text(), "from b");
    assert_eq!((post(), sim.asked().len()), (200, 3), "the one that failed is asked last, for a while");
    sim.advance(seconds(2));
    assert_eq!(
        (sim.get("/a").text(), sim.asked().len()),
        ("from b", 5),
        "then a read finds out whether it is back"
    );
    assert_eq!((post(), sim.asked().len()), (200, 6));
}

#[test]
fn an_answer_is_explained() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=60", "x").field("set-cookie", "sid=1"));
    let steps = |sim: &Sim, url: &str| -> Vec<serde_json::Value> {
        let answer = sim.send(
            "GET",
            &format!("/.levee/explain?url={url}"),
            &[("x-unkeyed", "1"), ("levee-token", TOKEN)],
        );
        serde_json::from_str(answer.text()).expect("JSON")
    };
    let refused = steps(&sim, "/a%3Fb=1");
    assert!(refused[0]["what"].as_str().unwrap().contains("`/a?b=1`"), "{refused:?}");
    assert!(refused[2]["what"].as_str().unwrap().contains("`x-unkeyed` particular"), "{refused:?}");
    assert_eq!(refused[5]["step"], "store");
    assert_eq!(
        refused[5]["rule"],
        "what would change it in levee.toml: [defaults]: `set_cookie = \"strip\"` (no client is sent the cookie then)"
    );
    sim.origin(|_| Reply::new("max-age=60", "x"));
    for _ in 0..2 {
        // A particular set is stored when it is seen a second time.
        steps(&sim, "/a");
        sim.settle();
    }
    let hit = steps(&sim, "/a");
    assert_eq!(hit[4]["what"], "serve it: it is fresh");
    assert!(hit[5]["what"].as_str().unwrap().starts_with("200; levee; hit"), "{hit:?}");
    assert_eq!(sim.inside("/.levee/explain").status, 400);
}

#[test]
fn the_key_is_for_the_debug_token() {
    let sim = Sim::new(plain(), numbered("max-age=60"));
    assert!(!sim.get("/a").cache_status().contains("key="));
    let shown = sim.send("GET", "/a", &[("levee-token", TOKEN)]);
    assert_eq!(shown.cache_status(), "hit; ttl=60; key=\"https://a.example/a qother\"");
    sim.send("POST", "/a", &[("levee-token", "t")]);
    assert_eq!(sim.asked()[1].field("levee-token"), "");
}

#[test]
fn the_status_page_counts() {
    let sim = Sim::new(plain(), numbered("max-age=60"));
    sim.get("/a");
    sim.get("/a");
    let status = sim.inside("/.levee/");
    let json: serde_json::Value = serde_json::from_str(status.text()).expect("JSON");
    assert_eq!(
        (json["counters"]["hits_memory"].as_u64(), json["counters"]["misses"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(sim.inside("/.levee/x").status, 404);
}
