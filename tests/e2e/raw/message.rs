//! Reads messages as RFC 9112 frames them, strictly, and says how each of them ended.

use std::io;

use anyhow::{Result, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How a message says where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framed {
    /// No body, by its status or its method.
    Nothing,
    Length(u64),
    Chunked,
    /// By the end of the connection.
    Close,
}

/// Start line and field lines, each byte a character.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) start: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let fields = lines.filter(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self { start, fields: fields.collect() }
    }

    /// A field's lines, joined; empty where there is none.
    pub(super) fn field(&self, name: &str) -> String {
        let lines = self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
        lines.collect::<Vec<_>>().join(", ")
    }

    /// What the fields say; `None` where they say nothing. A message that says it twice is refused: that is what lets one
    /// message pass for two.
    pub(super) fn framed(&self) -> Result<Option<Framed>> {
        let (length, coding) = (self.field("content-length"), self.field("transfer-encoding"));
        ensure!(length.is_empty() || coding.is_empty(), "two framings: {self:?}");
        if coding.is_empty() && length.is_empty() {
            return Ok(None);
        }
        if coding.is_empty() {
            return Ok(Some(Framed::Length(length.parse()?)));
        }
        ensure!(coding.eq_ignore_ascii_case("chunked"), "a coding that nobody asked for: {self:?}");
        Ok(Some(Framed::Chunked))
    }
}

/// What comes on a connection.
#[derive(Debug)]
pub(super) struct Reader {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Reader {
    /// The two directions of a connection.
    pub(super) fn of(stream: TcpStream) -> io::Result<(Self, OwnedWriteHalf)> {
        stream.set_nodelay(true)?;
        let (stream, writer) = stream.into_split();
        Ok((Self { stream, buffer: Vec::new() }, writer))
    }

    /// Whether more has come. A connection that is reset has ended like one that is closed.
    pub(super) async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.is_ok_and(|read| read > 0)
    }

    /// What has come and was not read.
    pub(super) fn rest(&self) -> Option<String> {
        (!self.buffer.is_empty()).then(|| self.buffer.escape_ascii().to_string())
    }

    /// The next head; `None` where the connection ends before it does.
    pub(super) async fn head(&mut self) -> Option<Head> {
        let line = self.until(b"\r\n\r\n").await?;
        Some(Head::parse(&line))
    }

    /// A body, and whether it came to its end.
    pub(super) async fn body(&mut self, framed: Framed) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        let whole = match framed {
            Framed::Nothing => true,
            Framed::Length(length) => self.take(length, &mut body).await,
            Framed::Chunked => self.chunks(&mut body).await,
            Framed::Close => {
                let mut failed = false;
                loop {
                    body.append(&mut self.buffer);
                    match self.stream.read_buf(&mut self.buffer).await {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(_) => {
                            failed = true;
                            break;
                        }
                    }
                }
                !failed
            }
        };
        (body, whole)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(line) = self.until(b"\r\n").await else { return false };
            let size = String::from_utf8_lossy(&line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let Ok(size) = u64::from_str_radix(size, 16) else { return false };
            if size == 0 {
                break;
            }
            if !self.take(size, body).await || self.until(b"\r\n").await.is_none_or(|rest| !rest.is_empty()) {
                return false;
            }
        }
        // Trailers end with an empty line.
        loop {
            match self.until(b"\r\n").await {
                Some(line) if line.is_empty() => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// What stands before `end`, which is taken as well.
    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut from = 0;
        loop {
            if let Some(at) = self.buffer[from..].windows(end.len()).position(|window| window == end) {
                let mut line: Vec<u8> = self.buffer.drain(..from + at + end.len()).collect();
                line.truncate(from + at);
                return Some(line);
            }
            from = self.buffer.len().saturating_sub(end.len() - 1);
            if !self.more().await {
                return None;
            }
        }
    }

    async fn take(&mut self, mut length: u64, into: &mut Vec<u8>) -> bool {
        while length > 0 {
            if self.buffer.is_empty() && !self.more().await {
                return false;
            }
            let here = usize::try_from(length).unwrap_or(usize::MAX).min(self.buffer.len());
            into.extend(self.buffer.drain(..here));
            length -= here as u64;
        }
        true
    }
}
