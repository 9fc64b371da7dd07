//! Comma-separated lists (RFC 9110, section 5.6.1).

use http::HeaderMap;

/// The elements of one field value, trimmed, empty ones left out. A comma within a quoted string does not separate.
pub fn elements(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = element_end(rest);
            let element = rest[..end].trim_matches([' ', '\t']);
            rest = rest.get(end + 1..).unwrap_or("");
            if !element.is_empty() {
                return Some(element);
            }
        }
    })
}

fn element_end(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// The elements of all lines of a field, in order. Lines that are not visible ASCII are passed over.
pub fn all<'a>(fields: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    fields.get_all(name).into_iter().filter_map(|line| line.to_str().ok()).flat_map(elements)
}

/// All lines of a field joined by `, `, as a recipient may combine them. `None` where the field is missing.
pub fn joined(fields: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let mut lines = fields.get_all(name).into_iter();
    let mut value = lines.next()?.as_bytes().to_vec();
    for line in lines {
        value.extend_from_slice(b", ");
        value.extend_from_slice(line.as_bytes());
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_outside_quotes_only() {
        let got: Vec<_> = elements(r#" a, b="x, \"y", ,c "#).collect();
        assert_eq!(got, ["a", r#"b="x, \"y""#, "c"]);
        assert_eq!(elements("").count(), 0);
        assert_eq!(elements(",,").count(), 0);
        assert_eq!(elements("\"open, for ever").count(), 1);
    }
}
