//! A request that ends the instance is answered 500, and the next one finds a new instance.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write;
use std::thread;
use std::time::Duration;

use support::{Answer, Origin, get, get_at, logged, worker};

fn origin() -> Origin {
    Origin::start(|target, stream| {
        if target.starts_with("/slow") {
            thread::sleep(Duration::from_secs(3));
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    })
}

fn assert_failed(answer: &Answer, fault: &str) {
    assert_eq!(answer.status, 500, "{fault}: {}", answer.text());
    assert_eq!(answer.field("content-type").as_deref(), Some("application/problem+json"), "{fault}");
    assert!(answer.text().contains("\"status\":500"), "{fault}: {}", answer.text());
}

#[test]
fn after_a_fault_the_next_request_works() {
    let origin = origin();
    let worker = worker(&origin);
    assert_eq!(get(&worker, "/").text(), "ok");
    for fault in ["/panic", "/panic-later", "/overflow", "/overflow-later", "/panic", "/panic-later"] {
        assert_failed(&get(&worker, fault), fault);
        let next = get(&worker, "/");
        assert_eq!((next.status, next.text()), (200, "ok".into()), "after {fault}");
    }
    assert!(worker.is_running());
}

#[test]
fn exhausted_memory_is_survived() {
    let origin = origin();
    let worker = worker(&origin);
    assert_failed(&get(&worker, "/exhaust"), "/exhaust");
    assert_eq!(get(&worker, "/").text(), "ok");
}

#[test]
fn a_panic_behind_the_response_does_not_reach_the_client() {
    let origin = origin();
    let worker = worker(&origin);
    let answer = get(&worker, "/panic-behind");
    assert_eq!((answer.status, answer.whole), (200, true));
    logged(&worker, "on demand, behind the response");
    assert_eq!(get(&worker, "/").text(), "ok");
}

#[test]
fn requests_under_way_are_answered_and_not_left_hanging() {
    let origin = origin();
    let worker = worker(&origin);
    thread::scope(|scope| {
        let port = worker.port();
        let slow = |n| scope.spawn(move || get_at(port, &format!("/slow?{n}")));
        let waiting: Vec<_> = (0..3).map(slow).collect();
        // They are under way once the origin has heard of them.
        while origin.requests().len() < 3 {
            thread::sleep(Duration::from_millis(10));
        }
        assert_failed(&get(&worker, "/panic"), "/panic");
        for waited in waiting {
            assert_failed(&waited.join().expect("an answer"), "a neighbour");
        }
    });
    assert_eq!(get(&worker, "/").text(), "ok");
}

#[test]
fn an_error_is_no_fault() {
    let origin = origin();
    let worker = worker(&origin);
    assert_eq!(get(&worker, "/error").status, 502);
    assert_eq!(get(&worker, "/status?204").status, 204);
    assert_failed(&get(&worker, "/status?999"), "a status that the platform does not have");
}

#[test]
fn what_only_memory_held_is_lost_and_the_farther_tiers_keep_the_rest() {
    let origin = Origin::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=600\r\nConnection: close\r\n\r\nok",
        );
    });
    let worker = worker(&origin);
    get(&worker, "/kept");
    assert_eq!(get(&worker, "/kept").tier(), "memory");
    assert_failed(&get(&worker, "/panic"), "/panic");
    let answer = get(&worker, "/kept");
    assert_eq!(answer.tier(), "local", "{answer:?}");
    assert_eq!(answer.text(), "ok");
    assert_eq!(origin.requests().len(), 1);
}
