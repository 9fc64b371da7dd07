//! No framing field is passed on: each message is framed by the body that is sent (RFC 9112, section 6).

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::{Read as _, Write};
use std::net::TcpStream;

use levee_harness::Process;
use support::{Answer, Connection, Origin, get, send, worker};

const CLOSE: &str = "Connection: close\r\n";

/// Head lines without an end, and what follows them.
fn reply(stream: &mut TcpStream, head: &str, rest: &str) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\n{CLOSE}\r\n{rest}").as_bytes());
}

fn ask(worker: &Process, method: &str, target: &str, fields: &str) -> Answer {
    send(worker, format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}{fields}\r\n").as_bytes())
}

/// As an origin's framework and a proxy behind it make it, each adding its own.
#[test]
fn a_length_beside_chunks_is_not_believed() {
    let origin = Origin::start(|target, stream| {
        let stored = if target == "/passed" { "" } else { "\r\nCache-Control: max-age=60" };
        let length = if target == "/long" { 30 } else { 3 };
        let head = format!("200 OK\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked{stored}");
        reply(stream, &head, "5\r\nhello\r\n0\r\n\r\n");
    });
    let worker = worker(&origin);
    for target in ["/passed", "/stored", "/stored", "/long", "/long"] {
        let answer = get(&worker, target);
        assert_eq!((answer.text().as_str(), answer.whole), ("hello", true), "{target} {answer:?}");
    }
    assert_eq!(origin.requests().len(), 3, "two came from the cache");
    assert_eq!(get(&worker, "/stored").field("content-length").as_deref(), Some("5"));
    let post = ask(&worker, "POST", "/stored", "Content-Length: 0\r\n");
    assert_eq!((post.text().as_str(), post.whole), ("hello", true));
}

#[test]
fn the_length_of_a_head_is_told_only_where_it_is_one() {
    let origin = Origin::start(|target, stream| match target {
        "/both" => reply(stream, "200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", ""),
        _ => reply(stream, "200 OK\r\nContent-Length: 12345", ""),
    });
    let worker = worker(&origin);
    assert_eq!(ask(&worker, "HEAD", "/one", "").field("content-length").as_deref(), Some("12345"));
    assert_eq!(ask(&worker, "HEAD", "/both", "").field("content-length"), None);
}

#[test]
fn a_body_that_is_shorter_than_its_length_breaks_off() {
    let origin = Origin::start(|target, stream| {
        let stored = if target == "/passed" { "" } else { "\r\nCache-Control: max-age=60" };
        reply(stream, &format!("200 OK\r\nContent-Length: 10{stored}"), "hello");
    });
    let worker = worker(&origin);
    for target in ["/passed", "/stored", "/stored"] {
        // Where nothing of it has been sent yet, there is not even a head.
        let mut connection = Connection::open(worker.port());
        connection.write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n").as_bytes());
        assert!(!connection.ends_whole(), "{target}");
    }
    assert_eq!(origin.requests().len(), 3, "nothing was stored");
}

#[test]
fn chunks_that_do_not_end_break_off() {
    let origin = Origin::start(|target, stream| {
        let rest = if target == "/cut" { "5\r\nhello\r\n" } else { "5\r\nhello\r\nZZ\r\n" };
        reply(stream, "200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60", rest);
    });
    let worker = worker(&origin);
    for target in ["/cut", "/cut", "/garbled"] {
        let mut connection = Connection::open(worker.port());
        connection.write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n").as_bytes());
        assert!(!connection.ends_whole(), "{target}");
    }
    assert_eq!(origin.requests().len(), 3, "nothing was stored");
}

/// A handler's stream of five bytes, with a field that says three.
#[test]
fn a_stream_that_is_not_as_long_as_was_said_never_looks_complete() {
    let origin = Origin::start(|_, stream| reply(stream, "200 OK\r\nContent-Length: 0", ""));
    let worker = worker(&origin);
    for (target, whole) in
        [("/claim/5", true), ("/claim/unknown", true), ("/claim/4", false), ("/claim/6", false)]
    {
        for _ in 0..2 {
            let mut connection = Connection::open(worker.port());
            connection.write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}\r\n").as_bytes());
            assert_eq!(connection.ends_whole(), whole, "{target}");
        }
    }
    assert_eq!(get(&worker, "/claim/5").text(), "hello");
}

#[test]
fn a_status_without_content_has_no_framing() {
    let origin = Origin::start(|target, stream| match target {
        "/204" => reply(stream, "204 No Content\r\nContent-Length: 5", "hello"),
        "/205" => reply(stream, "205 Reset Content\r\nContent-Length: 5", "hello"),
        "/chunked" => {
            reply(stream, "204 No Content\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n");
        }
        _ => reply(stream, "304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 5", ""),
    });
    let worker = worker(&origin);
    for (target, status) in [("/204", 204), ("/205", 205), ("/chunked", 204), ("/304", 304)] {
        let answer = get(&worker, target);
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{target}");
        let length = answer.field("content-length").filter(|length| length != "0");
        assert_eq!((length, answer.field("transfer-encoding")), (None, None), "{target}");
    }
}

/// What belongs to one connection, as an origin or a client sends it.
const HOP_BY_HOP: &str = "Keep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: x-t\r\nUpgrade: h2c\r\n\
    Proxy-Connection: keep-alive\r\nX-Named: 1\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
const NAMES: [&str; 7] =
    ["keep-alive:", "te:", "trailer:", "upgrade:", "proxy-connection:", "x-named:", "http2-settings:"];

#[test]
fn what_belongs_to_one_connection_stays_there() {
    let origin = Origin::start(|_, stream| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=60\r\n\
            Connection: close, X-Named\r\n{HOP_BY_HOP}\r\nok"
        );
        let _ = stream.write_all(head.as_bytes());
    });
    let worker = worker(&origin);
    for target in ["/a", "/a", "/b"] {
        let answer = get(&worker, target);
        for name in NAMES {
            assert_eq!(answer.field(name.trim_end_matches(':')), None, "{target} {name}");
        }
    }
    for method in ["GET", "POST"] {
        let request = format!(
            "{method} /c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\
            Expect: 100-continue\r\nConnection: close, X-Named\r\n{HOP_BY_HOP}\r\n"
        );
        let mut connection = Connection::open(worker.port());
        connection.write(request.as_bytes());
        assert!(connection.ends_whole());
        let head = origin.requests().pop().unwrap_or_default().to_ascii_lowercase();
        assert!(head.starts_with(&method.to_ascii_lowercase()), "{head}");
        for name in NAMES.iter().chain(&["expect:"]) {
            assert!(!head.contains(&format!("\n{name}")), "{method} {name} {head}");
        }
    }
}

#[test]
fn a_transfer_coding_that_nobody_removes_is_an_error() {
    let origin = Origin::start(|_, stream| {
        reply(stream, "200 OK\r\nTransfer-Encoding: gzip, chunked", "5\r\nhello\r\n0\r\n\r\n");
    });
    let worker = worker(&origin);
    let answer = get(&worker, "/");
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("transfer coding is `gzip`"), "{}", answer.text());
    let asked = origin.requests().len();
    let refused = send(
        &worker,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n\
          5\r\nhello\r\n0\r\n\r\n",
    );
    assert_eq!(
        (refused.status, refused.field("content-type").as_deref()),
        (501, Some("application/problem+json"))
    );
    assert_eq!(origin.requests().len(), asked);
}

/// Whoever believes the other field would take the rest for a request of somebody else.
#[test]
fn a_request_with_both_is_framed_by_its_chunks() {
    let origin = Origin::hearing(|_, reader, stream| {
        let mut lines = String::new();
        for _ in 0..4 {
            let _ = reader.read_line(&mut lines);
        }
        reply(stream, &format!("200 OK\r\nContent-Length: {}", lines.len()), &lines);
    });
    let worker = worker(&origin);
    let answer = send(
        &worker,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\
          Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    );
    assert_eq!(answer.text(), "5\r\nhello\r\n0\r\n\r\n");
    let head = origin.requests()[0].to_ascii_lowercase();
    assert!(head.contains("\ntransfer-encoding: chunked") && !head.contains("content-length"), "{head}");
}

#[test]
fn an_upload_keeps_its_length_and_its_bytes() {
    const SIZE: usize = 1_000_000;
    let origin = Origin::hearing(|_, reader, stream| {
        let mut body = Vec::new();
        let _ = reader.take(SIZE as u64).read_to_end(&mut body);
        let right = body.iter().enumerate().filter(|&(at, byte)| *byte == (at % 251) as u8).count();
        reply(stream, &format!("200 OK\r\nContent-Length: {}", right.to_string().len()), &right.to_string());
    });
    let worker = worker(&origin);
    let mut request =
        format!("PUT / HTTP/1.1\r\nHost: localhost\r\n{CLOSE}Content-Length: {SIZE}\r\n\r\n").into_bytes();
    request.extend((0..SIZE).map(|at| (at % 251) as u8));
    assert_eq!(send(&worker, &request).text(), SIZE.to_string());
    assert!(origin.requests()[0].to_ascii_lowercase().contains(&format!("\ncontent-length: {SIZE}")));
}
