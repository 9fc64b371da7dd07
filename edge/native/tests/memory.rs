//! What the server takes in memory, whatever its clients do: the process itself is measured.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The memory tier's budget, and what everything else may take.
const BUDGET: usize = 32 << 20;
const BESIDE: usize = 64 << 20;

/// Bytes of a body that no buffer on the way holds.
const LARGE: u64 = 20 << 20;

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(origin: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_levee-native"));
        for name in ["LEVEE_CONFIG", "LEVEE_STATUS_TOKEN", "PORT"] {
            command.env_remove(name);
        }
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--threads", "2", "--origin", &format!("http://{origin}")])
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// A line of the system's account of the process, in bytes.
    fn memory(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<usize>().unwrap() << 10
    }

    fn assert_small(&self, what: &str) {
        let (now, most) = (self.memory("VmRSS"), self.memory("VmHWM"));
        println!("{what}: {} MB resident, {} MB at most", now >> 20, most >> 20);
        assert!(most < BUDGET + BESIDE, "{what}: {} MB", most >> 20);
    }

    /// It still answers others, and soon.
    fn assert_answers(&self) {
        let mut client = self.connect();
        write!(client, "GET /small HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An origin: `/small` may be stored, and what is deleted is answered at length.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                let mut path = String::new();
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    match line.split(' ').nth(1) {
                        Some(target) if line.ends_with(" HTTP/1.1\r\n") => target.clone_into(&mut path),
                        _ if line == "\r\n" => {
                            let size = if path == "/small" { 100 } else { LARGE };
                            let head = format!(
                                "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: {size}\r\n\r\n"
                            );
                            let mut answer = head.as_bytes().chain(std::io::repeat(b'x').take(size));
                            if std::io::copy(&mut answer, stream.get_mut()).is_err() {
                                return;
                            }
                        }
                        _ => {}
                    }
                }
            });
        }
    });
    address
}

fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// One answer of `/small`.
fn ask(client: &mut TcpStream) {
    client.write_all(b"GET /small HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut got = Vec::new();
    let mut buffer = [0; 4_096];
    while !got.ends_with(b"xxxxxxxxxx") {
        let count = client.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&buffer[..count]);
    }
}

/// For as long as the other side takes it.
fn push(client: &mut TcpStream, bytes: &[u8]) {
    client.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let _ = client.write_all(bytes);
}

#[test]
fn crowds_of_idle_and_of_slow_clients() {
    raise_descriptors();
    let server = Server::start(origin());
    server.assert_answers();
    server.assert_small("at rest");

    let mut idle: Vec<_> = (0..2_000).map(|_| server.connect()).collect();
    idle.iter_mut().for_each(ask);
    server.assert_small("2000 idle connections");

    // As large as a head may be, but for its end.
    let mut heads: Vec<_> = (0..1_500).map(|_| server.connect()).collect();
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "y".repeat(38_000));
    heads.iter_mut().for_each(|client| push(client, head.as_bytes()));
    server.assert_answers();
    server.assert_small("and 1500 heads without an end");

    // None of them is read.
    let mut unread: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for (number, client) in unread.iter_mut().enumerate() {
        push(client, format!("DELETE /unread/{number} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
    }
    let give_up = Instant::now() + Duration::from_secs(60);
    let mut buffer = [0; 64];
    for client in &mut unread {
        // Its answer has begun, or there was no room for it: either way the server has dealt with it.
        let _ = client.peek(&mut buffer);
        assert!(Instant::now() < give_up);
    }
    server.assert_small("and 300 large responses that nobody reads");
    drop((idle, heads, unread));
    server.assert_answers();
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&size[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `GET` or `POST`, by its index in the static table, of a path.
fn head(method: u8, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[0x80 | method, 0x86, 0x04, length], path.as_bytes(), b"\x41\x01a"].concat()
}

#[test]
fn streams_that_stall() {
    raise_descriptors();
    let server = Server::start(origin());
    server.assert_answers();

    // Responses for which the client opens no window.
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let mut unread: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for (number, client) in unread.iter_mut().enumerate() {
        let mut sent = [PREFACE, &settings].concat();
        for stream in 0..40 {
            sent.extend(frame(1, 5, 2 * stream + 1, &head(2, &format!("/u/{number}/{}", stream % 4))));
        }
        push(client, &sent);
    }
    server.assert_small("2400 streams that nobody reads");
    server.assert_answers();

    // Uploads that bring as much as they may, in small pieces, and do not end.
    let mut uploads: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for client in &mut uploads {
        let mut sent = [PREFACE, &frame(4, 0, 0, &[])].concat();
        for stream in 0..60 {
            sent.extend(frame(1, 4, 2 * stream + 1, &head(3, "/upload")));
            sent.extend(frame(0, 0, 2 * stream + 1, &[b'x'; 300]).repeat(3));
        }
        push(client, &sent);
    }
    server.assert_small("and 3600 uploads that stall");

    // Field sections without an end.
    let mut sections: Vec<_> = (0..600).map(|_| server.connect()).collect();
    for client in &mut sections {
        let sent = [
            PREFACE,
            &frame(4, 0, 0, &[]),
            &frame(1, 0, 1, &head(2, "/")),
            &frame(9, 0, 1, &[0x0f; 16_000]).repeat(3),
        ];
        push(client, &sent.concat());
    }
    server.assert_small("and 600 field sections without an end");
    drop((unread, uploads, sections));
    server.assert_answers();
}
