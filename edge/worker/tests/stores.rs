//! The stores behind memory on workerd: the data centre's cache (the Cache API) and KV.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use levee_harness::{Process, Workerd};
use support::{Origin, get, send};

/// An origin that numbers its answers.
fn origin(cache_control: &'static str) -> (Origin, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let origin = Origin::start(move |_, stream| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let body = format!("number {number}");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
        let _ = stream.write_all(format!("{head}Cache-Control: {cache_control}\r\n\r\n{body}").as_bytes());
    });
    (origin, count)
}

fn start(origin: &Origin, with: impl FnOnce(Workerd) -> Workerd) -> Process {
    support::start(|workerd| {
        with(workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()).var("LEVEE_ENVIRONMENT", "local"))
    })
}

/// A new instance has forgotten what memory held.
fn lose_memory(worker: &Process) {
    assert_eq!(get(worker, "/panic").status, 500);
}

/// What is stored is stored behind the answer: asks a new instance until it is there, or no more.
fn until_tier(worker: &Process, target: &str, tier: &str) -> String {
    let began = Instant::now();
    loop {
        lose_memory(worker);
        let answer = get(worker, target);
        assert_eq!(answer.status, 200);
        if answer.tier() == tier {
            return answer.text();
        }
        let last = answer.tier();
        assert!(began.elapsed() < Duration::from_secs(20), "{target} does not come from `{tier}`: `{last}`");
        sleep(Duration::from_millis(20));
    }
}

fn counter(worker: &Process, name: &str) -> u64 {
    let status = get(worker, "/.levee/status").text();
    let (_, rest) = status.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{status}"));
    rest.split([',', '}']).next().and_then(|count| count.parse().ok()).expect("a number")
}

#[test]
fn every_store_keeps_the_contract() {
    let (origin, _) = origin("no-store");
    let worker = start(&origin, |workerd| workerd);
    let kept = get(&worker, "/contract");
    assert_eq!((kept.status, kept.text().as_str()), (200, "local kv"), "{}", worker.log().tail(20));
}

#[test]
fn what_the_data_centre_holds_is_answered_and_then_remembered() {
    let (origin, asked) = origin("max-age=600");
    for has_kv in [true, false] {
        let worker = start(&origin, |workerd| if has_kv { workerd } else { workerd.without_kv() });
        let first = get(&worker, "/a").text();
        assert_eq!(until_tier(&worker, "/a", "local"), first);
        let count = asked.load(Ordering::Relaxed);
        for _ in 0..3 {
            let answer = get(&worker, "/a");
            assert_eq!((answer.tier().as_str(), answer.text()), ("memory", first.clone()));
        }
        // The short way, once the URL is known.
        for _ in 0..3 {
            assert_eq!(until_tier(&worker, "/a", "local"), first);
        }
        assert_eq!(asked.load(Ordering::Relaxed), count);
    }
}

/// With no memory for entries each hit comes out of the data centre's cache, by the short way.
#[test]
fn the_short_way_reads_the_data_centres_cache_before_kv() {
    let (origin, asked) = origin("max-age=600");
    let mut config = levee::config::Config::decode(&support::config()).expect("a configuration");
    config.limits.memory = 0;
    let worker = support::start_configured(config.encode(), |workerd| {
        workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url())
    });
    get(&worker, "/a");
    let began = Instant::now();
    while get(&worker, "/a").tier() != "local" {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", worker.log().tail(20));
    }
    let count = asked.load(Ordering::Relaxed);
    for _ in 0..4 {
        let answer = get(&worker, "/a");
        assert_eq!((answer.tier().as_str(), answer.status), ("local", 200));
        let whole = answer.field("server-timing").unwrap_or_default();
        assert!(whole.contains("age;dur=0,") || whole.contains("000, saved"), "to the second: {whole}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), count);
}

#[test]
fn what_kv_had_comes_nearer() {
    let (origin, _) = origin("max-age=600");
    // One answer fits, so that the second drives the first out.
    let worker = start(&origin, |workerd| workerd.cache_entries(1));
    let first = get(&worker, "/a").text();
    get(&worker, "/b");
    assert_eq!(until_tier(&worker, "/a", "kv"), first);
    assert_eq!(until_tier(&worker, "/a", "local"), first);
}

#[test]
fn what_was_written_to_is_gone_from_every_store() {
    let (origin, _) = origin("max-age=600");
    let worker = start(&origin, |workerd| workerd);
    let old = get(&worker, "/a").text();
    assert_eq!(until_tier(&worker, "/a", "local"), old);
    send(&worker, b"POST /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let new = get(&worker, "/a").text();
    assert_ne!(new, old);
    // The new one is there in the end, and another instance never sees the old one again.
    let began = Instant::now();
    loop {
        lose_memory(&worker);
        let answer = get(&worker, "/a");
        if answer.tier() == "local" && answer.text() != old {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", answer.fields);
    }
}

#[test]
fn a_cache_that_keeps_nothing_is_found_out_and_left_alone() {
    let (origin, _) = origin("max-age=600");
    let worker = start(&origin, |workerd| workerd.cache_entries(0));
    get(&worker, "/a");
    let began = Instant::now();
    while counter(&worker, "store_rests") == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", worker.log().tail(20));
        sleep(Duration::from_millis(20));
    }
    for target in ["/b", "/c", "/d"] {
        get(&worker, target);
    }
    assert_eq!(counter(&worker, "store_rests"), 1);
    assert_eq!(until_tier(&worker, "/a", "kv"), "number 0");
}

#[test]
fn a_cache_that_is_not_there_is_counted_once() {
    let (origin, _) = origin("max-age=600");
    let worker = start(&origin, Workerd::without_cache);
    for target in ["/a", "/b", "/c", "/a"] {
        get(&worker, target);
    }
    assert_eq!((counter(&worker, "store_read_failures"), counter(&worker, "store_rests")), (1, 1));
}

#[test]
fn no_client_reaches_what_the_cache_holds() {
    let (origin, _) = origin("max-age=600");
    let worker = start(&origin, |workerd| workerd);
    get(&worker, "/a");
    until_tier(&worker, "/a", "local");
    let host = format!("http://localhost:{}", worker.port());
    for key in ["http://localhost/a".to_owned(), format!("{host}/a")] {
        let answer = get(&worker, &format!("/.levee/entry/{}", levee::key::digest(&key)));
        assert_eq!(answer.status, 404, "{}", answer.text());
    }
}
