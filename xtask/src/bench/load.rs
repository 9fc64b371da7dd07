//! A small generator of load: keep-alive connections, one request at a time on each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::stop;

const CONNECTIONS: usize = 4;

/// One request, as it goes over the wire, and what its answer must be.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: &'static str,
    /// Lines, each with its line break.
    pub(crate) fields: String,
    /// What the answer must contain in its head, in lower case.
    pub(crate) expect: &'static str,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        format!("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", self.target, self.fields).into_bytes()
    }

    pub(crate) fn with(&self, line: &str) -> Self {
        Self { fields: format!("{}{line}\r\n", self.fields), expect: "", ..self.clone() }
    }
}

/// Sends `count` requests, several at once. Every answer is read whole and must be 200 and as expected.
pub(crate) fn send(port: u16, request: &Request, count: u64) -> Result<()> {
    let left = AtomicU64::new(count);
    thread::scope(|scope| {
        let connections: Vec<_> = (0..CONNECTIONS.min(count as usize))
            .map(|_| scope.spawn(|| connection(port, request, &left)))
            .collect();
        for connection in connections {
            match connection.join() {
                Ok(done) => done?,
                Err(_) => bail!("the generator failed"),
            }
        }
        Ok(())
    })
}

fn connection(port: u16, request: &Request, left: &AtomicU64) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let bytes = request.bytes();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        if stop::requested() {
            bail!("stopped");
        }
        stream.write_all(&bytes)?;
        let (head, body) = answer(&mut reader)?;
        if !head.starts_with("http/1.1 200") || !head.contains(request.expect) {
            bail!(
                "{} was answered otherwise than expected ({}):\n{head}{body}",
                request.target,
                request.expect
            );
        }
    }
    Ok(())
}

/// The head in lower case, and the beginning of the body.
fn answer(reader: &mut BufReader<TcpStream>) -> Result<(String, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).context("no answer")? == 0 {
            bail!("the connection was closed");
        }
    }
    head.make_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let mut body = Vec::new();
    if let Some(length) = field("content-length:") {
        body.resize(length.parse().context("no length")?, 0);
        reader.read_exact(&mut body)?;
    } else if field("transfer-encoding:").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).context("no chunk")?;
            let start = body.len();
            body.resize(start + size + 2, 0);
            reader.read_exact(&mut body[start..])?;
            body.truncate(start + size);
            if size == 0 {
                break;
            }
        }
    }
    body.truncate(500);
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}
