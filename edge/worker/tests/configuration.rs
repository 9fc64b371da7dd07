//! What the bundle and the Worker's variables say, right or wrong.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write;

use support::{Origin, get, logged, send, start, start_configured};

fn origin() -> Origin {
    Origin::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    })
}

#[test]
fn a_bad_configuration_answers_every_request_with_what_is_wrong() {
    for (content, wrong) in [
        (Vec::new(), "levee.bin is empty"),
        (b"hello".to_vec(), "not a compiled Levee configuration"),
        (support::config()[..20].to_vec(), "damaged"),
    ] {
        let worker = start_configured(content, |workerd| workerd);
        for _ in 0..2 {
            let answer = get(&worker, "/");
            assert_eq!(answer.status, 500);
            assert_eq!(answer.field("content-type").as_deref(), Some("application/problem+json"));
            assert!(answer.text().contains(wrong), "{}", answer.text());
        }
    }
}

#[test]
fn a_variable_names_another_origin() {
    let origin = origin();
    let worker = support::worker(&origin);
    assert_eq!(get(&worker, "/").text(), "ok");
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn a_variable_that_is_no_origin_is_named() {
    let worker = start(|workerd| workerd.var("LEVEE_ORIGIN_FAR_AWAY_URL", "far.example/path"));
    let answer = get(&worker, "/");
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("LEVEE_ORIGIN_FAR_AWAY_URL"), "{}", answer.text());
}

#[test]
fn the_status_page_is_open_on_this_machine_only() {
    let worker = start(|workerd| workerd.var("LEVEE_ENVIRONMENT", "local"));
    assert_eq!(get(&worker, "/.levee/").status, 200);
    let elsewhere = b"GET /.levee/ HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n";
    assert_ne!(send(&worker, elsewhere).status, 200);

    let deployed = start(|workerd| workerd.var("LEVEE_STATUS_TOKEN", "secret"));
    assert_ne!(get(&deployed, "/.levee/").status, 200);
    let with = |token| {
        format!(
            "GET /.levee/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
    };
    assert_eq!(send(&deployed, with("secret").as_bytes()).status, 200);
    assert_ne!(send(&deployed, with("guess").as_bytes()).status, 200);
}

#[test]
fn without_kv_memory_caches_and_it_says_so_once() {
    let origin = Origin::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=600\r\nConnection: close\r\n\r\nok",
        );
    });
    let worker = start(|workerd| workerd.without_kv().var("LEVEE_ORIGIN_FAR_AWAY_URL", origin.url()));
    get(&worker, "/");
    assert!(get(&worker, "/").field("server-timing").unwrap_or_default().contains("\"memory\""));
    logged(&worker, "LEVEE_KV");
    let said = worker.log().lines().iter().filter(|line| line.contains("LEVEE_KV")).count();
    assert_eq!(said, 1);
}
