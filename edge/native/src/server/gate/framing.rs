//! Where a request's body ends (RFC 9112, section 6).

use super::Fault;
use super::lines::Line;

/// The body that follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// So many bytes; none where the head says nothing.
    Length(u64),
    Chunked,
}

/// Bytes of a field line that are enough to read what is read here.
pub(super) const KEEP: usize = 256;

/// What the lines of one head say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    is_http_10: bool,
    length: Option<u64>,
    codings: Codings,
    upgrade: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Codings {
    #[default]
    None,
    Chunked,
    /// Others, and `chunked` has not come yet.
    Others,
    /// Others, then `chunked`.
    OthersChunked,
    /// Something after `chunked`.
    Wrong,
}

impl Framing {
    pub(super) fn request_line(&mut self, line: &[u8]) {
        self.is_http_10 = line.ends_with(b" HTTP/1.0");
        self.upgrade = line.starts_with(b"CONNECT ");
    }

    /// Takes note of a field line. Most are of no interest, and their first byte tells.
    pub(super) fn field(&mut self, line: Line<'_>) -> Result<(), Fault> {
        match line.bytes.first().map(u8::to_ascii_lowercase) {
            Some(b' ' | b'\t') => return Err(Fault::FoldedLine),
            Some(b'c') => {
                if let Some(value) = value(line.bytes, b"content-length:") {
                    let length = number(line, value).ok_or(Fault::Length)?;
                    if self.length.replace(length).is_some_and(|before| before != length) {
                        return Err(Fault::Lengths);
                    }
                }
            }
            Some(b't') => {
                if let Some(value) = value(line.bytes, b"transfer-encoding:") {
                    if line.is_cut {
                        return Err(Fault::UnknownCoding);
                    }
                    self.codings(value);
                }
            }
            Some(b'u') => self.upgrade |= value(line.bytes, b"upgrade:").is_some(),
            _ => {}
        }
        Ok(())
    }

    fn codings(&mut self, list: &[u8]) {
        for coding in list.split(|byte| *byte == b',') {
            let is_chunked = coding.trim_ascii().eq_ignore_ascii_case(b"chunked");
            self.codings = match (self.codings, is_chunked) {
                (Codings::None, true) => Codings::Chunked,
                (Codings::Others, true) => Codings::OthersChunked,
                (Codings::None | Codings::Others, false) => Codings::Others,
                _ => Codings::Wrong,
            };
        }
    }

    /// At the end of the head: the body that follows.
    pub(super) fn content(&self) -> Result<Content, Fault> {
        match (self.codings, self.length) {
            (Codings::None, length) => Ok(Content::Length(length.unwrap_or(0))),
            _ if self.is_http_10 => Err(Fault::CodingInOldVersion),
            (_, Some(_)) => Err(Fault::LengthAndCoding),
            (Codings::Chunked, None) => Ok(Content::Chunked),
            (Codings::OthersChunked, None) => Err(Fault::UnknownCoding),
            (Codings::Others | Codings::Wrong, None) => Err(Fault::Coding),
        }
    }

    /// Whether what follows may be no HTTP, if the answer says so (RFC 9110, sections 7.8 and 9.3.6).
    pub(super) fn may_switch(&self) -> bool {
        self.upgrade && !self.is_http_10
    }
}

/// The value of a line with this name. A space before the colon is refused by the parser behind.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| rest.trim_ascii())
}

fn number(line: Line<'_>, value: &[u8]) -> Option<u64> {
    if line.is_cut || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // hyper counts so far.
    std::str::from_utf8(value).ok()?.parse().ok().filter(|length| *length < u64::MAX - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(start: &str, fields: &[&str]) -> Result<Content, Fault> {
        let mut framing = Framing::default();
        framing.request_line(start.as_bytes());
        for field in fields {
            framing.field(Line { bytes: field.as_bytes(), is_cut: false })?;
        }
        framing.content()
    }

    const POST: &str = "POST / HTTP/1.1";

    #[test]
    fn where_a_body_ends() {
        assert_eq!(content(POST, &[]), Ok(Content::Length(0)));
        assert_eq!(content(POST, &["CONTENT-length:\t7 "]), Ok(Content::Length(7)));
        assert_eq!(content(POST, &["content-length: 7", "content-length:7"]), Ok(Content::Length(7)));
        assert_eq!(content(POST, &["Transfer-Encoding: Chunked"]), Ok(Content::Chunked));
        assert_eq!(content(POST, &["content-lengths: x", "te: trailers", "x: 1"]), Ok(Content::Length(0)));
        assert_eq!(content("GET / HTTP/1.0", &["content-length: 7"]), Ok(Content::Length(7)));
    }

    #[test]
    fn what_disagrees_is_refused() {
        let both = ["content-length: 3", "transfer-encoding: chunked"];
        assert_eq!(content(POST, &both), Err(Fault::LengthAndCoding));
        assert_eq!(content(POST, &[both[1], both[0]]), Err(Fault::LengthAndCoding));
        assert_eq!(content(POST, &["content-length: 3", "content-length: 4"]), Err(Fault::Lengths));
        for wrong in ["", "x", "-1", "+1", "1 1", "1, 1", "0x1", "1.0", "99999999999999999999"] {
            assert_eq!(content(POST, &[&format!("content-length: {wrong}")]), Err(Fault::Length), "{wrong}");
        }
        for (codings, fault) in [
            ("gzip", Fault::Coding),
            ("chunked, gzip", Fault::Coding),
            ("chunked, chunked", Fault::Coding),
            ("", Fault::Coding),
            ("chunked,", Fault::Coding),
            ("xchunked", Fault::Coding),
            ("gzip, chunked", Fault::UnknownCoding),
        ] {
            assert_eq!(content(POST, &[&format!("transfer-encoding: {codings}")]), Err(fault), "{codings}");
        }
        let twice = ["transfer-encoding: chunked", "transfer-encoding: chunked"];
        assert_eq!(content(POST, &twice), Err(Fault::Coding));
        assert_eq!(content("POST / HTTP/1.0", &twice[..1]), Err(Fault::CodingInOldVersion));
        assert_eq!(content(POST, &["x: 1", " y"]), Err(Fault::FoldedLine));
    }

    #[test]
    fn what_follows_may_be_something_else() {
        let may_switch = |start: &str, field: &str| {
            let mut framing = Framing::default();
            framing.request_line(start.as_bytes());
            framing.field(Line { bytes: field.as_bytes(), is_cut: false }).unwrap();
            framing.may_switch()
        };
        assert!(may_switch("GET / HTTP/1.1", "Upgrade: websocket"));
        assert!(may_switch("CONNECT a:1 HTTP/1.1", "x: y"));
        assert!(!may_switch("GET / HTTP/1.0", "upgrade: websocket"));
        assert!(!may_switch("GET / HTTP/1.1", "upgrade-insecure-requests: 1"));
    }
}
