//! Marks: by them each byte that arrives says where it came from.

use std::fmt;
use std::ops::Range;

/// Of one message: the round, and a number within it. An origin's responses count from 0, requests of clients from
/// [`Mark::REQUESTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    pub round: u64,
    pub number: u16,
}

/// Bytes of `0123456789.abc`, as a mark is written.
const TEXT: usize = 14;
/// Bytes of a body that name their mark and where they stand in it.
pub(crate) const CELL: usize = 20;

impl Mark {
    pub const REQUESTS: u16 = 0x800;

    pub fn request(round: u64, client: usize, ask: usize) -> Self {
        Self { round, number: Self::REQUESTS | (client as u16 & 0x7f) << 4 | (ask as u16 & 0xf) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (round, number) = text.split_once('.')?;
        if round.len() != 10 || number.len() != 3 {
            return None;
        }
        Some(Self {
            round: u64::from_str_radix(round, 16).ok()?,
            number: u16::from_str_radix(number, 16).ok()?,
        })
    }

    /// The bytes that stand at `range` of a body with this mark.
    pub fn bytes(self, range: Range<usize>) -> Vec<u8> {
        let mut out = Vec::with_capacity(range.len() + 2 * CELL);
        let first = range.start / CELL;
        for cell in first..range.end.div_ceil(CELL) {
            out.extend_from_slice(self.to_string().as_bytes());
            out.extend_from_slice(format!(":{:04x}\n", cell & 0xffff).as_bytes());
        }
        out.drain(..range.start - first * CELL);
        out.truncate(range.len());
        out
    }

    /// Whether `bytes` stand at `offset` of a body with this mark; else the first byte that does not.
    pub fn check(self, offset: usize, bytes: &[u8]) -> Result<(), usize> {
        let wanted = self.bytes(offset..offset + bytes.len());
        match wanted.iter().zip(bytes).position(|(a, b)| a != b) {
            Some(at) => Err(offset + at),
            None => Ok(()),
        }
    }

    /// Every mark that is written somewhere in `bytes`, each once.
    pub fn all_in(bytes: &[u8]) -> Vec<Self> {
        let mut found = Vec::new();
        let mut at = 0;
        while at + TEXT <= bytes.len() {
            let here = &bytes[at..at + TEXT];
            if here[10] == b'.'
                && let Some(mark) = std::str::from_utf8(here).ok().and_then(Self::parse)
            {
                if !found.contains(&mark) {
                    found.push(mark);
                }
                at += TEXT;
            } else {
                at += 1;
            }
        }
        found
    }

    /// The entity tag of content with this mark.
    pub fn etag(self) -> String {
        format!("\"m-{self}\"")
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010x}.{:03x}", self.round, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_body_is_known_again() {
        let mark = Mark { round: 0xabc, number: 7 };
        let whole = mark.bytes(0..1000);
        for (start, end) in [(0, 1000), (1, 19), (20, 21), (33, 777), (999, 1000), (5, 5)] {
            assert_eq!(mark.bytes(start..end), whole[start..end]);
            assert_eq!(mark.check(start, &whole[start..end]), Ok(()));
        }
        assert_eq!(mark.check(0, &whole[20..60]), Err(18));
        let other = Mark { number: 8, ..mark };
        assert_eq!(other.check(0, &whole), Err(13));
        assert_eq!(Mark::all_in(&[&whole[..], &other.bytes(0..40)].concat()), [mark, other]);
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
    }
}
