//! Methods, upgrades, statuses and bytes that are out of the ordinary.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::{Read as _, Write};
use std::net::TcpStream;

use levee_harness::Process;
use support::{Answer, Connection, Origin, get, send, worker};

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
        assert_eq!((answer.status, answer.text()), (200, (at + 1).to_string()), "{fields} {:?}", answer.fields);
        let head = origin.requests().pop().unwrap_or_default().to_ascii_lowercase();
        assert!(!head.contains("upgrade:") && !head.contains("http2-settings"), "{head}");
    }
    assert_eq!(get(&worker, "/").text(), "0", "and nobody else gets what it brought");
}

#[test]
fn a_websocket_is_upgraded_to() {
    let origin = Origin::hearing(|head, reader, stream| {
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
        });
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept(&key.unwrap_or_default())
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

/// Of the key that the runtime sends an origin (RFC 6455, section 4.2.2).
fn accept(key: &str) -> String {
    base64(&sha1(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes()))
}

fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = [message, &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(64) + if padded.len() % 64 > 56 { 64 } else { 0 } - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> = block
            .chunks(4)
            .map(|word| word.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
            .collect();
        for at in 16..80 {
            words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (f, k) = match at {
                0..20 => (b & c | !b & d, 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let sum = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = state[at / 4].to_be_bytes()[at % 4];
    }
    digest
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]);
            text.push(if at <= group.len() { digit } else { '=' });
        }
    }
    text
}
