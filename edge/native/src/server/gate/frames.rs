//! HTTP/2's frames (RFC 9113, section 4), read for what the server must keep of them before anyone sees it.

use std::io::{self, ErrorKind};

use crate::body::{Intake, TINY};

/// What follows `PRI * HTTP/2.0` and its line's end.
const PREFACE: usize = b"\r\nSM\r\n\r\n".len();

const HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Frames with tiny data that may wait to be read, on one connection.
const MOST_TINY: usize = 4 << 10;

/// Where in a connection's frames the bytes have come to.
#[derive(Debug)]
pub(super) struct Frames {
    preface: usize,
    header: [u8; HEADER],
    /// Bytes of the header that are there.
    has: usize,
    /// Bytes of the payload that are still to come, and that are there.
    left: usize,
    came: usize,
    /// How much of the payload is no data, but for the byte that says so.
    padding: usize,
    /// Bytes of a field section that is not complete (RFC 9113, section 4.3).
    section: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { preface: PREFACE, header: [0; HEADER], has: 0, left: 0, came: 0, padding: 0, section: 0 }
    }
}

impl Frames {
    /// Bytes that are kept until a frame or a field section is complete.
    pub(super) fn incomplete(&self) -> usize {
        self.section + self.came
    }

    /// Reads on.
    ///
    /// # Errors
    /// The connection must end: it floods.
    pub(super) fn read(&mut self, bytes: &[u8], intake: &Intake) -> io::Result<()> {
        let skipped = self.preface.min(bytes.len());
        self.preface -= skipped;
        let mut rest = &bytes[skipped..];
        while !rest.is_empty() {
            if self.has < HEADER {
                let (now, later) = rest.split_at(rest.len().min(HEADER - self.has));
                self.header[self.has..self.has + now.len()].copy_from_slice(now);
                self.has += now.len();
                rest = later;
                if self.has < HEADER {
                    break;
                }
                let [a, b, c, ..] = self.header;
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            }
            let is_padded = self.header[3] == DATA && self.header[4] & PADDED != 0;
            if let (true, 0, Some(padding)) = (is_padded, self.came, rest.first()) {
                self.padding = 1 + usize::from(*padding);
            }
            let now = self.left.min(rest.len());
            self.left -= now;
            self.came += now;
            rest = &rest[now..];
            if self.left == 0 {
                self.end(intake)?;
            }
        }
        Ok(())
    }

    /// A frame is complete.
    fn end(&mut self, intake: &Intake) -> io::Result<()> {
        let [_, _, _, kind, flags, ..] = self.header;
        let size = std::mem::take(&mut self.came);
        let data = size.saturating_sub(std::mem::take(&mut self.padding));
        self.has = 0;
        match kind {
            HEADERS | CONTINUATION if flags & END_HEADERS == 0 => self.section += size,
            HEADERS | CONTINUATION => self.section = 0,
            DATA if (1..TINY).contains(&data) && intake.came() > MOST_TINY => {
                return Err(io::Error::new(ErrorKind::InvalidData, "too many frames with hardly any data"));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let size = u32::try_from(payload).unwrap().to_be_bytes();
        [&size[1..], &[kind, flags, 0, 0, 0, 1], &vec![7; payload]].concat()
    }

    #[test]
    fn what_is_incomplete_is_counted_at_every_split() {
        let sent =
            [b"\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 6), frame(HEADERS, 0, 40), frame(CONTINUATION, 0, 30)];
        let text = sent.concat();
        for cut in 0..=text.len() {
            let (mut frames, intake) = (Frames::default(), Intake::default());
            frames.read(&text[..cut], &intake).unwrap();
            frames.read(&text[cut..], &intake).unwrap();
            assert_eq!(frames.incomplete(), 70, "{cut}");
            frames.read(&frame(CONTINUATION, END_HEADERS, 9), &intake).unwrap();
            frames.read(&frame(DATA, 0, 5_000)[..4_009], &intake).unwrap();
            assert_eq!(frames.incomplete(), 4_000, "{cut}");
        }
    }

    #[test]
    fn tiny_data_is_bounded() {
        let (mut frames, intake) = (Frames { preface: 0, ..Frames::default() }, Intake::default());
        let flood = frame(DATA, 0, 1);
        assert!((0..MOST_TINY).all(|_| frames.read(&flood, &intake).is_ok()));
        assert!(frames.read(&frame(DATA, 0, 1_000), &intake).is_ok());
        assert!(frames.read(&frame(4, 0, 6), &intake).is_ok());
        let padded = [&[0, 1, 1, DATA, PADDED, 0, 0, 0, 1, 255][..], &[0; 256]].concat();
        for flood in [flood, padded] {
            let mut frames = Frames { preface: 0, ..Frames::default() };
            assert!(frames.read(&flood, &intake).is_err());
        }
    }
}
