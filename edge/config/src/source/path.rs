//! Path patterns of routes, and plain paths.

use super::word::{Word, Wrong};

/// A path with `*` and `**`, as `levee::config::PathPattern` matches it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path(pub(crate) String);

/// A pattern with more of them is a mistake; matching would bear it.
const MOST_DOUBLE_STARS: usize = 3;

impl Word for Path {
    const WHAT: &'static str = "a path such as \"/api/films/*\"";
    const PATTERN: &'static str = r"^/[^?#\\\s]*$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        check_path(text)?;
        let segments = || text[1..].split('/');
        if segments().any(|segment| segment.contains("**") && segment != "**") {
            return Err(Wrong::new("has `**` within a segment").help(
                "`**` is a whole segment, as in \"/api/**\"; within one `*` stands for any run of characters",
            ));
        }
        if segments().filter(|segment| *segment == "**").count() > MOST_DOUBLE_STARS {
            return Err(Wrong::new(format!("has `**` more than {MOST_DOUBLE_STARS} times")));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The path that a health check asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HealthPath(pub(crate) String);

impl Word for HealthPath {
    const WHAT: &'static str = "a path such as \"/healthz\"";
    const PATTERN: &'static str = r"^/[^?#\\\s]*$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        check_path(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// What a normalised path may hold (RFC 3986, sections 3.3 and 6.2.2): anything else would never match.
fn check_path(text: &str) -> Result<(), Wrong> {
    if !text.starts_with('/') {
        let wrong = Wrong::new("does not start with `/`");
        return Err(if text.contains("://") {
            wrong.help("a path alone, without scheme and host")
        } else {
            wrong.help(format!("write \"/{text}\""))
        });
    }
    if text.contains('?') {
        let help = "a route is chosen by its path; `key.query` says which parameters tell answers apart";
        return Err(Wrong::new("holds a query").help(help));
    }
    if text.contains('#') {
        return Err(Wrong::new("holds a fragment").help("a fragment never leaves the browser"));
    }
    if let Some(segment) = text.split('/').find(|segment| segment.contains(['{', '}'])) {
        return Err(Wrong::new(format!("has the segment `{segment}`"))
            .help("patterns have no names for segments: write `*` for any one segment"));
    }
    if let Some(c) = text.chars().find(|c| !is_plain(*c)) {
        let mut utf8 = [0; 4];
        let encoded: String = c.encode_utf8(&mut utf8).bytes().map(|b| format!("%{b:02X}")).collect();
        return Err(Wrong::new(format!("holds {c:?}")).help(format!("percent-encode it: `{encoded}`")));
    }
    if let Some(segment) = text.split('/').find(|segment| matches!(*segment, "." | "..")) {
        return Err(Wrong::new(format!("has the segment `{segment}`"))
            .help("paths are matched when dot segments are resolved: such a one never comes"));
    }
    check_percent(text)
}

/// What stands for itself in a normalised path, and the `%` of what does not.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~/:@!$&'()*+,;=%".contains(c)
}

fn check_percent(text: &str) -> Result<(), Wrong> {
    for (at, _) in text.match_indices('%') {
        let triplet = text.get(at..at + 3).unwrap_or(&text[at..]);
        let Some(byte) = triplet
            .get(1..)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| triplet.len() == 3 && triplet[1..].bytes().all(|b| b.is_ascii_hexdigit()))
        else {
            return Err(
                Wrong::new("has a `%` that no two hexadecimal digits follow").help("`%` itself is `%25`")
            );
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            return Err(Wrong::new(format!("holds `{triplet}`"))
                .help(format!("paths are matched with it decoded: write `{}`", char::from(byte))));
        }
        if triplet.bytes().any(|b| b.is_ascii_lowercase()) {
            return Err(Wrong::new(format!("holds `{triplet}`")).help(format!(
                "paths are matched with upper-case digits: write `{}`",
                triplet.to_ascii_uppercase()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use levee::route::Target;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What stands in a pattern is what the edge sees once it has normalised a request.
        #[test]
        fn paths_are_in_normal_form(path in "/[a-b/.%0-9A-Fa-f:@!$&'()+,;=~_\\[\\]{}|\\\\^ \"<>ä-]{0,16}") {
            let normal = Target::normalise(&path).ok().is_some_and(|target| target.path() == path);
            let message = Path::parse(&path).err().map(|wrong| wrong.why);
            prop_assert_eq!(message.is_none(), normal, "{:?}", message);
        }
    }
}
