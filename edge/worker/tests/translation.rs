//! Requests, responses and bodies on their way through the boundary.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write;
use std::net::TcpStream;

use support::{Origin, get, logged, send, worker};

const CLOSE: &str = "Connection: close\r\n";

fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\n{CLOSE}\r\n").as_bytes());
    let _ = stream.write_all(body);
}

#[test]
fn fields_survive_both_ways() {
    let origin = Origin::start(|_, stream| {
        let head = "200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT\r\n\
                    Set-Cookie: b=2\r\nX-Text: é€";
        reply(stream, head, b"");
    });
    let worker = worker(&origin);
    let request =
        format!("POST /x HTTP/1.1\r\nHost: localhost\r\nX-Text: é€\r\nContent-Length: 0\r\n{CLOSE}\r\n");
    let answer = send(&worker, request.as_bytes());
    let cookies: Vec<_> = answer.fields.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert_eq!(cookies.len(), 2, "{:?}", answer.fields);
    assert_eq!(answer.field("x-text").as_deref(), Some("é€"));
    assert!(origin.requests()[0].contains("é€"), "{}", origin.requests()[0]);
}

#[test]
fn cloudflares_own_cache_field_holds() {
    let origin = Origin::start(|_, stream| {
        let head = "200 OK\r\nContent-Length: 0\r\nCache-Control: no-store\r\nCDN-Cache-Control: max-age=20\r\n\
                    Cloudflare-CDN-Cache-Control: max-age=3600";
        reply(stream, head, b"");
    });
    let worker = worker(&origin);
    get(&worker, "/x");
    let hit = get(&worker, "/x");
    let status = hit.field("cache-status").unwrap_or_default();
    assert!(status.starts_with("levee; hit; ttl=3"), "{status}");
    assert_eq!((hit.field("cloudflare-cdn-cache-control"), hit.field("cdn-cache-control")), (None, None));
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn methods_are_raw_tokens() {
    let origin = Origin::start(|_, stream| reply(stream, "200 OK\r\nContent-Length: 0", b""));
    let worker = worker(&origin);
    for method in ["PURGE", "QUERY", "PROPFIND", "PATCH"] {
        send(&worker, format!("{method} / HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n").as_bytes());
        let last = origin.requests().pop().unwrap_or_default();
        assert!(last.starts_with(&format!("{method} / HTTP/1.1")), "{last}");
    }
}

#[test]
fn responses_without_a_body_have_none() {
    let origin = Origin::start(|target, stream| match target {
        "/204" => reply(stream, "204 No Content", b""),
        "/304" => reply(stream, "304 Not Modified\r\nETag: \"1\"", b""),
        "/302" => reply(stream, "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 5", b"moved"),
        _ => reply(stream, "200 OK\r\nContent-Length: 5", b""),
    });
    let worker = worker(&origin);
    assert_eq!(get(&worker, "/204").status, 204);
    assert_eq!(get(&worker, "/304").status, 304);
    let redirect = get(&worker, "/302");
    assert_eq!((redirect.status, redirect.text()), (302, "moved".into()));
    assert_eq!(redirect.field("location").as_deref(), Some("/elsewhere"));
    let head = send(&worker, format!("HEAD /head HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n").as_bytes());
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.field("content-length").as_deref(), Some("5"));
}

#[test]
fn coded_bodies_are_not_recoded() {
    // Not gzip at all: whoever decodes or encodes it changes it, or fails.
    const CODED: &[u8] = b"\x1f\x8b but nothing that inflates";
    let origin = Origin::start(|target, stream| {
        let stored = if target == "/stored" { "\r\nCache-Control: max-age=60" } else { "" };
        let head = format!("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}{stored}", CODED.len());
        reply(stream, &head, CODED);
    });
    let worker = worker(&origin);
    for target in ["/passed", "/stored", "/stored"] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n{CLOSE}\r\n");
        let answer = send(&worker, request.as_bytes());
        assert_eq!(answer.body, CODED, "{target}");
        assert_eq!(answer.field("content-encoding").as_deref(), Some("gzip"), "{target}");
        assert_eq!(answer.field("content-length"), Some(CODED.len().to_string()), "{target}");
    }
    assert_eq!(origin.requests().len(), 2, "the last one came from the cache");
}

#[test]
fn a_split_body_is_captured_up_to_its_limit() {
    const SIZE: usize = 300_000;
    let origin = Origin::start(|target, stream| {
        let announced = if target == "/broken" { SIZE * 2 } else { SIZE };
        reply(stream, &format!("200 OK\r\nContent-Length: {announced}"), &vec![7; SIZE]);
    });
    let worker = worker(&origin);
    let kept = get(&worker, "/tee/300000/whole");
    assert_eq!((kept.body.len(), kept.whole), (SIZE, true));
    assert_eq!(kept.field("content-length"), Some(SIZE.to_string()));
    logged(&worker, "captured Ok(300000)");

    let large = get(&worker, "/tee/299999/whole");
    assert_eq!((large.body.len(), large.whole), (SIZE, true));
    logged(&worker, "captured Err(TooLarge)");

    let broken = get(&worker, "/tee/1000000/broken");
    assert!(!broken.whole, "a body that breaks off must not end as if it were whole");
    logged(&worker, "captured Err(Broken(");
    // Past the limit, when nothing is captured any more, it must not end well either.
    assert!(!get(&worker, "/tee/10/broken").whole);
}

#[test]
fn an_origin_that_is_away_is_an_error_of_its_own() {
    let origin = Origin::start(|_, _| {});
    let worker = worker(&origin);
    let answer = get(&worker, "/");
    assert_eq!(answer.status, 502);
    let status = answer.field("proxy-status").unwrap_or_default();
    assert!(status.contains("error=connection_terminated"), "{status}");
}
