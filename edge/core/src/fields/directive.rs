//! Cache directives by their grammar (RFC 9111, section 5.2), to the letter: what is not one is not guessed at.

use std::borrow::Cow;

/// What follows the equals sign of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// As it stands; may be empty.
    Token(&'a str),
    /// Without its quotes and backslashes.
    Quoted(Cow<'a, str>),
}

impl Argument<'_> {
    pub fn text(&self) -> &str {
        match self {
            Self::Token(text) => text,
            Self::Quoted(text) => text,
        }
    }
}

/// The directives of one line: names with their arguments. The last item is `None` where the line is not a list of them.
///
/// Two things are let through that the grammar lacks and nothing else could mean: an empty argument, and white space around
/// the equals sign.
#[derive(Clone, Debug)]
pub struct Directives<'a> {
    rest: &'a str,
    failed: bool,
}

impl<'a> Directives<'a> {
    /// `line`: bytes above ASCII as the characters of Latin-1.
    pub fn of(line: &'a str) -> Self {
        Self { rest: line, failed: false }
    }

    fn one(&mut self) -> Option<(&'a str, Option<Argument<'a>>)> {
        let name = self.token();
        if name.is_empty() {
            return None;
        }
        self.white();
        let mut argument = None;
        if let Some(rest) = self.rest.strip_prefix('=') {
            self.rest = rest;
            self.white();
            argument = Some(match self.rest.strip_prefix('"') {
                Some(inner) => Argument::Quoted(self.quoted(inner)?),
                None => Argument::Token(self.token()),
            });
            self.white();
        }
        (self.rest.is_empty() || self.rest.starts_with(',')).then_some((name, argument))
    }

    /// RFC 9110, section 5.6.2.
    fn token(&mut self) -> &'a str {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let end = self.rest.bytes().position(|b| !is_token(b)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        token
    }

    /// RFC 9110, section 5.6.4; `inner` begins behind the first quote.
    fn quoted(&mut self, inner: &'a str) -> Option<Cow<'a, str>> {
        let is_text = |c: char| c == '\t' || (c >= ' ' && c != '\u{7f}');
        let mut plain = Cow::Borrowed("");
        let mut from = 0;
        let mut chars = inner.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &inner[at + 1..];
                    plain += &inner[from..at];
                    return Some(plain);
                }
                '\\' => {
                    plain += &inner[from..at];
                    // What is escaped stands for itself.
                    from = chars.next().filter(|&(_, c)| is_text(c))?.0;
                }
                c if !is_text(c) => return None,
                _ => {}
            }
        }
        None
    }

    fn white(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

impl<'a> Iterator for Directives<'a> {
    type Item = Option<(&'a str, Option<Argument<'a>>)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
        if self.rest.is_empty() || self.failed {
            return None;
        }
        let one = self.one();
        self.failed = one.is_none();
        Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Vec<(&str, Option<Argument<'_>>)>> {
        Directives::of(line).collect()
    }

    #[test]
    fn a_list_by_the_grammar() {
        let got = read(" , no-store,x = \"a, \\\"b\\\"\" ,\ty=, z=1,").unwrap();
        let quoted = Argument::Quoted("a, \"b\"".into());
        let expected = [
            ("no-store", None),
            ("x", Some(quoted)),
            ("y", Some(Argument::Token(""))),
            ("z", Some(Argument::Token("1"))),
        ];
        assert_eq!(got, expected);
        assert_eq!(read(""), Some(vec![]));
        assert_eq!(read("x=\"\""), Some(vec![("x", Some(Argument::Quoted("".into())))]));
    }

    #[test]
    fn what_is_none_is_no_list() {
        for line in [
            "a b",
            "a;b",
            "a=\"",
            "a=\"b",
            "a=\"b\"c",
            "a=\"b\\\"",
            "\"a\"",
            "=a",
            "a=b=c",
            "a=b\"c\"",
            "(a)",
            "\u{e4}",
            "a=\"\u{1}\"",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
