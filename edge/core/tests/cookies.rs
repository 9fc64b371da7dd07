//! Cookies that are no credentials: their visitors are like those without cookies, and no origin is told of them.

use std::time::Duration;

use levee::config::{Config, NamePattern, Policy};
use levee::pipeline::shortcuts::{Asked, Shortcuts};
use levee::testing::{Ask, Reply, Sim, TOKEN, config_for};
use levee::{Edge, Scheme};

const GA: (&str, &str) = ("cookie", "_ga=GA1.1.182.168; _ga_9XQMZ2E7TH=GS1.1.16.3");
const OTHER_GA: (&str, &str) = ("cookie", "_ga=GA1.1.999.111");
const SESSION: (&str, &str) = ("cookie", "sid=1");
const BOTH: (&str, &str) = ("cookie", "_ga=GA1.1.182.168; sid=1");

fn plain() -> Config {
    config_for(&["https://o.example"])
}

/// An origin that says which cookies it saw.
fn telling(cache_control: &'static str, vary: &'static str) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        let reply = Reply::new(cache_control, &format!("{}: {}", ask.number, ask.field("cookie")));
        if vary.is_empty() { reply } else { reply.field("vary", vary) }
    }
}

#[test]
fn visitors_who_are_only_counted_share_what_all_share() {
    for vary in ["", "Cookie", "Accept-Language, Cookie"] {
        let sim = Sim::new(plain(), telling("max-age=60", vary));
        let first = sim.send("GET", "/a", &[GA]);
        assert_eq!((first.text(), first.cache_status()), ("0: ", "fwd=uri-miss; fwd-status=200; stored"));
        for fields in [&[OTHER_GA][..], &[], &[("cookie", "_gid=1"), ("cookie", "_fbp=2")]] {
            assert_eq!(sim.send("GET", "/a", fields).cache_status(), "hit; ttl=60", "{vary}: {fields:?}");
        }
        assert_eq!(sim.asked().len(), 1);
    }
}

#[test]
fn one_cookie_that_counts_makes_all_of_them_pass() {
    for vary in ["", "Cookie"] {
        let sim = Sim::new(plain(), telling("max-age=60", vary));
        sim.send("GET", "/a", &[GA]);
        for fields in [&[SESSION][..], &[BOTH], &[GA, SESSION], &[("cookie", "_ga=1, sid=2")]] {
            let passed = sim.send("GET", "/a", fields);
            assert!(passed.cache_status().starts_with("fwd=bypass"), "{fields:?}: {}", passed.cache_status());
            let asked = sim.asked();
            let last = &asked.last().expect("asked").fields;
            let lines: Vec<&str> =
                last.get_all("cookie").iter().filter_map(|line| line.to_str().ok()).collect();
            let sent: Vec<&str> = fields.iter().map(|field| field.1).collect();
            assert_eq!(lines, sent, "as they were");
        }
        assert_eq!(sim.get("/a").text(), "0: ");
    }
}

#[test]
fn what_goes_through_whole_keeps_its_cookies() {
    let mut config = plain();
    config.defaults = Policy { cache: false, ..Policy::default() };
    let sim = Sim::new(config, telling("max-age=60", ""));
    assert_eq!(sim.send("GET", "/a", &[OTHER_GA]).text(), "0: _ga=GA1.1.999.111");
    let sim = Sim::new(plain(), telling("max-age=60", ""));
    assert_eq!(sim.send("POST", "/a", &[OTHER_GA]).text(), "0: _ga=GA1.1.999.111");
}

#[test]
fn no_refresh_is_sent_them() {
    let sim = Sim::new(plain(), |ask| {
        let status = if ask.field("if-none-match").is_empty() { 200 } else { 304 };
        Reply::new("max-age=1, stale-while-revalidate=9", ask.field("cookie"))
            .status(status)
            .field("etag", "\"1\"")
    });
    sim.send("GET", "/a", &[GA]);
    for _ in 0..3 {
        sim.advance(Duration::from_secs(3));
        sim.send("GET", "/a", &[GA]);
    }
    sim.advance(Duration::from_secs(60));
    sim.send("GET", "/a", &[GA]);
    assert!(sim.asked().len() > 3);
    assert!(sim.asked().iter().all(|ask| ask.field("cookie").is_empty()));
}

#[test]
fn a_response_that_sets_a_cookie_is_still_its_clients_alone() {
    let sim = Sim::new(plain(), |ask| {
        Reply::new("max-age=60", &ask.number.to_string()).field("set-cookie", "sid=7")
    });
    assert_eq!(sim.send("GET", "/a", &[GA]).field("set-cookie"), "sid=7");
    assert_eq!(sim.send("GET", "/a", &[OTHER_GA]).text(), "1");
}

#[test]
fn the_list_is_the_policys() {
    let mut config = plain();
    config.defaults.ignored_cookies = vec![NamePattern::new("mine_*")];
    let sim = Sim::new(config, telling("max-age=60", ""));
    assert_eq!(sim.send("GET", "/a", &[("cookie", "mine_1=2")]).text(), "0: ");
    assert_eq!(sim.send("GET", "/a", &[("cookie", "mine_2=3")]).cache_status(), "hit; ttl=60");
    assert!(sim.send("GET", "/a", &[GA]).cache_status().starts_with("fwd=bypass"));
}

#[test]
fn explain_says_that_they_are_ignored() {
    let sim = Sim::new(plain(), telling("max-age=60", ""));
    let explained = |cookie| {
        let fields = [cookie, ("levee-token", TOKEN)];
        sim.send("GET", "/.levee/explain?url=/a", &fields).text().to_owned()
    };
    let ignored = explained(GA);
    assert!(ignored.contains("`cookie` ignored"), "{ignored}");
    assert!(explained(BOTH).contains("`cookie` credential"));
}

fn short(shortcuts: &mut Shortcuts, edge: &Edge, sim: &Sim, cookies: &[&'static str]) -> Option<String> {
    let fields =
        cookies.iter().map(|line| (http::header::COOKIE, http::HeaderValue::from_static(line))).collect();
    let asked = Asked { scheme: Scheme::Https, authority: "a.example", target: "/a", fields: &fields };
    let answer = shortcuts.answer(edge, &asked, sim.platform_now())?;
    Some(String::from_utf8_lossy(answer.body()).into_owned())
}

/// The first visitors make a page and a plan; every later one takes the short way, whatever identifies it, also where the URL varies
/// on `Cookie`.
#[test]
fn each_visitor_takes_the_short_way() {
    for vary in ["", "Cookie"] {
        let sim = Sim::new(plain(), telling("max-age=60", vary));
        sim.send("GET", "/a", &[GA]);
        let mut shortcuts = Shortcuts::new(7);
        for warm in ["_ga=1", "_ga=2", "_ga=3", "_ga=4"] {
            short(&mut shortcuts, &sim.edge, &sim, &[warm]);
        }
        for visitor in [&["_ga=5"][..], &["_ga=6; _gid=7"], &["_ga=8", "_gid=9"], &[]] {
            let body = short(&mut shortcuts, &sim.edge, &sim, visitor);
            assert_eq!(body.as_deref(), Some("0: "), "{vary}: {visitor:?}");
        }
        for visitor in [&["sid=1"][..], &["_ga=5", "sid=1"], &["_ga=5, sid=1"]] {
            for _ in 0..3 {
                assert_eq!(short(&mut shortcuts, &sim.edge, &sim, visitor), None, "{vary}: {visitor:?}");
            }
        }
    }
}
