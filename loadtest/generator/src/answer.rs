//! Reading one HTTP/1.1 response out of what has arrived.

use anyhow::{Context as _, Result, bail};

/// Most fields of a response that are read.
const FIELDS: usize = 64;

/// A whole response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: Body<'a>,
    /// Bytes that it took.
    pub(crate) length: usize,
    /// The server ends the connection after it.
    pub(crate) closes: bool,
}

/// A body as it stands in the buffer, or put together from its chunks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    Whole(&'a [u8]),
    Chunks(Vec<u8>),
}

impl Body<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Chunks(bytes) => bytes,
        }
    }
}

/// Reads a response to GET from the beginning of `bytes`. `None`: there is more to come.
///
/// # Errors
/// What is no HTTP/1.1 response, or has a body whose end only the connection's end would show.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Answer<'_>>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let head = match response.parse(bytes).context("no HTTP response")? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let status = response.code.unwrap_or_default();
    let (mut length, mut chunked, mut closes) = (None, false, response.version == Some(0));
    for field in response.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let value = std::str::from_utf8(field.value).ok().and_then(|value| value.trim().parse().ok());
            length = Some(value.context("a Content-Length that is no number")?);
        } else if is("transfer-encoding") {
            chunked = field.value.eq_ignore_ascii_case(b"chunked");
        } else if is("connection") {
            closes = field.value.eq_ignore_ascii_case(b"close");
        }
    }
    let rest = &bytes[head..];
    if chunked {
        return Ok(chunks(rest)?.map(|(body, taken)| Answer {
            status,
            body: Body::Chunks(body),
            length: head + taken,
            closes,
        }));
    }
    let length: usize = match length {
        Some(length) => length,
        None if matches!(status, 204 | 304) => 0,
        None => bail!("a response without a length"),
    };
    Ok(rest.get(..length).map(|body| Answer {
        status,
        body: Body::Whole(body),
        length: head + length,
        closes,
    }))
}

/// The body of all chunks, and how many bytes they took. Trailers are not expected.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (start, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete((start, size))) => (at + start, usize::try_from(size)?),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => bail!("a chunk without a size"),
        };
        // Each chunk ends with a line break, the last one too.
        let Some(chunk) = bytes.get(start..start + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            bail!("a chunk that does not end where it should");
        }
        body.extend_from_slice(&chunk[..size]);
        at = start + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_only_at_its_end() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP";
        for end in 0..text.len() - 4 {
            assert_eq!(read(&text[..end]).expect("readable"), None, "{end}");
        }
        let answer = read(text).expect("readable").expect("whole");
        assert_eq!((answer.status, answer.body.bytes(), answer.length), (200, &b"abc"[..], text.len() - 4));
        assert!(!answer.closes);
    }

    #[test]
    fn chunks_are_put_together() {
        let text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(read(&text[..end]).expect("readable"), None, "{end}");
        }
        let answer = read(text).expect("readable").expect("whole");
        assert_eq!((answer.body.bytes(), answer.length, answer.closes), (&b"abc"[..], text.len(), true));
    }

    #[test]
    fn what_has_no_end_of_its_own_is_refused() {
        assert!(read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
