//! Fields on their way between Rust and the host: one string, a `name:value` line each.
//!
//! The runtime takes the bytes of a value for UTF-8 and writes UTF-8, and not one byte a character as the Fetch standard
//! has it. So UTF-8 survives; a byte that is not UTF-8 has become another character before this code sees it.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// What the runtime puts in the place of each byte that is not UTF-8. Which it was is lost.
pub(crate) const REPLACED: char = '\u{fffd}';

/// Whether a value has [`REPLACED`] bytes.
pub(crate) fn has_lost_bytes(value: &HeaderValue) -> bool {
    std::str::from_utf8(value.as_bytes()).is_ok_and(|text| text.contains(REPLACED))
}

/// Reads lines. What is not a field by `http`'s rules (the runtime has checked them before) is left out.
pub(crate) fn parse(lines: &str) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines.split('\n') {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    fields
}

/// Writes lines.
pub(crate) fn write(fields: &HeaderMap) -> String {
    let size = fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
    let mut lines = String::with_capacity(size);
    for (name, value) in fields {
        lines.push_str(name.as_str());
        lines.push(':');
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => lines.push_str(text),
            // Nothing can be written that arrives as these bytes; as Latin-1 at least the characters do.
            Err(_) => lines.extend(value.as_bytes().iter().map(|&byte| char::from(byte))),
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_fields_and_order_survive() {
        let lines = "set-cookie:a=1; path=/\nset-cookie:b=2\nx:a:b\n";
        assert_eq!(write(&parse(lines)), lines);
    }

    #[test]
    fn text_is_utf_8_both_ways() {
        let fields = parse("x:€ é\n");
        assert_eq!(fields["x"].as_bytes(), "€ é".as_bytes());
        assert_eq!(write(&fields), "x:€ é\n");
    }

    #[test]
    fn other_bytes_leave_as_latin_1() {
        let mut fields = HeaderMap::new();
        fields.append("x", HeaderValue::from_bytes(b"\xe9").expect("a value"));
        assert_eq!(write(&fields), "x:é\n");
    }

    #[test]
    fn what_is_no_field_is_left_out() {
        assert!(parse("no colon\na b:c\n\n").is_empty());
    }
}
