//! HTTP/1.1 by hand: what arrives is what was sent, and a broken body is seen as one.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use levee_harness::Process;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Whether the body came to its announced end.
    pub whole: bool,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<String> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name);
        values.next().map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The tier that it came from, or nothing.
    pub fn tier(&self) -> String {
        let timing = self.field("server-timing").unwrap_or_default();
        let tier = timing.split_once("tier;desc=\"").and_then(|(_, rest)| rest.split_once('"'));
        tier.map_or_else(String::new, |(tier, _)| tier.to_owned())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn get(server: &Process, target: &str) -> Answer {
    get_at(server.port(), target)
}

pub fn get_at(port: u16, target: &str) -> Answer {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    send_at(port, request.as_bytes())
}

/// Sends a whole request, which must ask for `Connection: close`, and reads to the end.
pub fn send(server: &Process, request: &[u8]) -> Answer {
    send_at(server.port(), request)
}

pub fn send_at(port: u16, request: &[u8]) -> Answer {
    let mut connection = Connection::open(port);
    connection.write(request);
    connection.answer()
}

/// A connection on which a test sends piece by piece, or does not read.
pub struct Connection {
    stream: TcpStream,
    is_head: bool,
}

impl Connection {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        Self { stream, is_head: false }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.is_head |= bytes.starts_with(b"HEAD ");
        self.stream.write_all(bytes).expect("sent");
    }

    /// Whether it is still there to write to.
    pub fn try_write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends nothing more.
    pub fn end(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads this many bytes, or fewer at the end.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = (&self.stream).take(most as u64).read_to_end(&mut bytes);
        bytes
    }

    /// Whether a whole response comes to its end; one without even a head is none.
    pub fn ends_whole(self) -> bool {
        self.whole_status().is_some()
    }

    /// The status of a response that looks whole. Reads to the end, as [`Self::ends_whole`] does.
    pub fn whole_status(mut self) -> Option<u16> {
        let mut all = Vec::new();
        let clean = self.stream.read_to_end(&mut all).is_ok();
        // Interim responses are none.
        while all.starts_with(b"HTTP/1.1 100 ") {
            let end = head_end(&all)?;
            all.drain(..end + 4);
        }
        head_end(&all)?;
        let answer = parse(all, clean, self.is_head);
        answer.whole.then_some(answer.status)
    }

    /// Reads to the end: the request must ask for `Connection: close`.
    pub fn answer(mut self) -> Answer {
        let mut all = Vec::new();
        // A reset ends a broken body.
        let clean = self.stream.read_to_end(&mut all).is_ok();
        parse(all, clean, self.is_head)
    }
}

fn parse(mut all: Vec<u8>, clean: bool, is_head: bool) -> Answer {
    let end =
        head_end(&all).unwrap_or_else(|| panic!("no response head in {:?}", String::from_utf8_lossy(&all)));
    let body = all.split_off(end + 4);
    let mut lines = all[..end].split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let status_line = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let fields: Vec<_> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        })
        .collect();
    let mut answer = Answer { status, fields, body, whole: clean };
    if answer.field("transfer-encoding").is_some() {
        let (body, whole) = unchunked(&answer.body);
        (answer.body, answer.whole) = (body, clean && whole);
    } else if let Some(length) = answer.field("content-length")
        && !is_head
    {
        answer.whole = clean && length == answer.body.len().to_string();
    }
    answer
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n")
}

fn unchunked(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&body[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(size) = size else { break };
        if size == 0 {
            return (whole, true);
        }
        let from = end + 2;
        let Some(chunk) = body.get(from..from + size) else { break };
        whole.extend_from_slice(chunk);
        body = body.get(from + size + 2..).unwrap_or_default();
    }
    (whole, false)
}
