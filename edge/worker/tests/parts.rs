//! A part that is cut out of a stream: exactly that part, at the client's pace, and nothing of the origin is held afterwards.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use levee::config::Limits;
use levee_harness::Process;
use support::{Connection, Origin, get, limited, worker};

const PATIENCE: Duration = Duration::from_secs(40);
const SIZE: usize = 300_000;

fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

fn head(stream: &mut TcpStream, framing: &str) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\n{framing}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).is_ok()
}

/// An origin of one body, with a length or without.
fn origin() -> Origin {
    Origin::start(|target, stream| {
        let framing = if target == "/open" { String::new() } else { format!("Content-Length: {SIZE}\r\n") };
        head(stream, &framing);
        let _ = stream.write_all(&(0..SIZE).map(byte).collect::<Vec<_>>());
    })
}

fn open(worker: &Process, target: &str) -> Connection {
    let mut connection = Connection::open(worker.port());
    connection
        .write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes());
    connection
}

#[test]
fn exactly_the_part_arrives() {
    let origin = origin();
    let worker = worker(&origin);
    for whole in ["known", "open"] {
        for (first, length) in
            [(0, 1), (0, SIZE), (1, 65_536), (65_535, 2), (65_536, 65_536), (SIZE - 1, 1), (7, 0)]
        {
            let answer = get(&worker, &format!("/cut/{first}/{length}/{whole}"));
            assert!(answer.whole, "{first} {length} {whole}");
            assert_eq!(answer.field("content-length"), Some(length.to_string()));
            assert!(
                answer.body.iter().copied().eq((first..first + length).map(byte)),
                "{first} {length} {whole}"
            );
        }
    }
}

#[test]
fn a_stream_that_ends_before_breaks_the_part_off() {
    let origin = origin();
    let worker = worker(&origin);
    for target in [
        format!("/cut/0/{}/known", SIZE + 1),
        format!("/cut/{SIZE}/1/open"),
        format!("/cut/{}/9/open", SIZE * 2),
    ] {
        assert!(!open(&worker, &target).ends_whole(), "{target}");
    }
}

/// An origin that writes for ever, or says nothing more, until the other side has closed; then it tells how much it wrote.
fn endless() -> (Origin, Receiver<usize>) {
    let (told, closed) = mpsc::channel();
    let origin = Origin::start(move |target, stream| {
        let mut written = 0;
        if head(stream, "") && stream.write_all(&[7; 70_000]).is_ok() {
            written += 70_000;
            if target == "/silent" {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = stream.read(&mut [0]);
            } else {
                while stream.write_all(&[7; 65_536]).is_ok() {
                    written += 65_536;
                }
            }
        }
        let _ = told.send(written);
    });
    (origin, closed)
}

#[test]
fn what_comes_after_the_part_is_not_read() {
    let (origin, closed) = endless();
    let worker = worker(&origin);
    for target in ["/cut/10/1000/endless", "/cut/10/1000/silent"] {
        let answer = get(&worker, target);
        assert_eq!((answer.body.len(), answer.whole), (1_000, true), "{target}");
        closed.recv_timeout(PATIENCE).expect("the origin's connection is closed");
    }
}

#[test]
fn a_client_that_leaves_lets_the_origin_go() {
    let (origin, closed) = endless();
    let worker = worker(&origin);
    let mut leaving = open(&worker, "/cut/0/1000000000/endless");
    assert_eq!(leaving.read(100_000).len(), 100_000);
    drop(leaving);
    closed.recv_timeout(PATIENCE).expect("the origin's connection is closed");
}

#[test]
fn the_origin_goes_at_the_clients_pace_and_both_are_let_go_when_it_stands_still() {
    let (origin, closed) = endless();
    let worker = limited(&origin, Limits { body_idle: Duration::from_millis(1_500), ..Limits::default() });
    let unread = open(&worker, "/cut/0/1000000000/endless");
    let written = closed.recv_timeout(PATIENCE).expect("the origin's connection is closed");
    // What systems hold of two connections, and a chunk or two: far less than was asked for.
    assert!(written < 100 << 20, "{written}");
    assert!(!unread.ends_whole());
    assert!(!open(&worker, "/cut/0/1000000000/silent").ends_whole(), "the origin stands still");
}
