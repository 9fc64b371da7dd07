use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a probe waits for each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether an HTTP server answers a GET of this `http://` URL, whatever the status.
pub fn answers(url: &str) -> bool {
    get(url).is_some()
}

/// Whether something takes connections at the host and port of this `http://` URL.
pub(crate) fn listens(url: &str) -> bool {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let address = authority.and_then(|authority| authority.to_socket_addrs().ok()?.next());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}

/// GETs an `http://` URL and returns status and body (at most 1 MiB); `None` when there is no whole answer.
///
/// Just enough of HTTP to ask a process of ours whether it is there; not a client for tests.
pub fn get(url: &str) -> Option<(u16, String)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let with_port = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let address = with_port.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    // HTTP/1.0, so that the body ends with the connection and is not chunked.
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    // In one piece: who answers the first bytes and closes would reset the connection under the rest.
    stream.write_all(request.as_bytes()).ok()?;
    let mut reader = BufReader::new(stream.take(1024 * 1024));
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let status = line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim().parse().ok()?;
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).ok()?;
    let rest = String::from_utf8_lossy(&rest);
    let body = rest.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, body.to_owned()))
}
