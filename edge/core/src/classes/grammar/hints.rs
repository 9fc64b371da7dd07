//! The client hints that Chromium sends without being asked (User-Agent Client Hints, section 4).

use super::{Alphabet, Cursor};

/// `Sec-CH-UA`: brands, each with a version. A brand is a short string. Chromium adds one that means nothing and holds one of a
/// few marks (section 6.2), to keep servers from relying on the form.
pub(crate) fn brands(value: &[u8]) -> bool {
    const LONGEST: usize = 40;
    const MOST: usize = 8;
    static BRAND: Alphabet = Alphabet::with(b" ()-./:;=?_");
    let is_version = |b: u8| b.is_ascii_digit() || b == b'.';
    let mut cursor = Cursor::new(value);
    for _ in 0..MOST {
        let is_one = cursor.eat(b"\"")
            && (1..=LONGEST).contains(&cursor.take(|b| BRAND.has(b)).len())
            && cursor.eat(b"\";v=\"")
            && (1..=20).contains(&cursor.take(is_version).len())
            && cursor.eat(b"\"");
        if !is_one {
            return false;
        }
        if cursor.is_done() {
            return true;
        }
        cursor.skip_blanks();
        if !cursor.eat(b",") {
            return false;
        }
        cursor.skip_blanks();
    }
    false
}

/// `Sec-CH-UA-Platform`: the systems that browsers name (section 4.7), or nothing between the quotes.
pub(crate) fn platform(value: &[u8]) -> bool {
    const PLATFORMS: [&[u8]; 14] = [
        b"",
        b"Android",
        b"Chrome OS",
        b"Chromium OS",
        b"FreeBSD",
        b"Fuchsia",
        b"HarmonyOS",
        b"Linux",
        b"OpenBSD",
        b"Tizen",
        b"Unknown",
        b"Windows",
        b"iOS",
        b"macOS",
    ];
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.is_some_and(|name| PLATFORMS.contains(&name))
}
