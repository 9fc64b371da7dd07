//! Entity tags (RFC 9110, section 8.8.3).

/// An entity tag as it stands in a field: `"xyz"` or `W/"xyz"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag<'a> {
    pub weak: bool,
    /// What is between the quotes. Tags that lack their quotes, which some servers send, are taken as they are.
    pub opaque: &'a str,
}

impl<'a> ETag<'a> {
    pub fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let (weak, tag) = match text.strip_prefix("W/") {
            Some(tag) => (true, tag),
            None => (false, text),
        };
        let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
        Self { weak, opaque }
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
