//! Dictionaries of structured fields (RFC 9651, section 4.2.2), as far as targeted cache fields use them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Integer(i64),
    Boolean(bool),
    String(String),
    /// A type that no cache directive has: it is read, so that the rest can be, and means nothing.
    Other,
}

/// Reads a dictionary. A member that comes twice has its last value. `None`: it is not one, and a field whose value is
/// none is ignored whole.
pub fn dictionary(text: &str) -> Option<Vec<(&str, Item)>> {
    let mut parser = Parser { rest: text.trim_matches(' ') };
    let mut members: Vec<(&str, Item)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    while !parser.rest.is_empty() {
        let key = parser.key()?;
        let value = if parser.eat('=') { parser.member()? } else { Item::Boolean(true) };
        parser.parameters()?;
        match places.entry(key) {
            Entry::Occupied(known) => members[*known.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(members.len());
                members.push((key, value));
            }
        }
        parser.skip(&[' ', '\t']);
        if parser.rest.is_empty() {
            return Some(members);
        }
        if !parser.eat(',') {
            return None;
        }
        parser.skip(&[' ', '\t']);
        if parser.rest.is_empty() {
            return None;
        }
    }
    Some(members)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip(&mut self, chars: &[char]) {
        self.rest = self.rest.trim_start_matches(chars);
    }

    fn take(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !allowed(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn key(&mut self) -> Option<&'a str> {
        if !self.rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '*') {
            return None;
        }
        Some(
            self.take(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '*')),
        )
    }

    fn member(&mut self) -> Option<Item> {
        if !self.eat('(') {
            return self.item();
        }
        loop {
            self.skip(&[' ']);
            if self.eat(')') {
                return Some(Item::Other);
            }
            self.item()?;
            self.parameters()?;
            if !self.rest.starts_with([' ', ')']) {
                return None;
            }
        }
    }

    fn parameters(&mut self) -> Option<()> {
        while self.eat(';') {
            self.skip(&[' ']);
            self.key()?;
            if self.eat('=') {
                self.item()?;
            }
        }
        Some(())
    }

    fn item(&mut self) -> Option<Item> {
        match self.rest.chars().next()? {
            '-' | '0'..='9' => self.number(),
            '"' => self.string().map(Item::String),
            '?' => {
                self.eat('?');
                if self.eat('1') {
                    Some(Item::Boolean(true))
                } else {
                    self.eat('0').then_some(Item::Boolean(false))
                }
            }
            ':' => {
                self.eat(':');
                self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
                self.eat(':').then_some(Item::Other)
            }
            '@' => {
                self.eat('@');
                matches!(self.number()?, Item::Integer(_)).then_some(Item::Other)
            }
            '%' => {
                self.eat('%');
                self.display_string().map(|()| Item::Other)
            }
            c if c.is_ascii_alphabetic() || c == '*' => {
                self.take(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c));
                Some(Item::Other)
            }
            _ => None,
        }
    }

    /// At most 15 digits; a decimal has at most 12 before its point and 1 to 3 after it.
    fn number(&mut self) -> Option<Item> {
        let negative = self.eat('-');
        let whole = self.take(|c| c.is_ascii_digit());
        if whole.is_empty() || whole.len() > 15 {
            return None;
        }
        if self.eat('.') {
            let decimals = self.take(|c| c.is_ascii_digit());
            return ((1..=3).contains(&decimals.len()) && whole.len() <= 12).then_some(Item::Other);
        }
        let value: i64 = whole.parse().ok()?;
        Some(Item::Integer(if negative { -value } else { value }))
    }

    /// Section 4.2.10: visible ASCII, in which only `%` and two digits stand for something else.
    fn display_string(&mut self) -> Option<()> {
        if !self.eat('"') {
            return None;
        }
        let inner = self.take(|c| (' '..='~').contains(&c) && c != '"');
        let escapes = inner.split('%').skip(1);
        let lower_hex = |text: &str| {
            text.len() >= 2 && text.bytes().take(2).all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        (escapes.into_iter().all(lower_hex) && self.eat('"')).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat('"') {
            return None;
        }
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => match chars.next()?.1 {
                    c @ ('"' | '\\') => text.push(c),
                    _ => return None,
                },
                ' '..='~' => text.push(c),
                _ => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_of_all_types() {
        let read =
            dictionary("a, b=-12;x=1, c=?0, d=\"q\\\"\", e=tok, f=(1 2);y, g=1.5, h=:aGk=:, b=3").unwrap();
        let value = |key: &str| read.iter().find(|(name, _)| *name == key).map(|(_, item)| item.clone());
        assert_eq!(value("a"), Some(Item::Boolean(true)));
        assert_eq!(value("b"), Some(Item::Integer(3)));
        assert_eq!(value("c"), Some(Item::Boolean(false)));
        assert_eq!(value("d"), Some(Item::String("q\"".into())));
        assert_eq!(value("h"), Some(Item::Other));
        assert_eq!(dictionary(""), Some(vec![]));
    }

    #[test]
    fn what_is_none_is_refused_whole() {
        for text in
            ["A=1", "a=", "a=1,", "a=1 b", "a=1, &&&", "a=\"x", "a=1.", "a=(1", "a=1234567890123456", "a =1"]
        {
            assert_eq!(dictionary(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9=,;\"?:()@%. \\\\ä-]{0,40}") {
            dictionary(&text);
        }
    }
}
