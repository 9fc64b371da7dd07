//! Fields on their way between Rust and the host: one string, a `name:value` line each.
//!
//! A character of a value stands for one byte, as the Fetch standard has it.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Reads lines. What is not a field by `http`'s rules (the runtime has checked them before) is left out.
pub(crate) fn parse(lines: &str) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines.split('\n') {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(&bytes(value));
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
        match value.to_str() {
            Ok(ascii) => lines.push_str(ascii),
            Err(_) => lines.extend(value.as_bytes().iter().map(|&byte| char::from(byte))),
        }
        lines.push('\n');
    }
    lines
}

fn bytes(value: &str) -> Cow<'_, [u8]> {
    if value.is_ascii() {
        return Cow::Borrowed(value.as_bytes());
    }
    let one_byte = |c: char| u8::try_from(u32::from(c)).ok();
    match value.chars().map(one_byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) => Cow::Owned(bytes),
        // A host that has decoded UTF-8 already: back to the bytes it came from.
        None => Cow::Borrowed(value.as_bytes()),
    }
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
    fn every_byte_of_a_value_survives() {
        let value: Vec<u8> = (b' '..=b'~').chain(0x80..=0xff).collect();
        let mut fields = HeaderMap::new();
        fields.append("x", HeaderValue::from_bytes(&value).expect("a value"));
        assert_eq!(parse(&write(&fields)), fields);
    }

    #[test]
    fn text_beyond_latin_1_is_kept_as_utf_8() {
        assert_eq!(parse("x:€\n")["x"].as_bytes(), "€".as_bytes());
    }

    #[test]
    fn what_is_no_field_is_left_out() {
        assert!(parse("no colon\na b:c\n\n").is_empty());
    }
}
