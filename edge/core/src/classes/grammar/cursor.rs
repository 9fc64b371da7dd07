//! Reads a value from its beginning.

/// What is left of a value.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether `text` came next; then it is behind.
    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The bytes up to the first that is not allowed; perhaps none.
    pub(super) fn take(&mut self, is_allowed: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| !is_allowed(b)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take(|b| b == b' ');
    }

    /// Whether that many bytes came next, all hexadecimal digits in lower case.
    pub(super) fn hex(&mut self, digits: usize) -> bool {
        let Some((taken, rest)) = self.rest.split_at_checked(digits) else { return false };
        self.rest = rest;
        taken.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
}
