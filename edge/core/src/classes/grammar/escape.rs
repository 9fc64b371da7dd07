//! Percent-encoding (RFC 3986, section 2.1) that hides nothing: decoded, it is text.

/// The characters of ASCII that a value may hide.
pub(crate) type Allowed = fn(u8) -> bool;

/// A blank, as apps have it in their names.
pub(crate) fn blank(byte: u8) -> bool {
    byte == b' '
}

/// What stands in paths and in names of releases. Neither quotes nor brackets of markup, neither braces nor a backslash, no
/// percent sign that hides another one, nothing that breaks a line.
pub(crate) fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" !#$()*+,-./:;=?@[]_~".contains(&byte)
}

/// The length of the one character that `value` begins with in percent-encoding. `None`: it begins otherwise, or the character
/// is neither allowed nor a letter or digit beyond ASCII.
pub(crate) fn character(value: &[u8], is_allowed: Allowed) -> Option<usize> {
    let first = byte(value)?;
    let length = match first {
        0x00..=0x7f => return is_allowed(first).then_some(3),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut decoded = [0; 4];
    for (at, place) in decoded[..length].iter_mut().enumerate() {
        *place = byte(value.get(3 * at..)?)?;
    }
    let text = std::str::from_utf8(&decoded[..length]).ok()?;
    text.chars().all(is_letter).then_some(3 * length)
}

/// Letters and digits of any script; of the scripts of India and South-East Asia also the signs that letters carry.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || ('\u{900}'..='\u{eff}').contains(&c)
}

/// The byte that `%` and two digits stand for.
fn byte(value: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = value else { return None };
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_pass_and_markup_does_not() {
        for (value, length) in
            [("%20x", 3), ("%C3%A4", 6), ("%e5%be%ae%e4", 9), ("%F0%A0%80%80", 12), ("%2f", 3)]
        {
            assert_eq!(character(value.as_bytes(), plain), Some(length), "{value}");
        }
        for value in [
            "%3C",
            "%3e",
            "%22",
            "%27",
            "%60",
            "%26",
            "%25",
            "%5C",
            "%7B",
            "%7D",
            "%00",
            "%0A",
            "%7F",
            "%2",
            "%",
            "x",
            "%GG",
            // Overlong, a surrogate, cut short, a quote beyond ASCII, a direction mark, a private character.
            "%C0%BC",
            "%E0%80%BC",
            "%ED%A0%80",
            "%C3",
            "%E2%80%9C",
            "%E2%80%AE",
            "%EE%80%80",
        ] {
            assert_eq!(character(value.as_bytes(), plain), None, "{value}");
        }
        assert_eq!(character(b"%2F", blank), None);
    }
}
