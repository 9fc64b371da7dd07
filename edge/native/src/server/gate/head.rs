//! The head of a request, read only for what a lenient parser would pass.

use super::Fault;
use super::framing::{Content, Framing, KEEP};
use super::lines::Lines;

/// Where in a head the bytes have come to.
#[derive(Debug, Default)]
pub(super) struct Head {
    lines: Lines,
    framing: Framing,
    has_request_line: bool,
    /// Bytes so far.
    size: usize,
}

/// What a head ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Content(Content),
    /// HTTP/2's preface has begun (RFC 9113, section 3.4).
    Http2,
}

impl Head {
    /// Bytes of a head that is not complete; empty lines before one are not counted (RFC 9112, section 2.2).
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the request's first byte is still to come.
    pub(super) fn is_ahead(&self) -> bool {
        !self.has_request_line && self.lines.is_between()
    }

    pub(super) fn may_switch(&self) -> bool {
        self.framing.may_switch()
    }

    /// Reads on. `Some` at the head's end, with how many bytes were left of it.
    ///
    /// # Errors
    /// The fault, and how many of `bytes` are well.
    pub(super) fn read(&mut self, bytes: &[u8], most: usize) -> Result<(usize, Option<End>), (usize, Fault)> {
        let mut at = 0;
        while at < bytes.len() {
            let keep = if self.has_request_line { KEEP } else { most };
            let (used, line) =
                self.lines.next(&bytes[at..], keep).map_err(|(before, fault)| (at + before, fault))?;
            let begins = at;
            at += used;
            self.size += used;
            if self.size > most {
                return Err((begins, Fault::HeadTooLarge));
            }
            let Some(line) = line else { continue };
            if !self.has_request_line {
                if line.bytes.is_empty() {
                    continue;
                }
                if line.bytes == b"PRI * HTTP/2.0" {
                    return Ok((at, Some(End::Http2)));
                }
                self.has_request_line = true;
                self.framing.request_line(line.bytes);
            } else if line.bytes.is_empty() {
                let content = self.framing.content().map_err(|fault| (begins, fault))?;
                return Ok((at, Some(End::Content(content))));
            } else {
                self.framing.field(line).map_err(|fault| (begins, fault))?;
            }
        }
        Ok((at, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<(usize, Option<End>), Fault> {
        let mut head = Head::default();
        let mut total = 0;
        for piece in pieces {
            let (used, end) = head.read(piece, 1_000).map_err(|(_, fault)| fault)?;
            total += used;
            if end.is_some() {
                return Ok((total, end));
            }
        }
        Ok((total, None))
    }

    #[test]
    fn a_head_ends_where_it_ends_at_every_split() {
        let text = b"\r\nPOST / HTTP/1.1\r\nhost: a\r\nContent-Length: 12\r\n\r\nGET";
        let head = text.len() - 3;
        for cut in 0..=text.len() {
            let got = read(&[&text[..cut], &text[cut..]]);
            assert_eq!(got, Ok((head, Some(End::Content(Content::Length(12))))), "{cut}");
        }
    }

    #[test]
    fn faults_are_found_at_every_split() {
        for (text, fault) in [
            (&b"GET / HTTP/1.1\nhost: a\r\n\r\n"[..], Fault::BareLineFeed),
            (b"GET / HTTP/1.1\r\nhost: a\n\r\n", Fault::BareLineFeed),
            (b"GET / HTTP/1.1\r\nhost: a\r\n\n", Fault::BareLineFeed),
            (b"\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", Fault::BareLineFeed),
            (b"GET / HTTP/1.1\r\nhost: a\rb: c\r\n\r\n", Fault::BareCarriageReturn),
            (b"GET / HTTP/1.1\r\nhost: a\0\r\n\r\n", Fault::Nul),
            (b"GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n", Fault::FoldedLine),
            (b"GET / HTTP/1.1\r\n host: a\r\n\r\n", Fault::FoldedLine),
            (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", Fault::CodingInOldVersion),
            (
                b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                Fault::LengthAndCoding,
            ),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(read(&[&text[..cut], &text[cut..]]), Err(fault), "{text:?} {cut}");
            }
        }
    }

    #[test]
    fn a_head_has_a_most() {
        let long = [&b"GET / HTTP/1.1\r\nx: "[..], &[b'y'; 1_000]].concat();
        assert_eq!(read(&[&long]), Err(Fault::HeadTooLarge));
        assert_eq!(read(&[&b"\r\n".repeat(501)]), Err(Fault::HeadTooLarge));
    }

    #[test]
    fn the_preface_is_known() {
        let text = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for cut in 0..=text.len() {
            assert_eq!(read(&[&text[..cut], &text[cut..]]), Ok((16, Some(End::Http2))), "{cut}");
        }
    }
}
