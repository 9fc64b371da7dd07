//! `Cache-Control` (RFC 9111, section 5.2) and the targeted fields of its kind (RFC 9213).

use http::{HeaderMap, HeaderName};

use super::structured::{self, Item};
use super::{delta_seconds, list};

/// The directives of a request or a response that mean something to a shared cache.
///
/// Names are read without regard to case, and an argument as a token or a quoted string (section 5.2). Of a directive
/// that comes twice the first counts (section 4.2.1). A lifetime that cannot be read is zero: the message is stale.
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
    pub no_transform: bool,
    pub only_if_cached: bool,
    pub immutable: bool,
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
    fn add(&mut self, argument: Option<&str>) {
        let Some(argument) = argument.filter(|argument| !argument.is_empty()) else {
            *self = Self::Yes;
            return;
        };
        // A name that cannot be read is one that cannot be left out: then it holds for the whole.
        let Ok(names) = list::elements(argument).map(str::parse).collect::<Result<Vec<HeaderName>, _>>()
        else {
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
            for directive in list::all(fields, name) {
                read.add(&directive);
            }
            read
        })
    }

    /// Reads a targeted field (RFC 9213, section 2.1): a dictionary of structured fields. `None` where it is missing,
    /// or is not one: then it is ignored. Directives of another type than theirs mean nothing.
    pub fn read_targeted(fields: &HeaderMap, name: &str) -> Option<Self> {
        let joined = list::joined(fields, name)?;
        let text = std::str::from_utf8(&joined).ok()?;
        let mut read = Self::default();
        for (name, item) in structured::dictionary(text)? {
            match item {
                Item::Boolean(true) => read.add(name),
                Item::Integer(seconds) => read.add(&format!("{name}={}", seconds.max(0))),
                Item::String(text) if matches!(name, "no-cache" | "private") => {
                    read.add(&format!("{name}=\"{text}\""));
                }
                Item::Boolean(false) | Item::String(_) | Item::Other => {}
            }
        }
        Some(read)
    }

    /// Reads one field value.
    pub fn parse(value: &str) -> Self {
        let mut read = Self::default();
        for directive in list::elements(value) {
            read.add(directive);
        }
        read
    }

    fn add(&mut self, directive: &str) {
        let (name, argument) = match directive.split_once('=') {
            Some((name, argument)) => (name.trim_end(), Some(unquoted(argument.trim_start()))),
            None => (directive, None),
        };
        let argument = argument.as_deref();
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("max-age") {
            first(&mut self.max_age, argument);
        } else if is("s-maxage") {
            first(&mut self.s_maxage, argument);
        } else if is("no-cache") {
            self.no_cache.add(argument);
        } else if is("no-store") {
            self.no_store = true;
        } else if is("private") {
            self.private.add(argument);
        } else if is("public") {
            self.public = true;
        } else if is("must-revalidate") {
            self.must_revalidate = true;
        } else if is("proxy-revalidate") {
            self.proxy_revalidate = true;
        } else if is("must-understand") {
            self.must_understand = true;
        } else if is("stale-while-revalidate") {
            first(&mut self.stale_while_revalidate, argument);
        } else if is("stale-if-error") {
            first(&mut self.stale_if_error, argument);
        } else if is("no-transform") {
            self.no_transform = true;
        } else if is("only-if-cached") {
            self.only_if_cached = true;
        } else if is("immutable") {
            self.immutable = true;
        } else if is("min-fresh") {
            first(&mut self.min_fresh, argument);
        } else if is("max-stale") && self.max_stale.is_none() {
            self.max_stale = Some(argument.map_or(u32::MAX, |text| delta_seconds(text).unwrap_or(0)));
        }
    }
}

fn first(slot: &mut Option<u32>, argument: Option<&str>) {
    if slot.is_none() {
        *slot = Some(argument.and_then(delta_seconds).unwrap_or(0));
    }
}

/// What a token or quoted string says.
fn unquoted(text: &str) -> std::borrow::Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"') else { return text.into() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain.into()
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
