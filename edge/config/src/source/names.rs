//! Names of many kinds: of origins and routes, of fields, cookies, methods and query parameters.

use super::word::{Word, Wrong};

/// `token` of RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/// The name of an origin or a route.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name(pub(crate) String);

impl Word for Name {
    const WHAT: &'static str = "a name";
    const PATTERN: &'static str = "^[0-9A-Za-z_-]{1,64}$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let allowed = "1 to 64 letters, digits, `-` and `_`";
        if text.is_empty() || text.len() > 64 {
            return Err(Wrong::new("has the wrong length for a name").help(allowed));
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(Wrong::new("is not a name").help(allowed));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a request or response field, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldName(pub(crate) String);

impl Word for FieldName {
    const WHAT: &'static str = "the name of a field";
    const PATTERN: &'static str = TOKEN;

    fn parse(text: &str) -> Result<Self, Wrong> {
        if is_token(text) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        let wrong = Wrong::new("is not the name of a field (RFC 9110, section 5.1)");
        let before = text.split(':').next().unwrap_or_default().trim();
        Err(if is_token(before) {
            wrong.help(format!("the name alone: \"{}\"", before.to_ascii_lowercase()))
        } else {
            wrong.help("letters, digits and `-`, as in \"accept-language\"")
        })
    }
}

/// The name of a cookie; case-sensitive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CookieName(pub(crate) String);

impl Word for CookieName {
    const WHAT: &'static str = "the name of a cookie";
    const PATTERN: &'static str = TOKEN;

    fn parse(text: &str) -> Result<Self, Wrong> {
        if is_token(text) {
            return Ok(Self(text.to_owned()));
        }
        let wrong = Wrong::new("is not the name of a cookie (RFC 6265, section 4.1.1)");
        let before = text.split('=').next().unwrap_or_default().trim();
        Err(if is_token(before) { wrong.help(format!("the name alone: \"{before}\"")) } else { wrong })
    }
}

/// The name of a cookie, with `*` for any run of characters; case-sensitive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CookiePattern(pub(crate) String);

impl Word for CookiePattern {
    const WHAT: &'static str = CookieName::WHAT;
    const PATTERN: &'static str = TOKEN;

    fn parse(text: &str) -> Result<Self, Wrong> {
        CookieName::parse(text).map(|CookieName(name)| Self(name))
    }
}

/// A request method; case-sensitive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Method(pub(crate) String);

const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"];

impl Word for Method {
    const WHAT: &'static str = "a method such as \"GET\"";
    const PATTERN: &'static str = TOKEN;

    fn parse(text: &str) -> Result<Self, Wrong> {
        if !is_token(text) {
            return Err(Wrong::new("is not a method (RFC 9110, section 9.1)").help("as in \"GET\""));
        }
        match METHODS.iter().find(|method| text != **method && method.eq_ignore_ascii_case(text)) {
            Some(method) => {
                Err(Wrong::new("is not a method: methods are case-sensitive")
                    .help(format!("write \"{method}\"")))
            }
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// The name of a query parameter, with `*` for any run of characters, in the normal form that names are matched in:
/// percent-encoded where it must be, upper-case digits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParameterPattern(pub(crate) String);

impl Word for ParameterPattern {
    const WHAT: &'static str = "the name of a query parameter";
    const PATTERN: &'static str = "^[^&=#\\x00-\\x1f\\x7f]+$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if text.is_empty() {
            return Err(Wrong::new("is not the name of a query parameter: it is empty"));
        }
        if let Some(wrong) = text.chars().find(|c| "&=#".contains(*c) || c.is_ascii_control()) {
            let error = Wrong::new(format!("is not the name of a query parameter: it holds {wrong:?}"));
            return Err(match wrong {
                '=' => error.help("a parameter is kept or dropped by its name, whatever its value"),
                _ => error.help("one string for each name, as in [\"q\", \"page\", \"utm_*\"]"),
            });
        }
        Ok(Self(normal_parameter(text)))
    }
}

/// The form in which the edge sees a parameter's name (RFC 3986, section 6.2.2).
fn normal_parameter(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut normal = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let encoded = name.get(at + 1..at + 3).filter(|_| b == b'%');
        let encoded = encoded.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let (byte, plain) = match encoded.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                at += 2;
                (byte, byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
            }
            None => (b, b.is_ascii_alphanumeric() || b"-._~/:@!$()*+,;?".contains(&b)),
        };
        at += 1;
        if plain {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    normal
}

/// A region's name: free text on one line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region(pub(crate) String);

impl Word for Region {
    const WHAT: &'static str = "the name of a region";
    const PATTERN: &'static str = Name::PATTERN;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Name::parse(text).map(|Name(name)| Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_normal_form() {
        for (name, normal) in [
            ("utm_*", "utm_*"),
            ("filter[name]", "filter%5Bname%5D"),
            ("filter%5bname%5d", "filter%5Bname%5D"),
            ("%61", "a"),
            ("ä", "%C3%A4"),
            ("100%", "100%25"),
            ("%zz", "%25zz"),
            ("it's", "it%27s"),
            ("%€", "%25%E2%82%AC"),
        ] {
            assert_eq!(
                ParameterPattern::parse(name).map(|pattern| pattern.0),
                Ok(normal.to_owned()),
                "{name}"
            );
        }
    }

    proptest::proptest! {
        /// A parameter's name is keyed as it is named.
        #[test]
        fn a_parameter_is_named_as_the_edge_sees_it(name in "[ -\"$%'-<>-~ä€]{1,12}") {
            let sent = format!("/?{name}=1");
            if let (Ok(target), Ok(pattern)) = (levee::route::Target::normalise(&sent), ParameterPattern::parse(&name)) {
                let keyed = format!("{}=1", pattern.0);
                proptest::prop_assert_eq!(target.query(), Some(keyed.as_str()));
            }
        }
    }
}
