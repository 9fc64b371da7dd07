//! Memory hits by the short way, whose sign is an age told to the second: they must be the whole way's answers.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use levee::config::Config;
use levee_harness::Process;
use support::{Answer, Origin, get, send, worker};

/// An origin that numbers its answers.
fn origin(fields: &'static str) -> (Origin, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let origin = Origin::start(move |_, stream| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let body = format!("number {number}");
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n{fields}\r\n\r\n");
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
    (origin, count)
}

fn ask(worker: &Process, line: &str, fields: &str) -> Answer {
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
    send(worker, request.as_bytes())
}

/// Long enough after the fill for the whole way to tell an age that is no whole second.
fn a_moment_later() {
    sleep(Duration::from_millis(30));
}

fn is_short(answer: &Answer) -> bool {
    let timing = answer.field("server-timing").unwrap_or_default();
    let age = timing.split_once("cache;desc=\"hit\", tier;desc=\"memory\", age;dur=").map(|(_, rest)| rest);
    let millis = age.and_then(|rest| rest.split(',').next()).and_then(|millis| millis.parse::<u64>().ok());
    millis.is_some_and(|millis| millis % 1_000 == 0)
}

#[test]
fn the_second_request_goes_the_short_way_and_says_the_same() {
    let (origin, asked) = origin("Cache-Control: max-age=60\r\nX-Own: \u{e9}\r\nCache-Status: upstream; hit");
    let worker = worker(&origin);
    get(&worker, "/a");
    a_moment_later();
    // Who shows a token may want to know more.
    let whole = ask(&worker, "GET /a", "Levee-Token: none\r\n");
    assert!(!is_short(&whole), "{:?}", whole.fields);
    for _ in 0..3 {
        let short = get(&worker, "/a");
        assert!(is_short(&short), "{:?}", short.fields);
        assert_eq!((short.status, short.text()), (200, "number 0".to_owned()));
        for (name, value) in &whole.fields {
            if name != "server-timing" && name != "date" {
                let mut same = short.fields.iter().filter(|(own, _)| own == name);
                assert!(same.any(|(_, own)| own == value), "{name} differs: {:?}", short.fields);
            }
        }
        assert_eq!(short.fields.len(), whole.fields.len());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    sleep(Duration::from_millis(1_100));
    let later = get(&worker, "/a");
    assert!(is_short(&later));
    assert_eq!(later.field("age").as_deref(), Some("1"), "the second has changed");
    assert!(later.field("server-timing").is_some_and(|timing| timing.contains("age;dur=1000")));
}

#[test]
fn codings_are_left_alone() {
    const CODED: &[u8] = b"\x1f\x8b but nothing that inflates";
    let origin = Origin::start(|_, stream| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nCache-Control: max-age=60\r\n\r\n",
            CODED.len()
        );
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(CODED);
    });
    let worker = worker(&origin);
    ask(&worker, "GET /a", "Accept-Encoding: gzip\r\n");
    a_moment_later();
    for n in 0..3 {
        let answer = ask(&worker, "GET /a", "Accept-Encoding: gzip\r\n");
        // The first has taught the short way that the URL varies on codings.
        assert!(n == 0 || is_short(&answer));
        assert_eq!(answer.body, CODED);
        assert_eq!(answer.field("content-encoding").as_deref(), Some("gzip"));
        assert_eq!(answer.field("content-length"), Some(CODED.len().to_string()));
    }
    assert!(!is_short(&get(&worker, "/a")), "it is not for those who cannot decode it");
}

#[test]
fn validators_credentials_and_ranges_are_seen() {
    let (origin, asked) = origin("Cache-Control: max-age=60\r\nETag: \"1\"");
    let worker = worker(&origin);
    get(&worker, "/a");
    a_moment_later();
    get(&worker, "/a");
    for _ in 0..2 {
        let answer = ask(&worker, "GET /a", "If-None-Match: \"1\"\r\n");
        assert_eq!((answer.status, answer.body.len(), is_short(&answer)), (304, 0, true));
        let answer = ask(&worker, "GET /a", "If-None-Match: \"2\"\r\n");
        assert_eq!((answer.status, is_short(&answer)), (200, true));
        let answer = ask(&worker, "GET /a", "Range: bytes=0-1\r\n");
        assert_eq!((answer.status, answer.text(), is_short(&answer)), (206, "nu".to_owned(), false));
        assert_eq!(ask(&worker, "HEAD /a", "").body.len(), 0);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let answer = ask(&worker, "GET /a", "Cookie: sid=1\r\n");
    assert_eq!(answer.text(), "number 1", "it goes through whole");
    assert_eq!(get(&worker, "/a").text(), "number 0");
}

/// Each visitor has another, and none of them needs a plan of its own.
#[test]
fn ignored_cookies_take_the_short_way() {
    let (origin, asked) = origin("Cache-Control: max-age=60\r\nVary: Cookie");
    let worker = worker(&origin);
    for visitor in 0..3 {
        ask(&worker, "GET /a", &format!("Cookie: _ga={visitor}; _gid=1\r\n"));
    }
    a_moment_later();
    for visitor in 3..6 {
        let answer = ask(&worker, "GET /a", &format!("Cookie: _ga={visitor}; _gid=1\r\n"));
        assert_eq!((answer.text(), is_short(&answer)), ("number 0".to_owned(), true));
    }
    for number in 1..4 {
        let answer = ask(&worker, "GET /a", "Cookie: _ga=1, sid=1\r\n");
        assert_eq!(answer.text(), format!("number {number}"), "it goes through whole");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[test]
fn variants_are_told_apart() {
    let (origin, _) = origin("Cache-Control: max-age=60\r\nVary: Accept-Language");
    let worker = worker(&origin);
    let language = |language: &str| ask(&worker, "GET /a", &format!("Accept-Language: {language}\r\n"));
    assert_eq!(language("de").text(), "number 0");
    assert_eq!(language("en").text(), "number 1");
    a_moment_later();
    for _ in 0..4 {
        assert_eq!(language("de").text(), "number 0");
        assert_eq!(language("en").text(), "number 1");
    }
    assert!(is_short(&language("de")) && is_short(&language("en")));
}

#[test]
fn what_was_written_to_is_not_answered_any_more() {
    let (origin, _) = origin("Cache-Control: max-age=60");
    let worker = worker(&origin);
    for _ in 0..4 {
        assert_eq!(get(&worker, "/a").text(), "number 0");
    }
    ask(&worker, "POST /a", "Content-Length: 0\r\n");
    for _ in 0..4 {
        assert_eq!(get(&worker, "/a").text(), "number 2");
    }
}

#[test]
fn a_new_instance_knows_nothing_of_the_old_ones_answers() {
    let (origin, _) = origin("Cache-Control: max-age=60");
    let worker = worker(&origin);
    for _ in 0..4 {
        get(&worker, "/a");
    }
    assert_eq!(get(&worker, "/panic").status, 500);
    for _ in 0..4 {
        let answer = get(&worker, "/a");
        assert_eq!(answer.status, 200);
    }
    a_moment_later();
    assert!(is_short(&get(&worker, "/a")));
}

#[test]
fn what_only_kv_holds_is_answered_and_then_remembered() {
    let (origin, asked) = origin("Cache-Control: max-age=600");
    let worker =
        support::start(|workerd| workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()).without_cache());
    for _ in 0..3 {
        assert_eq!(get(&worker, "/a").text(), "number 0");
    }
    // A new instance has forgotten what memory held.
    assert_eq!(get(&worker, "/panic").status, 500);
    let count = asked.load(Ordering::Relaxed);
    let tiers: Vec<_> = (0..4).map(|_| get(&worker, "/a").tier()).collect();
    assert_eq!(tiers, ["kv", "memory", "memory", "memory"]);
    assert_eq!(asked.load(Ordering::Relaxed), count);
}

/// With no memory for entries each hit comes out of KV.
#[test]
fn without_memory_every_hit_comes_from_kv() {
    let (origin, asked) = origin("Cache-Control: max-age=600\r\nETag: \"1\"");
    let mut config = Config::decode(&support::config()).expect("a configuration");
    config.limits.memory = 0;
    let worker = support::start_configured(config.encode(), |workerd| {
        workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()).without_cache()
    });
    get(&worker, "/a");
    a_moment_later();
    for _ in 0..4 {
        let answer = get(&worker, "/a");
        assert_eq!((answer.status, answer.text()), (200, "number 0".to_owned()));
        assert_eq!(answer.tier(), "kv");
        let is_short = answer.field("server-timing").is_some_and(|timing| timing.contains("age;dur=0,"));
        assert!(is_short, "{:?}", answer.fields);
    }
    let answer = ask(&worker, "GET /a", "If-None-Match: \"1\"\r\n");
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // What is not there is looked for once, and fetched.
    assert_eq!(get(&worker, "/b").text(), "number 1");
    assert_eq!(get(&worker, "/b").text(), "number 1");
}
