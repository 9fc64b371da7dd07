//! Just enough HTTP/1.1 to send and to see what the definitions ask for, right or wrong: any status and reason, several lines
//! of one field, a length that is not the body's, 1xx answers. Text is Latin-1 on the wire, as the suite's own programs
//! have it (RFC 9110, section 5.5, `obs-text`).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// Bytes that the first line and the fields of a message may take together.
const MAX_HEAD: usize = 256 * 1024;

/// The first line of a message, and its fields, their names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub line: String,
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The lines of a field.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// How its body ends (RFC 9112, section 6.3), where it may have one. `else_`: how it ends where nothing is said.
    pub fn framing(&self, else_: Framing) -> Result<Framing, String> {
        let codings: Vec<&str> = self.lines("transfer-encoding").flat_map(|line| line.split(',')).collect();
        match codings.last() {
            Some(last) if last.trim().eq_ignore_ascii_case("chunked") => return Ok(Framing::Chunked),
            Some(_) => return Ok(Framing::Closed),
            None => {}
        }
        let mut lengths = self.lines("content-length");
        let Some(first) = lengths.next() else { return Ok(else_) };
        if lengths.any(|other| other != first) {
            return Err("it has several Content-Length fields".to_owned());
        }
        first.parse().map(Framing::Length).map_err(|_| format!("its Content-Length is \"{first}\""))
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
    /// With the connection.
    Closed,
}

/// Text as it goes over the wire; what Latin-1 lacks becomes `?`.
pub fn to_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

/// Reads a line without its end; `None` where the stream has ended.
async fn line(from: &mut (impl AsyncBufRead + Unpin), left: &mut usize) -> io::Result<Option<String>> {
    let mut read = Vec::new();
    let limit = u64::try_from(*left).unwrap_or(u64::MAX);
    if from.take(limit).read_until(b'\n', &mut read).await? == 0 {
        return Ok(None);
    }
    *left -= read.len();
    if read.pop() != Some(b'\n') {
        return Err(io::Error::other("a line was cut off or is too long"));
    }
    if read.last() == Some(&b'\r') {
        read.pop();
    }
    Ok(Some(from_latin1(&read)))
}

/// Reads up to the empty line; `None` where the stream ends before the message begins.
pub async fn read_head(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Head>> {
    let mut left = MAX_HEAD;
    let Some(first) = line(from, &mut left).await? else { return Ok(None) };
    let mut head = Head { line: first, fields: Vec::new() };
    loop {
        match line(from, &mut left).await? {
            None => return Err(io::Error::other("the connection was closed inside the fields")),
            Some(line) if line.is_empty() => return Ok(Some(head)),
            Some(line) => {
                let (name, value) =
                    line.split_once(':').ok_or_else(|| io::Error::other(format!("no field: {line}")))?;
                let value = value.trim_matches([' ', '\t']);
                head.fields.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
}

/// Reads a body to its end.
pub async fn read_body(from: &mut (impl AsyncBufRead + Unpin), framing: Framing) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    match framing {
        Framing::Closed => {
            from.read_to_end(&mut body).await?;
        }
        Framing::Length(length) => {
            body.resize(length, 0);
            from.read_exact(&mut body).await?;
        }
        Framing::Chunked => loop {
            let mut left = MAX_HEAD;
            let cut = || io::Error::other("the connection was closed inside the body");
            let size = line(from, &mut left).await?.ok_or_else(cut)?;
            let digits = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16)
                .map_err(|_| io::Error::other(format!("\"{size}\" is no chunk's size")))?;
            if size == 0 {
                // Trailers, up to the empty line.
                while !line(from, &mut left).await?.ok_or_else(cut)?.is_empty() {}
                break;
            }
            let start = body.len();
            body.resize(start + size, 0);
            from.read_exact(&mut body[start..]).await?;
            line(from, &mut left).await?;
        },
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
    }

    #[test]
    fn a_message_is_read_as_it_was_sent() {
        let mut wire: &[u8] =
            b"HTTP/1.1 999 Not a status\r\nETag: \"\xfc\"\r\nA: 1\r\na:2 \r\nTransfer-Encoding: \
            chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: 1\r\n\r\nrest";
        runtime().block_on(async {
            let head = read_head(&mut wire).await.expect("readable").expect("there");
            assert_eq!(head.line, "HTTP/1.1 999 Not a status");
            assert_eq!(head.lines("etag").collect::<Vec<_>>(), ["\"ü\""]);
            assert_eq!(head.lines("a").collect::<Vec<_>>(), ["1", "2"]);
            let framing = head.framing(Framing::Closed).expect("one way to end");
            assert_eq!(read_body(&mut wire, framing).await.expect("a body"), b"abcd");
            assert_eq!(wire, b"rest");
        });
        assert_eq!(to_latin1("\"ü\""), b"\"\xfc\"");
    }

    #[test]
    fn where_a_body_ends() {
        let head = |fields: &[(&str, &str)]| Head {
            line: String::new(),
            fields: fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let framing = |fields: &[(&str, &str)]| head(fields).framing(Framing::Length(0));
        assert_eq!(framing(&[]), Ok(Framing::Length(0)));
        assert_eq!(framing(&[("content-length", "10")]), Ok(Framing::Length(10)));
        assert_eq!(framing(&[("transfer-encoding", "unknown")]), Ok(Framing::Closed));
        assert_eq!(
            framing(&[("content-length", "1"), ("transfer-encoding", "gzip, chunked")]),
            Ok(Framing::Chunked)
        );
        assert!(framing(&[("content-length", "1"), ("content-length", "2")]).is_err());
        assert!(framing(&[("content-length", "ten")]).is_err());
    }

    #[test]
    fn what_breaks_off_is_an_error() {
        runtime().block_on(async {
            assert_eq!(read_head(&mut &b""[..]).await.expect("an end"), None);
            assert!(read_head(&mut &b"HTTP/1.1 200 OK\r\nA: 1"[..]).await.is_err());
            assert!(read_body(&mut &b"abc"[..], Framing::Length(4)).await.is_err());
            assert!(read_body(&mut &b"3\r\nab"[..], Framing::Chunked).await.is_err());
        });
    }
}
