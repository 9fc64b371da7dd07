//! Methods, upgrades, statuses and bytes that are out of the ordinary.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::Write;
use std::net::TcpStream;

use levee_harness::Process;
use support::{Answer, Connection, Origin, get, send, worker};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const CLOSE: &str = "Connection: close\r\n";

fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\n{CLOSE}\r\n").as_bytes());
    let _ = stream.write_all(body);
}

/// An origin that numbers what it answers, all of which may be stored.
fn numbering(fields: &'static str) -> Origin {
    let count = std::sync::atomic::AtomicU32::new(0);
    Origin::start(move |_, stream| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        let head =
            format!("200 OK\r\nContent-Length: {}\r\nCache-Control: max-age=600{fields}", number.len());
        reply(stream, &head, number.as_bytes());
    })
}

fn ask(worker: &Process, line: &str, fields: &[u8]) -> Answer {
    let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{CLOSE}");
    send(worker, &[head.as_bytes(), fields, b"\r\n"].concat())
}

#[test]
fn trace_and_connect_reach_no_origin() {
    let origin = numbering("");
    let worker = worker(&origin);
    for line in ["TRACE /", "CONNECT localhost:443", "TRACK /", "get /"] {
        let answer = ask(&worker, line, b"");
        assert!(answer.status >= 400, "{line}: {}", answer.status);
    }
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn reserved_paths_are_the_edges_however_they_are_written() {
    let origin = numbering("");
    let worker = worker(&origin);
    for target in
        ["/.levee/status", "/%2elevee/status", "/%2Elevee/status", "/x/../.levee/status", "/x/%2e%2e/.levee/"]
    {
        let answer = get(&worker, target);
        assert!(matches!(answer.status, 400..=404), "{target}: {}", answer.status);
    }
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn a_status_that_the_runtime_cannot_carry_is_named() {
    let origin = Origin::start(|target, stream| match target {
        "/101" => reply(stream, "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x", b""),
        target => reply(stream, &format!("{} Odd\r\nContent-Length: 5", &target[1..]), b"hello"),
    });
    let worker = worker(&origin);
    for status in ["999", "600", "101"] {
        let answer = get(&worker, &format!("/{status}"));
        assert_eq!(answer.status, 502);
        assert!(answer.text().contains(status), "{}", answer.text());
        assert!(answer.text().contains("\"code\":\"origin-status\""), "{}", answer.text());
    }
    assert_eq!(get(&worker, "/599").status, 599);
}

/// Only a WebSocket is upgraded to. Deployed, `Connection` is the runtime's and does not arrive.
#[test]
fn an_upgrade_to_another_protocol_is_passed_as_a_request_like_others() {
    let origin = numbering("");
    let worker = worker(&origin);
    assert_eq!(get(&worker, "/").text(), "0");
    assert_eq!(get(&worker, "/").text(), "0");
    let settings = "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    for (at, fields) in [
        format!("Upgrade: h2c\r\n{settings}"),
        format!("Upgrade: h2c\r\n{settings}"),
        "Upgrade: TLS/1.0\r\n".to_owned(),
        "Upgrade: h2c, websocket\r\n".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let answer = ask(&worker, "GET /", fields.as_bytes());
        assert_eq!(
            (answer.status, answer.text()),
            (200, (at + 1).to_string()),
            "{fields} {:?}",
            answer.fields
        );
        let head = origin.requests().pop().unwrap_or_default().to_ascii_lowercase();
        assert!(!head.contains("upgrade:") && !head.contains("http2-settings"), "{head}");
    }
    assert_eq!(get(&worker, "/").text(), "0", "and nobody else gets what it brought");
}

/// The runtime puts one character in the place of each byte that is not UTF-8.
#[test]
fn bytes_that_are_lost_make_no_two_requests_one() {
    let origin = numbering("\r\nVary: Origin");
    let worker = worker(&origin);
    let from = |name: &[u8]| ask(&worker, "GET /", &[b"Origin: ", name, b"\r\n"].concat()).text();
    // UTF-8 is as good as ASCII.
    assert_eq!((from("é".as_bytes()), from("è".as_bytes())), ("0".into(), "1".into()));
    assert_eq!((from("é".as_bytes()), from("è".as_bytes())), ("0".into(), "1".into()));
    let mut last = 2;
    for _ in 0..2 {
        for bytes in [b"\xe9", b"\xe8", b"\xff"] {
            assert_eq!(from(bytes), last.to_string());
            last += 1;
        }
    }
    let passed = ask(&worker, "GET /", b"Origin: \xe9\r\n");
    let status = passed.field("cache-status").unwrap_or_default();
    assert!(status.contains("fwd=bypass") && status.contains("detail=lost-bytes"), "{status}");
    assert_eq!(from("é".as_bytes()), "0");
}

#[test]
fn a_cookie_line_survives_a_byte_above_127() {
    let origin = numbering("");
    let worker = worker(&origin);
    for value in [&b"a=1; b=\xe9; c=3"[..], "a=1; b=é; c=3".as_bytes()] {
        ask(&worker, "GET /", &[b"Cookie: ", value, b"\r\n"].concat());
        let head = origin.requests().pop().unwrap_or_default();
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("cookie:"));
        assert!(line.is_some_and(|line| line.contains("a=1; b=") && line.ends_with("; c=3")), "{head}");
    }
}

/// Two representations whose tags differ in such a byte alone would validate each other.
#[test]
fn a_tag_whose_bytes_are_lost_validates_nothing() {
    let origin = Origin::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=600\r\nETag: \"\xe9\"\r\n\
              Connection: close\r\n\r\nok",
        );
    });
    let worker = worker(&origin);
    for _ in 0..3 {
        assert_eq!(get(&worker, "/").field("etag"), None);
        for tag in ["\u{fffd}".as_bytes(), b"\xe8", b"\xe9"] {
            let fields = [b"If-None-Match: \"", tag, b"\"\r\n"].concat();
            assert_eq!(ask(&worker, "GET /", &fields).status, 200);
        }
    }
}

#[test]
fn a_websocket_is_upgraded_to() {
    let origin = Origin::hearing(|head, reader, stream| {
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
        });
        let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let _ = stream.write_all(head.as_bytes());
        // One text frame of the server's; then the client's, masked, is echoed as it came.
        let _ = stream.write_all(b"\x81\x05hello");
        let mut frame = [0; 8];
        if reader.read_exact(&mut frame).is_ok() {
            let text: Vec<u8> = frame[6..].iter().zip(&frame[2..]).map(|(byte, mask)| byte ^ mask).collect();
            let _ = stream.write_all(&[&[0x81, 2], &text[..]].concat());
            let _ = reader.read(&mut [0; 64]);
        }
    });
    let worker = worker(&origin);
    let mut socket = Connection::open(worker.port());
    socket.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = socket.read(1);
        assert!(!byte.is_empty(), "{}", String::from_utf8_lossy(&head));
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    assert_eq!(socket.read(7), b"\x81\x05hello");
    socket.write(b"\x81\x82\x01\x02\x03\x04\x69\x6b");
    assert_eq!(socket.read(4), b"\x81\x02hi");
}
