//! Entity tags (RFC 9110, section 8.8.3).

use http::HeaderMap;

/// An entity tag as it stands in a field: `"xyz"` or `W/"xyz"`. Any byte from 0x21 on may stand in it but the quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag<'a> {
    pub weak: bool,
    /// What is between the quotes. Tags that lack their quotes, which some servers send, are taken as they are.
    pub opaque: &'a [u8],
}

impl<'a> ETag<'a> {
    pub fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let (weak, tag) = match text.strip_prefix(b"W/") {
            Some(tag) => (true, tag),
            None => (false, text),
        };
        let opaque = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or(tag);
        Self { weak, opaque }
    }

    /// That of a response.
    pub fn of(response: &'a HeaderMap) -> Option<Self> {
        response.get(http::header::ETAG).map(|value| Self::parse(value.as_bytes()))
    }

    /// Weak comparison: the same thing for a reader (section 8.8.3.2).
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// Strong comparison: the same bytes.
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }
}

/// Whether a list of tags (`If-Match`, `If-None-Match`) is `*` or holds one that `is_it`.
///
/// A tag is no quoted string: a backslash escapes nothing in it, and a comma within its quotes separates nothing.
pub fn any(fields: &HeaderMap, name: &http::HeaderName, is_it: impl Fn(&ETag<'_>) -> bool) -> bool {
    fields
        .get_all(name)
        .iter()
        .any(|line| elements(line.as_bytes()).any(|tag| tag == b"*" || is_it(&ETag::parse(tag))))
}

fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            let start = rest.iter().position(|b| !matches!(b, b',' | b' ' | b'\t'))?;
            rest = &rest[start..];
            let mut quoted = false;
            let end = rest
                .iter()
                .position(|&b| {
                    quoted ^= b == b'"';
                    b == b',' && !quoted
                })
                .unwrap_or(rest.len());
            let (element, behind) = rest.split_at(end);
            rest = behind;
            let element = element.trim_ascii();
            if !element.is_empty() {
                return Some(element);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_outside_the_quotes() {
        let split = |line: &'static [u8]| elements(line).collect::<Vec<_>>();
        assert_eq!(split(br#" "a,b" ,W/"c",, d"#), [&br#""a,b""#[..], br#"W/"c""#, b"d"]);
        assert_eq!(split(br#""a\", "b""#), [&br#""a\""#[..], br#""b""#]);
        assert_eq!(split(b"\"\xe4\""), [&b"\"\xe4\""[..]]);
        assert_eq!(split(br#""open, for ever"#), [&br#""open, for ever"#[..]]);
        assert_eq!(split(b" ,,"), [&b""[..]; 0]);
    }
}
