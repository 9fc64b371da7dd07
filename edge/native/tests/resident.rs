//! The process stays within the memory that its configuration states, whatever is stored, asked for and not read: its budget
//! and 64 MB, measured as resident memory.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's own helpers")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// What `[limits] memory` is set to.
const BUDGET: u64 = 8 << 20;
const MOST: u64 = BUDGET + (64 << 20);

/// The edge as its users run it.
struct Edge {
    process: Child,
    address: SocketAddr,
}

impl Edge {
    fn start(origin: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("levee.toml");
        let text = format!(
            "version = 1\nhosts = [\"localhost\"]\n[origins.o]\nurl = \"http://{origin}\"\n[limits]\nmemory = \"8MiB\"\nuri = \"16KiB\"\nbody_idle = \"60s\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_levee-native"))
            .args(["--listen", "127.0.0.1:0", "--threads", "2", "--config"])
            .arg(&config)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().parse().unwrap();
        Self { process, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// The most that was ever resident, in bytes.
    fn resident(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    fn stays_within(&self, what: &str) {
        let now = self.resident();
        println!("{what}: {} MB resident, {} MB at most", now >> 20, MOST >> 20);
        assert!(now <= MOST, "{what}: {} MB resident, {} MB at most", now >> 20, MOST >> 20);
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An origin whose paths say what comes: `/BYTES/CACHE-CONTROL/…`.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut field = String::new();
            if reader.read_line(&mut field).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = field.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if field == "\r\n" {
                break;
            }
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).unwrap();
        let mut parts = line.split(' ').nth(1).unwrap().split('/').skip(1);
        let size: usize = parts.next().unwrap().parse().unwrap();
        let control = parts.next().unwrap().replace('+', ", ");
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\ncache-control: {control}\r\nx-a-field: of some length, as they are\r\n\
             content-type: application/octet-stream\r\netag: \"0123456789abcdef\"\r\n\r\n"
        );
        let mut message = head.into_bytes();
        message.resize(message.len() + size, b'x');
        if stream.write_all(&message).is_err() {
            return;
        }
    }
}

/// Sends a request on a connection that is kept, and reads its response to the end. How many bytes the body had.
fn exchange(reader: &mut BufReader<TcpStream>, method: &str, target: &str, fields: &str) -> u64 {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
    reader.get_mut().write_all(request.as_bytes()).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "closed within a head");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap()
}

#[test]
fn small_entries_pin_no_large_buffers() {
    let edge = Edge::start(origin());
    let mut client = BufReader::new(edge.connect());
    for n in 0..4_000 {
        exchange(&mut client, "GET", &format!("/10/max-age=600/{n}"), "");
        if n % 40 == 0 {
            exchange(&mut client, "GET", &format!("/2202009/max-age=600/{n}"), "");
        }
    }
    edge.stays_within("4,000 entries of 10 bytes, and 100 responses of 2.1 MB between them");
}

#[test]
fn what_is_kept_ready_for_hits_is_bounded() {
    let edge = Edge::start(origin());
    let mut client = BufReader::new(edge.connect());
    let padding = "x".repeat(3_000);
    for n in 0..3_000 {
        for kind in 0..3 {
            let fields = format!(
                "If-None-Match: \"{n}-{kind}\"\r\nUser-Agent: {padding}\r\nAccept-Language: l{kind}\r\n"
            );
            exchange(&mut client, "GET", &format!("/100/max-age=600/{n}"), &fields);
        }
    }
    edge.stays_within("9,000 kinds of hits with 3 KB of fields");
}

#[test]
fn long_urls_take_no_more_than_short_ones() {
    let edge = Edge::start(origin());
    let mut client = BufReader::new(edge.connect());
    let long = "u".repeat(7_000);
    for n in 0..3_000 {
        exchange(&mut client, "GET", &format!("/10/no-store/{n}/{long}"), "");
        exchange(&mut client, "POST", &format!("/10/no-store/p{n}/{long}"), "Content-Length: 0\r\n");
        exchange(&mut client, "GET", &format!("/10/max-age=1+stale-while-revalidate=60/s{n}/{long}"), "");
        exchange(&mut client, "GET", &format!("/10/max-age=600/r{n}/{long}"), "Range: bytes=0-1\r\n");
    }
    edge.stays_within("12,000 URLs of 7 KB that are passed, written, stored and asked for in part");
}

#[test]
fn clients_that_do_not_read_hold_a_bounded_amount() {
    let edge = Edge::start(origin());
    let mut readers = Vec::new();
    for n in 0..150 {
        // Stored, and read from memory a second time; each object is another.
        let mut client = BufReader::new(edge.connect());
        exchange(&mut client, "GET", &format!("/2000000/max-age=600/{n}"), "");
        let target = format!("/2000000/max-age=600/{n}");
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.get_mut().write_all(request.as_bytes()).unwrap();
        readers.push(client);
        // And one that fills and does not read either.
        let mut stream = edge.connect();
        write!(stream, "GET /2000000/max-age=600/f{n} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        readers.push(BufReader::new(stream));
        if n % 30 == 29 {
            edge.stays_within(&format!("{} clients that do not read 2 MB each", readers.len()));
        }
    }
    // Others are served meanwhile.
    let mut client = BufReader::new(edge.connect());
    assert_eq!(exchange(&mut client, "GET", "/2000000/max-age=600/other", ""), 2_000_000);
    edge.stays_within("300 clients that do not read 2 MB each");
    // Whoever reads on gets every byte.
    let mut late = readers.swap_remove(0);
    let mut head = String::new();
    while head != "\r\n" {
        head.clear();
        assert!(late.read_line(&mut head).unwrap() > 0);
    }
    assert_eq!(std::io::copy(&mut late.take(2_000_000), &mut std::io::sink()).unwrap(), 2_000_000);
}
