//! Lines that end with CR LF, in pieces of any size.

use super::Fault;

/// What has been read of a line that is not complete, between two pieces.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    /// The line is longer than what is kept of it.
    is_cut: bool,
    /// The last byte was a CR.
    after_cr: bool,
    /// The line has been handed out: the next one begins.
    is_over: bool,
}

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    /// More of it is not kept.
    pub(super) is_cut: bool,
}

impl Lines {
    /// The next line, and how many of `bytes` it took. At least `keep` bytes of a line are kept; in the usual case, where it
    /// lies within `bytes`, all, and nothing is copied.
    ///
    /// # Errors
    /// At a CR or LF that is not part of a line's end, or a NUL, with how many bytes come before.
    pub(super) fn next<'a>(
        &'a mut self,
        bytes: &'a [u8],
        keep: usize,
    ) -> Result<(usize, Option<Line<'a>>), (usize, Fault)> {
        if self.is_over {
            *self = Self { partial: std::mem::take(&mut self.partial), ..Self::default() };
            self.partial.clear();
        }
        if self.after_cr {
            return match bytes.first() {
                None => Ok((0, None)),
                Some(b'\n') => Ok((1, Some(self.kept()))),
                Some(_) => Err((0, Fault::BareCarriageReturn)),
            };
        }
        let Some(end) = memchr::memchr3(b'\r', b'\n', 0, bytes) else {
            self.keep(bytes, keep);
            return Ok((bytes.len(), None));
        };
        match (bytes[end], bytes.get(end + 1)) {
            (b'\r', Some(b'\n')) if self.partial.is_empty() => {
                self.is_over = true;
                Ok((end + 2, Some(Line { bytes: &bytes[..end], is_cut: false })))
            }
            (b'\r', Some(b'\n')) => {
                self.keep(&bytes[..end], keep);
                Ok((end + 2, Some(self.kept())))
            }
            (b'\r', None) => {
                self.keep(&bytes[..end], keep);
                self.after_cr = true;
                Ok((bytes.len(), None))
            }
            (b'\r', Some(_)) => Err((end, Fault::BareCarriageReturn)),
            (b'\n', _) => Err((end, Fault::BareLineFeed)),
            _ => Err((end, Fault::Nul)),
        }
    }

    fn keep(&mut self, bytes: &[u8], most: usize) {
        let room = most.saturating_sub(self.partial.len()).min(bytes.len());
        self.partial.extend_from_slice(&bytes[..room]);
        self.is_cut |= room < bytes.len();
    }

    fn kept(&mut self) -> Line<'_> {
        self.is_over = true;
        Line { bytes: &self.partial, is_cut: self.is_cut }
    }

    /// Nothing of a line has been read.
    pub(super) fn is_between(&self) -> bool {
        self.is_over || (self.partial.is_empty() && !self.after_cr && !self.is_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines of `text`, read in pieces that end where `cuts` say.
    fn read(pieces: &[&[u8]], keep: usize) -> Result<Vec<(Vec<u8>, bool)>, Fault> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (used, line) = lines.next(rest, keep).map_err(|(_, fault)| fault)?;
                if let Some(line) = line {
                    out.push((line.bytes.to_vec(), line.is_cut));
                }
                rest = &rest[used..];
            }
        }
        assert!(lines.is_between());
        Ok(out)
    }

    #[test]
    fn every_split_gives_the_same_lines() {
        let text = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nx\r\n";
        let whole = read(&[text], 100).unwrap();
        assert_eq!(whole.len(), 4);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(read(&pieces, 100).unwrap(), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_long_line_is_cut_where_it_must_be_kept() {
        assert_eq!(read(&[b"abcdef", b"gh\r\n"], 4).unwrap(), [(b"abcd".to_vec(), true)]);
        assert_eq!(read(&[b"abcdefgh\r\n"], 4).unwrap(), [(b"abcdefgh".to_vec(), false)]);
    }

    #[test]
    fn what_ends_no_line_is_found_at_every_split() {
        for (text, fault) in [
            (&b"a\nb\r\n"[..], Fault::BareLineFeed),
            (b"\n", Fault::BareLineFeed),
            (b"a\rb\r\n", Fault::BareCarriageReturn),
            (b"a\r\rb\r\n", Fault::BareCarriageReturn),
            (b"a\0b\r\n", Fault::Nul),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(read(&[&text[..cut], &text[cut..]], 9), Err(fault), "{text:?} {cut}");
            }
        }
    }
}
