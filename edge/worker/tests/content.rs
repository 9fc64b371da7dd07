//! A request with content is never answered from the cache.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write;
use std::thread;

use levee_harness::Process;
use support::{Answer, Origin, get, get_at, send_at, worker};

fn origin() -> Origin {
    Origin::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=600\r\nConnection: close\r\n\r\nok",
        );
    })
}

fn ask_at(port: u16, method: &str, framing: &str, content: &str) -> Answer {
    let head =
        format!("{method} /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n{content}");
    send_at(port, head.as_bytes())
}

fn ask(worker: &Process, method: &str, framing: &str, content: &str) -> Answer {
    ask_at(worker.port(), method, framing, content)
}

/// The platform's fetch takes no body with GET and HEAD.
#[test]
fn with_get_it_is_refused_and_the_answer_says_why() {
    let origin = origin();
    let worker = worker(&origin);
    // Before there is anything, by the whole way, and once the short way knows the page.
    for _ in 0..3 {
        for (framing, content) in
            [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")]
        {
            let refused = ask(&worker, "GET", framing, content);
            assert_eq!(refused.status, 400, "{framing}");
            assert_eq!(refused.field("content-type").as_deref(), Some("application/problem+json"));
            let text = refused.text();
            assert!(text.contains("Cloudflare Workers cannot send content with GET"), "{text}");
            assert!(text.contains("\"code\":\"unsupported-body\""), "{text}");
            assert_eq!(refused.field("age"), None);
            assert_eq!(ask(&worker, "HEAD", framing, content).status, 400);
        }
        assert_eq!(get(&worker, "/x").text(), "ok");
    }
    assert_eq!(origin.requests().len(), 1, "the client's fault is none of the origin's, and reaches none");
}

#[test]
fn empty_content_is_none() {
    let origin = origin();
    let worker = worker(&origin);
    assert_eq!(ask(&worker, "GET", "Transfer-Encoding: chunked", "0\r\n\r\n").text(), "ok");
    assert_eq!(ask(&worker, "GET", "Content-Length: 0", "").text(), "ok");
    for request in origin.requests() {
        let head = request.to_ascii_lowercase();
        assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
    }
}

#[test]
fn with_other_methods_it_reaches_the_origin() {
    let origin = origin();
    let worker = worker(&origin);
    get(&worker, "/x");
    for (at, method) in ["POST", "PUT", "DELETE", "OPTIONS", "QUERY", "PATCH"].iter().enumerate() {
        assert_eq!(ask(&worker, method, "Content-Length: 5", "hello").text(), "ok");
        let requests = origin.requests();
        assert_eq!(requests.len(), at + 2, "{method}");
        assert!(requests[at + 1].to_ascii_lowercase().contains("content-length: 5"), "{}", requests[at + 1]);
    }
}

/// Many at once, with hits in between: nobody's answer is another's.
#[test]
fn nobody_gets_what_was_made_for_content() {
    let origin = Origin::start(|target, stream| {
        let length = target.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nCache-Control: max-age=600\r\n");
        let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{target}").as_bytes());
    });
    let worker = worker(&origin);
    let port = worker.port();
    thread::scope(|scope| {
        for client in 0..8 {
            scope.spawn(move || {
                for n in 0..40 {
                    let target = format!("/page/{}", (client + n) % 5);
                    assert_eq!(get_at(port, &target).text(), target);
                }
            });
            scope.spawn(move || {
                for _ in 0..10 {
                    let text = ask_at(port, "GET", "Content-Length: 5", "hello").text();
                    assert!(text.contains("unsupported-body"), "{text}");
                }
            });
        }
    });
}
