//! Comma-separated lists (RFC 9110, section 5.6.1).

use std::borrow::Cow;

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

/// The elements of all lines of a field, in order. Bytes above ASCII are taken for the characters of Latin-1: a line is never
/// passed over, because what stands beside them may forbid something.
pub fn all<'a>(fields: &'a HeaderMap, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    fields.get_all(name).into_iter().flat_map(|line| match line.to_str() {
        Ok(text) => Line::Text(elements(text)),
        Err(_) => {
            let text = latin1(line.as_bytes());
            Line::Bytes(elements(&text).map(str::to_owned).collect::<Vec<_>>().into_iter())
        }
    })
}

/// Bytes as the characters of Latin-1: no two values become one.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

/// The elements of one line.
enum Line<I> {
    Text(I),
    Bytes(std::vec::IntoIter<String>),
}

impl<'a, I: Iterator<Item = &'a str>> Iterator for Line<I> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Text(elements) => elements.next().map(Cow::Borrowed),
            Self::Bytes(elements) => elements.next().map(Cow::Owned),
        }
    }
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
