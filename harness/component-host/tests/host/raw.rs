//! A client that sends what it is told, byte by byte, and tells whether what it gets is whole.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::PATIENCE;

pub(crate) struct Raw(TcpStream);

/// What came before the connection ended.
#[derive(Debug)]
pub(crate) struct Got {
    /// Zero where nothing came.
    pub(crate) status: u16,
    /// The head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
    /// Whether the body ended as its framing says.
    pub(crate) is_whole: bool,
}

impl Got {
    /// The first line of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Raw {
    pub(crate) async fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("a connection");
        Self(stream)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("sent");
    }

    /// Reads until the head has come, and no further than that read.
    pub(crate) async fn head(&mut self) -> String {
        let mut read = Vec::new();
        while !read.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut buffer = [0; 512];
            let size = timeout(PATIENCE, self.0.read(&mut buffer)).await.expect("in time").expect("read");
            assert_ne!(size, 0, "closed after {:?}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&buffer[..size]);
        }
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Whether the other side has ended the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 4 << 10];
        loop {
            match self.0.try_read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Sends so many bytes for as long as they are taken, and reads to the end of the connection.
    pub(crate) async fn send_and_rest(self, size: usize) -> Got {
        let (mut reader, mut writer) = self.0.into_split();
        let sending = tokio::spawn(async move {
            let part = [b'x'; 16 << 10];
            let mut left = size;
            while left > 0 && writer.write_all(&part[..left.min(part.len())]).await.is_ok() {
                left = left.saturating_sub(part.len());
            }
            writer
        });
        let mut read = Vec::new();
        // A reset is an end as well.
        let _ = timeout(PATIENCE, reader.read_to_end(&mut read)).await.expect("in time");
        sending.abort();
        parse(&read)
    }

    /// Reads to the end of the connection.
    pub(crate) async fn rest(mut self) -> Got {
        let mut read = Vec::new();
        // A reset is an end as well.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut read)).await.expect("in time");
        parse(&read)
    }
}

/// One request on a connection of its own. It must ask for the connection's end.
pub(crate) async fn exchange(url: &str, request: impl AsRef<[u8]>) -> Got {
    let mut raw = Raw::connect(url).await;
    raw.send(request).await;
    raw.rest().await
}

/// A GET without more.
pub(crate) async fn get(url: &str, path: &str) -> Got {
    exchange(url, format!("GET {path} HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n\r\n")).await
}

fn parse(bytes: &[u8]) -> Got {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        return Got { status: 0, head: text, body: String::new(), is_whole: false };
    };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut got = Got { status, head: head.to_ascii_lowercase(), body: rest.to_owned(), is_whole: false };
    if got.field("transfer-encoding").is_some() {
        (got.body, got.is_whole) = unchunked(rest);
    } else {
        let length = got.field("content-length").map(|length| length.parse::<usize>().expect("a length"));
        got.is_whole = length.is_none_or(|length| length == rest.len());
    }
    got
}

fn unchunked(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        if size == 0 {
            return (body, after == "\r\n");
        }
        body.push_str(after.get(..size).unwrap_or(after));
        let Some(after) = after.get(size + 2..) else { break };
        rest = after;
    }
    (body, false)
}
