//! Every wait for a body has an end, in both directions, and who stalls is who fails.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::io::{BufRead as _, Read as _, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use levee::config::Limits;
use levee_harness::Process;
use support::{Answer, Connection, Origin, get, limited, logged};

const IDLE: Duration = Duration::from_millis(1_500);
/// Longer than any machine needs that does what it should.
const PATIENCE: Duration = Duration::from_secs(40);

fn limits() -> Limits {
    Limits { body_idle: IDLE, body_rate: 1_000, ..Limits::default() }
}

fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) -> bool {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
}

/// An origin that answers what it has read of an upload's body in bytes.
fn listener() -> Origin {
    Origin::hearing(|head, reader, stream| {
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<u64>().ok());
        let read = match length {
            Some(length) => std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap_or(0),
            None if head.contains("transfer-encoding") => {
                let mut read = 0;
                for line in reader.split(b'\n').map_while(Result::ok) {
                    if line == b"0\r" {
                        break;
                    }
                    read += line.len() as u64;
                }
                read
            }
            None => 0,
        };
        let read = read.to_string();
        reply(stream, &format!("200 OK\r\nContent-Length: {}", read.len()), read.as_bytes());
    })
}

fn upload(worker: &Process, framing: &str, begin: &str) -> Connection {
    let mut connection = Connection::open(worker.port());
    let head =
        format!("POST /up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{framing}\r\n\r\n{begin}");
    connection.write(head.as_bytes());
    connection
}

fn assert_refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(&format!("\"code\":\"{code}\"")), "{}", answer.text());
    assert_eq!(answer.field("proxy-status"), None, "no origin is to blame");
}

#[test]
fn an_upload_that_stalls_is_the_clients_fault() {
    let origin = listener();
    let worker = limited(&origin, limits());
    let length = "Content-Length: 10";
    let began = Instant::now();
    // Without a byte of it no origin is asked.
    assert_refused(&upload(&worker, length, "").answer(), 408, "slow-body");
    assert_eq!(origin.requests().len(), 0);
    for (framing, begin) in [(length, "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n")] {
        assert_refused(&upload(&worker, framing, begin).answer(), 408, "slow-body");
    }
    assert!(began.elapsed() >= 3 * IDLE && began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert_eq!(get(&worker, "/").status, 200);
}

#[test]
fn an_upload_that_trickles_is_too() {
    let origin = listener();
    let worker = limited(&origin, limits());
    let mut slow = upload(&worker, "Content-Length: 1000000", "");
    let began = Instant::now();
    // A tenth of the rate, and never idle.
    while slow.try_write(&[0; 20]) {
        assert!(began.elapsed() < PATIENCE, "still taken");
        sleep(IDLE / 8);
    }
    // A client that still sends may see a reset where it would see the answer.
    assert_eq!(get(&worker, "/").status, 200);
}

#[test]
fn an_upload_that_pauses_is_let_be() {
    let origin = listener();
    // A pause is far shorter than the idle time, and all of them together are longer.
    let worker = limited(&origin, Limits { body_idle: Duration::from_secs(5), ..limits() });
    let mut pausing = upload(&worker, "Content-Length: 12000", "");
    for _ in 0..6 {
        sleep(Duration::from_secs(1));
        pausing.write(&[0; 2_000]);
    }
    let answer = pausing.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, "12000"));
}

#[test]
fn a_malformed_upload_is_a_bad_request() {
    let origin = listener();
    let worker = limited(&origin, limits());
    for begin in ["ZZ\r\nhello\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\r\nZZ\r\n"] {
        assert_refused(&upload(&worker, "Transfer-Encoding: chunked", begin).answer(), 400, "bad-body");
    }
    let mut short = upload(&worker, "Content-Length: 10", "hello");
    short.end();
    assert_refused(&short.answer(), 400, "bad-body");
    // One that has gone is answered nothing, and leaves nothing behind.
    drop(upload(&worker, "Content-Length: 10", "hello"));
    assert_eq!(get(&worker, "/").status, 200);
}

/// More than `shield.max_inflight`.
#[test]
fn uploads_without_a_byte_take_no_place_at_an_origin() {
    let origin = listener();
    let worker = limited(&origin, Limits { body_idle: PATIENCE, ..limits() });
    let stalled: Vec<_> = (0..80).map(|_| upload(&worker, "Content-Length: 10", "")).collect();
    for n in 0..5 {
        let answer = get(&worker, &format!("/{n}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(origin.requests().len(), 5);
    for mut connection in stalled {
        connection.write(b"0123456789");
        assert_eq!(connection.answer().status, 200);
    }
}

/// As many as one client may have leave places for others.
#[test]
fn a_client_whose_uploads_stall_does_not_take_every_place() {
    let origin = listener();
    let worker = limited(&origin, Limits { body_idle: PATIENCE, ..limits() });
    let of = "CF-Connecting-IP: 192.0.2.1\r\nContent-Length: 10";
    let _stalled: Vec<_> = (0..80).map(|_| upload(&worker, of, "hello")).collect();
    let began = Instant::now();
    while origin.requests().is_empty() {
        assert!(began.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20));
    }
    for n in 0..5 {
        let answer = get(&worker, &format!("/{n}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// What it writes of a body, and how it goes on.
fn source(stored: &'static str, go_on: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Origin {
    Origin::start(move |_, stream| {
        let head = format!("200 OK\r\nContent-Length: 100000{stored}");
        if reply(stream, &head, &[7; 1_000]) {
            go_on(stream);
        }
    })
}

/// Until the other side has closed.
fn wait_for_the_end(stream: &mut TcpStream) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.read(&mut [0]);
}

#[test]
fn an_origin_that_stalls_in_a_captured_body_lets_everyone_go() {
    let (told, closed) = mpsc::channel();
    let origin = source("\r\nCache-Control: max-age=60", move |stream| {
        let began = Instant::now();
        wait_for_the_end(stream);
        let _ = told.send(began.elapsed());
    });
    let worker = limited(&origin, limits());
    let port = worker.port();
    let ask = || {
        let mut connection = Connection::open(port);
        connection.write(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        connection.whole_status()
    };
    let began = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        for client in clients {
            // Who was waiting for the body may be told of the failure instead.
            let whole = client.join().expect("no panic");
            assert!(whole.is_none_or(|status| status >= 500), "a {whole:?} looks whole and is not");
        }
    });
    assert!(began.elapsed() < PATIENCE);
    let waited = closed.recv_timeout(PATIENCE).expect("the origin's connection is closed");
    assert!(waited < PATIENCE, "{waited:?}");
    let asked = origin.requests().len();
    assert_eq!(ask(), None);
    assert_eq!(origin.requests().len(), asked + 1, "nothing was stored");
}

#[test]
fn an_origin_that_trickles_into_a_captured_body_is_given_up() {
    let origin = source("\r\nCache-Control: max-age=60", |stream| {
        while stream.write_all(&[7; 20]).is_ok() {
            sleep(IDLE / 8);
        }
    });
    let worker = limited(&origin, limits());
    let mut connection = Connection::open(worker.port());
    connection.write(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let began = Instant::now();
    assert!(!connection.ends_whole());
    assert!(began.elapsed() < PATIENCE);
}

/// An event stream is as slow as it likes, as long as nobody captures it.
#[test]
fn a_body_that_is_passed_may_take_its_time() {
    let origin = Origin::start(|_, stream| {
        reply(stream, "200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store", b"");
        for _ in 0..6 {
            let _ = stream.write_all(b"data: x\n\n");
            sleep(IDLE / 2);
        }
    });
    let worker = limited(&origin, limits());
    let answer = get(&worker, "/events");
    assert_eq!((answer.body.len(), answer.whole), (54, true));
}

const LARGE: usize = 2 << 20;

/// An origin of large bodies that may be stored.
fn large() -> Origin {
    Origin::start(|_, stream| {
        reply(
            stream,
            &format!("200 OK\r\nContent-Length: {LARGE}\r\nCache-Control: max-age=60"),
            &vec![7; LARGE],
        );
    })
}

fn open(worker: &Process, target: &str) -> Connection {
    let mut connection = Connection::open(worker.port());
    connection
        .write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes());
    connection
}

/// How many captures have come to this.
fn count(worker: &Process, came: &str) -> usize {
    worker.log().lines().iter().filter(|line| line.contains(&format!("captured {came}"))).count()
}

/// Waits until so many have.
fn captured(worker: &Process, came: &str, many: usize) {
    let began = Instant::now();
    while count(worker, came) < many {
        assert!(began.elapsed() < PATIENCE, "{}", worker.log().tail(40));
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    const HUGE: usize = 12 << 20;
    let origin = Origin::start(|_, stream| {
        reply(stream, &format!("200 OK\r\nContent-Length: {HUGE}"), &vec![7; HUGE]);
    });
    let worker = limited(&origin, limits());
    // It takes what fits into the buffers of the system, and no more.
    let connection = open(&worker, "/tee/12582912/x");
    logged(&worker, "captured Ok(12582912)");
    let began = Instant::now();
    // What it held is free once it has been let go: a second one does not fit beside it.
    for n in 2.. {
        assert!(began.elapsed() < PATIENCE, "{}", worker.log().tail(40));
        let answer = get(&worker, "/tee/12582912/y");
        assert_eq!((answer.body.len(), answer.whole), (HUGE, true));
        captured(&worker, "", n);
        if worker.log().tail(1).contains("captured Ok") {
            break;
        }
        sleep(IDLE / 4);
    }
    assert!(!connection.ends_whole());
}

#[test]
fn captures_together_hold_no_more_than_their_bound() {
    let origin = large();
    // Nobody is let go in this test.
    let worker = limited(&origin, Limits { body_idle: 4 * PATIENCE, body_rate: 0, ..Limits::default() });
    let unread: Vec<_> = (0..30).map(|n| open(&worker, &format!("/tee/2097152/{n}"))).collect();
    // Eight bodies of 2 MiB are 16 MiB: the others are not captured, and go at their clients' pace.
    captured(&worker, "", unread.len());
    let (whole, refused) = (count(&worker, "Ok(2097152)"), count(&worker, "Err(TooLarge)"));
    assert_eq!(whole + refused, unread.len());
    assert!((1..=30).contains(&whole) && refused > 0, "{whole} {refused}");
    for connection in unread {
        let answer = connection.answer();
        assert_eq!((answer.body.len(), answer.whole), (LARGE, true), "{}", worker.log().tail(60));
    }
    // What they held is free again.
    let answer = get(&worker, "/tee/2097152/again");
    assert_eq!((answer.body.len(), answer.whole), (LARGE, true));
    captured(&worker, "", 31);
    assert_eq!(count(&worker, "Ok(2097152)"), whole + 1);
}
