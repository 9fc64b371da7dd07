//! What an ordinary value may look like, field by field. A grammar knows the values that clients send, and no more: it has no
//! room for markup, quotes, code or an address that an origin would follow. All work on bytes, in one pass, without allocation.

pub(super) mod accept;
pub(super) mod agent;
mod cursor;
pub(super) mod directives;
pub(super) mod escape;
pub(super) mod hints;
pub(super) mod hosts;
pub(super) mod languages;
pub(super) mod tracing;
pub(super) mod words;

use cursor::Cursor;

/// The bytes that a part of a value may hold.
struct Alphabet([bool; 256]);

impl Alphabet {
    /// Letters and digits of ASCII, and these marks.
    const fn with(marks: &[u8]) -> Self {
        let mut has = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            has[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < marks.len() {
            has[marks[at] as usize] = true;
            at += 1;
        }
        Self(has)
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// A weight (RFC 9110, section 12.4.2) in thousandths. Java leaves out the zero before the point; that is let through.
fn weight(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match text.iter().position(|&b| b == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) || text == b"." {
        return None;
    }
    let digit = |at: usize| decimals.get(at).map_or(0, |b| u16::from(b - b'0'));
    let part = digit(0) * 100 + digit(1) * 10 + digit(2);
    match whole {
        b"0" | b"" if !text.is_empty() => Some(part),
        b"1" if part == 0 => Some(1000),
        _ => None,
    }
}

/// The parts of a value between separators, without the blanks around them. No grammar here has quoted separators.
fn parts(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    value.split(move |&b| b == separator).map(|part| {
        let start = part.iter().position(|&b| b != b' ').unwrap_or(part.len());
        let end = part.iter().rposition(|&b| b != b' ').map_or(start, |last| last + 1);
        &part[start..end]
    })
}

/// One to twelve digits: no number that a field names is longer.
fn is_number(text: &[u8]) -> bool {
    (1..=12).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_to_the_letter() {
        for (text, read) in
            [("1", 1000), ("1.0", 1000), ("0", 0), ("0.5", 500), (".2", 200), ("0.123", 123), ("0.", 0)]
        {
            assert_eq!(weight(text.as_bytes()), Some(read), "{text}");
        }
        for text in ["", ".", "1.1", "2", "0.1234", "0.x", "-0", "0.5 ", "00.5"] {
            assert_eq!(weight(text.as_bytes()), None, "{text}");
        }
    }
}
