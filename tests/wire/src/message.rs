//! HTTP/1.1 messages as a strict reader takes them (RFC 9112): what an edge sends has to be clear to everyone.

use std::io;

use crate::wire::Wire;

/// Most bytes of a head.
const HEAD: usize = 128 << 10;

/// A head: its first line, and its fields in order, names in lower case, values as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub line: String,
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// How the content is framed. `otherwise`: where no field says it.
    pub fn framing(&self, otherwise: Framing) -> Result<Framing, String> {
        let lengths: Vec<&str> = self.all("content-length").collect();
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        match (&codings[..], &lengths[..]) {
            ([], []) => Ok(otherwise),
            ([], [length]) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map(Framing::Length).map_err(|_| format!("Content-Length: {length}"))
            }
            ([], many) => Err(format!("Content-Length: {many:?}")),
            ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            (codings, []) => Err(format!("Transfer-Encoding: {codings:?}")),
            _ => Err("both Content-Length and Transfer-Encoding".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
    /// It ends with the connection.
    Close,
}

/// How a message's content ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Whole,
    /// The connection ended or broke before.
    Broken,
    /// It is no HTTP.
    Malformed(String),
}

/// What came in place of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHead {
    /// The connection ended before its first byte.
    Closed,
    /// It ended or broke within.
    Broken,
    Malformed(String),
}

/// Reads one head.
pub async fn read_head(wire: &Wire) -> Result<Head, NoHead> {
    loop {
        if let Some((head, length)) = wire.with(parse).map_err(NoHead::Malformed)? {
            wire.take(length);
            return Ok(head);
        }
        let read = wire.fill().await;
        if !matches!(read, Ok(1..)) {
            let nothing = wire.with(<[u8]>::is_empty);
            return Err(match read {
                Ok(_) if nothing => NoHead::Closed,
                Err(ref error) if nothing && is_reset(error) => NoHead::Closed,
                _ => NoHead::Broken,
            });
        }
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > HEAD { Err("a head without an end".to_owned()) } else { Ok(None) };
    };
    let mut lines = bytes[..end].split(|&byte| byte == b'\n');
    let mut next = || -> Option<Result<String, String>> {
        let line = lines.next()?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&b'\r') || line.contains(&0) {
            return Some(Err(format!("a control character in \"{}\"", line.escape_ascii())));
        }
        Some(Ok(line.iter().map(|&byte| char::from(byte)).collect()))
    };
    let mut head = Head { line: next().transpose()?.unwrap_or_default(), fields: Vec::new() };
    // A bare LF would have split a line that was meant as one.
    let lf = bytes[..end].iter().filter(|&&byte| byte == b'\n').count();
    let crlf = bytes[..end].windows(2).filter(|two| two == b"\r\n").count();
    if lf != crlf {
        return Err("a bare LF in a head".to_owned());
    }
    while let Some(line) = next().transpose()? {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("a field without colon: {line:?}"))?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("the field name {name:?}"));
        }
        head.fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
    Ok(Some((head, end + 4)))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads content, at most `most` bytes of it (then it counts as broken, by the reader).
pub async fn read_content(wire: &Wire, framing: Framing, most: usize) -> (Vec<u8>, Ended) {
    let mut content = Vec::new();
    let ended = match framing {
        Framing::Length(length) => read_length(wire, length, most, &mut content).await,
        Framing::Close => read_to_close(wire, most, &mut content).await,
        Framing::Chunked => match read_chunks(wire, most, &mut content).await {
            Ok(()) => Ended::Whole,
            Err(ended) => ended,
        },
    };
    (content, ended)
}

async fn read_length(wire: &Wire, length: usize, most: usize, content: &mut Vec<u8>) -> Ended {
    loop {
        content.extend(wire.take(length - content.len()));
        if content.len() == length {
            return Ended::Whole;
        }
        if content.len() > most || !matches!(wire.fill().await, Ok(1..)) {
            return Ended::Broken;
        }
    }
}

async fn read_to_close(wire: &Wire, most: usize, content: &mut Vec<u8>) -> Ended {
    loop {
        content.extend(wire.take(usize::MAX));
        if content.len() > most {
            return Ended::Broken;
        }
        match wire.fill().await {
            Ok(0) => return Ended::Whole,
            Ok(_) => {}
            Err(_) => return Ended::Broken,
        }
    }
}

async fn read_chunks(wire: &Wire, most: usize, content: &mut Vec<u8>) -> Result<(), Ended> {
    loop {
        let line = read_line(wire).await?;
        let digits = line.split([';', ' ', '\t']).next().unwrap_or_default();
        let size = usize::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
        let size = size.ok_or_else(|| Ended::Malformed(format!("the chunk size {line:?}")))?;
        if size == 0 {
            break;
        }
        let before = content.len();
        while content.len() < before + size {
            content.extend(wire.take(before + size - content.len()));
            if content.len() > most {
                return Err(Ended::Broken);
            }
            if content.len() < before + size && !matches!(wire.fill().await, Ok(1..)) {
                return Err(Ended::Broken);
            }
        }
        let end = read_line(wire).await?;
        if !end.is_empty() {
            return Err(Ended::Malformed(format!("a chunk is followed by {end:?}")));
        }
    }
    // Trailers.
    while !read_line(wire).await?.is_empty() {}
    Ok(())
}

async fn read_line(wire: &Wire) -> Result<String, Ended> {
    loop {
        let end = wire.with(|bytes| bytes.windows(2).position(|two| two == b"\r\n"));
        if let Some(end) = end {
            let line = wire.take(end + 2);
            return Ok(line[..end].iter().map(|&byte| char::from(byte)).collect());
        }
        if wire.with(<[u8]>::len) > HEAD {
            return Err(Ended::Malformed("a line without an end".to_owned()));
        }
        if !matches!(wire.fill().await, Ok(1..)) {
            return Err(Ended::Broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<(Head, usize)>, String> {
        parse(text.as_bytes())
    }

    #[test]
    fn heads_are_read_strictly() {
        let (read, length) = head("HTTP/1.1 200 OK\r\nA: 1\r\nb:2 \r\n\r\nrest").unwrap().unwrap();
        assert_eq!(
            (read.line.as_str(), read.field("a"), read.field("b")),
            ("HTTP/1.1 200 OK", Some("1"), Some("2"))
        );
        assert_eq!(length, 31);
        assert_eq!(head("HTTP/1.1 200 OK\r\n").unwrap(), None);
        for wrong in
            ["X\r\nA : 1\r\n\r\n", "X\r\nA: 1\r\n b\r\n\r\n", "X\r\nA: 1\nB: 2\r\n\r\n", "X\r\nA\r\n\r\n"]
        {
            assert!(head(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn framing_that_is_not_clear_is_an_error() {
        let framing = |fields: &str| {
            let (read, _) = head(&format!("X\r\n{fields}\r\n")).unwrap().unwrap();
            read.framing(Framing::Close)
        };
        assert_eq!(framing(""), Ok(Framing::Close));
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        for wrong in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: 5, 5\r\n",
            "Transfer-Encoding: gzip\r\n",
        ] {
            assert!(framing(wrong).is_err(), "{wrong}");
        }
    }
}
