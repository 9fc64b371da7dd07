//! `Cache-Control` (RFC 9111, section 5.2) and the targeted fields of its kind (RFC 9213).

use http::{HeaderMap, HeaderName};

use super::directive::{Argument, Directives};
use super::structured::{self, Item};
use super::{delta_seconds, list};

/// The directives of a request or a response that mean something to a shared cache.
///
/// Names are read without regard to case, and an argument as a token or a quoted string (section 5.2). Of a directive
/// that comes twice the first counts (section 4.2.1). A lifetime that cannot be read is zero: the message is stale.
///
/// What cannot be read with certainty fails closed. In a line that is not a list of directives by the grammar, `no-store`,
/// `private`, `no-cache` and what forbids stale answers hold wherever they stand, quoted or not, and nothing in it permits
/// more than a lifetime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheControl {
    pub max_age: Option<u32>,
    pub s_maxage: Option<u32>,
    pub stale_while_revalidate: Option<u32>,
    pub stale_if_error: Option<u32>,
    /// `u32::MAX` where it has no argument: however stale.
    pub max_stale: Option<u32>,
    pub min_fresh: Option<u32>,
    pub no_cache: Qualified,
    pub private: Qualified,
    pub no_store: bool,
    pub public: bool,
    pub must_revalidate: bool,
    pub proxy_revalidate: bool,
    pub must_understand: bool,
    pub only_if_cached: bool,
}

/// A directive that may be limited to some fields: `no-cache="set-cookie"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Qualified {
    #[default]
    No,
    /// It holds for these fields.
    Fields(Vec<HeaderName>),
    /// It holds for the whole message.
    Yes,
}

impl Qualified {
    /// A directive limited to the fields that a quoted string names (sections 5.2.2.4 and 5.2.2.7). An unquoted argument, an
    /// empty list, or a name that no field has says nothing that could be left out: then it holds for the whole.
    fn add(&mut self, argument: Option<&str>) {
        let read = |name: &str| name.bytes().all(is_plain).then(|| name.parse().ok()).flatten();
        let names: Option<Vec<HeaderName>> =
            argument.and_then(|argument| list::elements(argument).map(read).collect());
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            *self = Self::Yes;
            return;
        };
        match self {
            Self::Yes => {}
            Self::Fields(fields) => fields.extend(names),
            Self::No => *self = Self::Fields(names),
        }
    }

    /// The fields it is limited to.
    pub fn fields(&self) -> &[HeaderName] {
        match self {
            Self::Fields(fields) => fields,
            Self::No | Self::Yes => &[],
        }
    }
}

impl CacheControl {
    /// Reads all lines of `name`, or `None` where there is none.
    pub fn read(fields: &HeaderMap, name: &str) -> Option<Self> {
        fields.contains_key(name).then(|| {
            let mut read = Self::default();
            for line in fields.get_all(name) {
                match line.to_str() {
                    Ok(text) => read.add_line(text),
                    Err(_) => read.add_line(&list::latin1(line.as_bytes())),
                }
            }
            read
        })
    }

    /// Reads a targeted field (RFC 9213, section 2.1): a dictionary of structured fields. `None` where it is missing,
    /// or is not one: then it is ignored. What it forbids to store or to share is obeyed even where it is not one, or holds a
    /// directive of another type.
    pub fn read_targeted(fields: &HeaderMap, name: &str) -> Option<Self> {
        let text = list::latin1(&list::joined(fields, name)?);
        let mut read = Self::default();
        let Some(members) = structured::dictionary(&text) else {
            read.restrict_by_words(&text);
            return (read != Self::default()).then_some(read);
        };
        for (name, item) in members {
            match item {
                Item::Boolean(true) => read.add(name, None),
                Item::Integer(seconds) => read.add(name, Some(Argument::Token(&seconds.max(0).to_string()))),
                Item::String(text) if matches!(name, "no-cache" | "private") => {
                    read.add(name, Some(Argument::Quoted(text.into())));
                }
                Item::Boolean(false) => {}
                Item::String(_) | Item::Other => read.restrict(name),
            }
        }
        Some(read)
    }

    /// Reads one field value.
    pub fn parse(value: &str) -> Self {
        let mut read = Self::default();
        read.add_line(value);
        read
    }

    fn add_line(&mut self, line: &str) {
        if Directives::of(line).all(|directive| directive.is_some()) {
            for (name, argument) in Directives::of(line).flatten() {
                self.add(name, argument);
            }
            return;
        }
        // As far as it can be guessed. What the guess permits beyond a lifetime is left out.
        let mut guess = Self::default();
        for directive in list::elements(line) {
            let (name, argument) = match directive.split_once('=') {
                Some((name, argument)) => (name.trim_end(), Some(Argument::Token(argument.trim()))),
                None => (directive, None),
            };
            guess.add(name, argument);
        }
        guess.restrict_by_words(line);
        for lifetime in [guess.s_maxage, guess.max_age].into_iter().flatten() {
            self.max_age = Some(self.max_age.map_or(lifetime, |known| known.min(lifetime)));
        }
        self.proxy_revalidate |= guess.proxy_revalidate || guess.must_revalidate || guess.s_maxage.is_some();
        self.no_store |= guess.no_store;
        self.only_if_cached |= guess.only_if_cached;
        for (known, guess) in [(&mut self.no_cache, guess.no_cache), (&mut self.private, guess.private)] {
            if guess != Qualified::No {
                *known = Qualified::Yes;
            }
        }
        self.min_fresh = self.min_fresh.or(guess.min_fresh);
    }

    fn add(&mut self, name: &str, argument: Option<Argument<'_>>) {
        // `x=private` and `'private'` say it, whatever else they mean.
        if let Some(Argument::Token(token)) = &argument {
            self.restrict_by_words(token);
        }
        if !name.bytes().all(is_plain) {
            self.restrict_by_words(name);
        }
        let text = argument.as_ref().map(Argument::text);
        let quoted = match &argument {
            Some(Argument::Quoted(text)) => Some(&**text),
            _ => None,
        };
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("max-age") {
            first(&mut self.max_age, text);
        } else if is("s-maxage") {
            first(&mut self.s_maxage, text);
        } else if is("no-cache") {
            self.no_cache.add(quoted);
        } else if is("no-store") {
            self.no_store = true;
        } else if is("private") {
            self.private.add(quoted);
        } else if is("public") {
            self.public = true;
        } else if is("must-revalidate") {
            self.must_revalidate = true;
        } else if is("proxy-revalidate") {
            self.proxy_revalidate = true;
        } else if is("must-understand") {
            self.must_understand = true;
        } else if is("stale-while-revalidate") {
            first(&mut self.stale_while_revalidate, text);
        } else if is("stale-if-error") {
            first(&mut self.stale_if_error, text);
        } else if is("only-if-cached") {
            self.only_if_cached = true;
        } else if is("min-fresh") {
            first(&mut self.min_fresh, text);
        } else if is("max-stale") && self.max_stale.is_none() {
            self.max_stale = Some(text.map_or(u32::MAX, |text| delta_seconds(text).unwrap_or(0)));
        }
    }

    /// Each word of a text that cannot be read, for what it forbids.
    fn restrict_by_words(&mut self, text: &str) {
        text.split(|c| !u8::try_from(c).is_ok_and(is_plain)).for_each(|word| self.restrict(word));
    }

    fn restrict(&mut self, word: &str) {
        let is = |wanted: &str| word.eq_ignore_ascii_case(wanted);
        if is("no-store") {
            self.no_store = true;
        } else if is("private") {
            self.private = Qualified::Yes;
        } else if is("no-cache") {
            self.no_cache = Qualified::Yes;
        } else if is("must-revalidate") || is("proxy-revalidate") {
            // Not as the former, which also permits to share what came for credentials (section 3.5).
            self.proxy_revalidate = true;
        }
    }
}

/// Of what directives and fields in use have names.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

fn first(slot: &mut Option<u32>, argument: Option<&str>) {
    if slot.is_none() {
        *slot = Some(argument.and_then(delta_seconds).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_the_rfc_shows() {
        let cc = CacheControl::parse("Max-Age=\"60\", PUBLIC , s-maxage = 5,stale-while-revalidate=30");
        assert_eq!(cc.max_age, Some(60));
        assert_eq!(cc.s_maxage, Some(5));
        assert_eq!(cc.stale_while_revalidate, Some(30));
        assert!(cc.public);
    }

    #[test]
    fn the_first_of_two_counts_and_nonsense_is_stale() {
        assert_eq!(CacheControl::parse("max-age=1, max-age=100").max_age, Some(1));
        for nonsense in ["max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=a", "max-age=0x10"] {
            assert_eq!(CacheControl::parse(nonsense).max_age, Some(0), "{nonsense}");
        }
        assert_eq!(CacheControl::parse("max-age=99999999999999999999").max_age, Some(1 << 31));
    }

    #[test]
    fn directives_for_some_fields() {
        let cc = CacheControl::parse(r#"no-cache="Set-Cookie, x-a", private"#);
        assert_eq!(cc.no_cache.fields(), ["set-cookie", "x-a"]);
        assert_eq!(cc.private, Qualified::Yes);
        assert_eq!(CacheControl::parse(r#"private="a", private"#).private, Qualified::Yes);
    }

    #[test]
    fn a_name_inside_a_string_is_no_directive() {
        let cc = CacheControl::parse(r#"ext="no-store, private", max-age=3"#);
        assert!(!cc.no_store);
        assert_eq!(cc.private, Qualified::No);
        assert_eq!(cc.max_age, Some(3));
    }

    #[test]
    fn targeted_fields_are_structured() {
        let read = |value: &'static str| {
            let fields =
                [(HeaderName::from_static("cdn-cache-control"), http::HeaderValue::from_static(value))];
            CacheControl::read_targeted(&fields.into_iter().collect(), "cdn-cache-control")
        };
        assert_eq!(read("max-age=60, private=\"a\"").map(|cc| cc.max_age), Some(Some(60)));
        assert_eq!(read("max-age=\"60\"").map(|cc| cc.max_age), Some(None));
        assert_eq!(read("no-store=?0").map(|cc| cc.no_store), Some(false));
        assert_eq!(read("max-age=60, &&&"), None);
        assert_eq!(read("Max-Age=60"), None);
    }

    #[test]
    fn a_targeted_field_that_cannot_be_read_still_forbids() {
        let read = |value: &'static str| {
            let fields = HeaderMap::from_iter([(
                HeaderName::from_static("cdn-cache-control"),
                http::HeaderValue::from_static(value),
            )]);
            CacheControl::read_targeted(&fields, "cdn-cache-control").unwrap()
        };
        for private in
            ["private, &&&", "Private", "max-age=60, private=a", "private=1", "private=\",\"", "private;x=\""]
        {
            assert_eq!(read(private).private, Qualified::Yes, "{private}");
        }
        for no_store in
            ["No-Store, max-age=60", "no-store=\"x\"", "no-store=1", "no-store=(a b)", "max-age=60 no-store"]
        {
            assert!(read(no_store).no_store, "{no_store}");
        }
        assert_eq!(read("max-age=60, no-cache=yes").no_cache, Qualified::Yes);
    }

    #[test]
    fn private_for_no_field_is_private() {
        for all in [
            "private=\",\"",
            "private=\"\"",
            "private=\" \"",
            "private=",
            "private=x-a",
            "private=true",
            "private=\"*\"",
            "private=\"'x-a'\"",
            "private=\"x-a, \u{e4}\"",
            "private=\"x-a\", private",
            "private =\"x a\"",
        ] {
            assert_eq!(CacheControl::parse(all).private, Qualified::Yes, "{all}");
            let all = all.replace("private", "No-Cache");
            assert_eq!(CacheControl::parse(&all).no_cache, Qualified::Yes, "{all}");
        }
        for one in ["private=\"x-a\"", "private = \"x-a\"", "private=\",x-a,\"", "private=\"x\\-a\""] {
            assert_eq!(CacheControl::parse(one).private.fields(), ["x-a"], "{one}");
        }
    }

    #[test]
    fn what_cannot_be_read_forbids_and_permits_nothing() {
        for unclear in [
            "max-age=60; private",
            "max-age=60 private",
            "x=\"a, private",
            "private, x=\"",
            "x\"=, private",
            "a\"b\"c, private",
            "x=\"a\"b\", private\"",
            "x=\"a\"; private=\"b\"",
            "(private)",
            "private=\"x-a",
            "private=x-a\"",
            "private\"x-a\"",
            "x=\"\\\", private",
            "=private",
            "x=private",
            "'private'",
            "x='private'",
            "x.private",
            "max-age=60, private\u{a0}",
        ] {
            assert_eq!(CacheControl::parse(unclear).private, Qualified::Yes, "{unclear}");
        }
        let unclear =
            CacheControl::parse("x=\"; s-maxage=9, public, must-understand, must-revalidate, max-age=7");
        assert!(!unclear.public && !unclear.must_understand && !unclear.must_revalidate);
        assert_eq!(unclear.s_maxage, None);
        assert!(unclear.proxy_revalidate);
        let lines: HeaderMap = [("cache-control", "s-maxage=9; x, public"), ("cache-control", "max-age=60")]
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        let read = CacheControl::read(&lines, "cache-control").unwrap();
        assert_eq!((read.max_age, read.public), (Some(0), false), "`9; x` is no number");
    }

    proptest! {
        #[test]
        fn never_panics(text in "[ -~]{0,60}") {
            CacheControl::parse(&text);
        }

        #[test]
        fn order_of_other_directives_does_not_matter(age in 0u32..100_000) {
            let a = CacheControl::parse(&format!("no-store, x=1, max-age={age}"));
            let b = CacheControl::parse(&format!("max-age={age},x, No-Store"));
            prop_assert_eq!(a, b);
        }
    }
}
