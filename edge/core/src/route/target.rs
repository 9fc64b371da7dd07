//! The request target in the one form that routes match, that is keyed, and that the origin is sent.

use std::borrow::Cow;

/// A normalised target: path and query.
///
/// Two spellings of one resource become one string (RFC 3986, section 6.2.2): dot segments are resolved, percent-encoded
/// unreserved characters are decoded, hexadecimal digits are upper case, what may not stand in a target is encoded, and
/// an empty query is dropped. An encoded slash stays encoded, because it is not a separator. The form is also left alone
/// by the URL parser that browsers and `fetch` use, so that what is keyed is what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    text: Cow<'a, str>,
    path_len: usize,
}

/// Why a target is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("the request target must start with `/`")]
    NotOriginForm,
    #[error("the request target holds a control character")]
    Control,
    #[error("the path holds a `%` that is not followed by two hexadecimal digits")]
    PercentEncoding,
    #[error("the path holds an encoded null byte")]
    Null,
    #[error("the request target holds a fragment (`#`), which is never sent")]
    Fragment,
}

impl<'a> Target<'a> {
    /// Normalises a target in origin form (RFC 9112, section 3.2.1).
    pub fn normalise(raw: &'a str) -> Result<Self, TargetError> {
        if !raw.starts_with('/') {
            return Err(TargetError::NotOriginForm);
        }
        let (path, query) = match raw.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (raw, None),
        };
        if query != Some("") && is_plain(path) && query.is_none_or(|query| query.bytes().all(is_plain_query))
        {
            return Ok(Self { text: Cow::Borrowed(raw), path_len: path.len() });
        }
        let mut text = encode(path, Part::Path)?;
        remove_dot_segments(&mut text);
        let path_len = text.len();
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            text.push('?');
            text.push_str(&encode(query, Part::Query)?);
        }
        Ok(Self { text: Cow::Owned(text), path_len })
    }

    /// The same, independent of what it was read from.
    pub fn into_owned(self) -> Target<'static> {
        Target { text: Cow::Owned(self.text.into_owned()), path_len: self.path_len }
    }

    pub fn path(&self) -> &str {
        &self.text[..self.path_len]
    }

    /// The query without its question mark; never empty.
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_len + 1..)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Path,
    Query,
}

/// Nothing in it could be written another way, and no segment is a dot segment.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|b| is_literal(b, Part::Path))
        && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn is_plain_query(b: u8) -> bool {
    is_literal(b, Part::Query)
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Whether a byte stands for itself in this part.
fn is_literal(b: u8, part: Part) -> bool {
    is_unreserved(b)
        || matches!(
            b,
            b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
        )
        || match part {
            // `fetch` would encode it in a query, and only there.
            Part::Path => b == b'\'',
            Part::Query => b == b'?',
        }
}

fn encode(part_text: &str, part: Part) -> Result<String, TargetError> {
    let bytes = part_text.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        at += 1;
        match b {
            b'%' => match bytes.get(at..at + 2).and_then(decode_hex) {
                Some(0) if part == Part::Path => return Err(TargetError::Null),
                Some(decoded) => {
                    at += 2;
                    if is_unreserved(decoded) {
                        out.push(decoded as char);
                    } else {
                        push_encoded(&mut out, decoded);
                    }
                }
                // Readers of queries take a lone `%` for itself; in a path they differ.
                None if part == Part::Query => push_encoded(&mut out, b'%'),
                None => return Err(TargetError::PercentEncoding),
            },
            b'#' => return Err(TargetError::Fragment),
            0..=0x1f | 0x7f => return Err(TargetError::Control),
            _ if is_literal(b, part) => out.push(b as char),
            _ => push_encoded(&mut out, b),
        }
    }
    Ok(out)
}

fn decode_hex(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| (b as char).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

fn push_encoded(out: &mut String, b: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(HEX[usize::from(b >> 4)] as char);
    out.push(HEX[usize::from(b & 15)] as char);
}

/// RFC 3986, section 5.2.4. Above the root there is nothing: `/../a` is `/a`.
fn remove_dot_segments(path: &mut String) {
    if !path.contains("/.") {
        return;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in path[1..].split('/') {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if open || kept.is_empty() {
        out.push('/');
    }
    *path = out;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(raw: &str) -> String {
        Target::normalise(raw).unwrap().as_str().to_owned()
    }

    #[test]
    fn one_form_for_one_resource() {
        for (raw, wanted) in [
            ("/", "/"),
            ("/a/../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/./b/.", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/../../a", "/a"),
            ("/..", "/"),
            ("/a%2fb", "/a%2Fb"),
            ("/a/..%2fb", "/a/..%2Fb"),
            ("/%7Euser/%41", "/~user/A"),
            ("/a\\..\\b", "/a%5C..%5Cb"),
            ("/a?", "/a"),
            ("/a??", "/a??"),
            ("/a?q=100%", "/a?q=100%25"),
            ("/a?q='x'", "/a?q=%27x%27"),
            ("/a?b=%2f..%2F", "/a?b=%2F..%2F"),
            ("/a?b=/../c", "/a?b=/../c"),
            ("/ä b", "/%C3%A4%20b"),
            ("//a//b", "//a//b"),
            ("/a/..;/b", "/a/..;/b"),
        ] {
            assert_eq!(normal(raw), wanted, "{raw}");
        }
    }

    #[test]
    fn what_cannot_be_read_safely_is_refused() {
        for (raw, why) in [
            ("", TargetError::NotOriginForm),
            ("a", TargetError::NotOriginForm),
            ("*", TargetError::NotOriginForm),
            ("/%", TargetError::PercentEncoding),
            ("/%zz", TargetError::PercentEncoding),
            ("/%2", TargetError::PercentEncoding),
            ("/%00", TargetError::Null),
            ("/a\nb", TargetError::Control),
            ("/a?b\tc", TargetError::Control),
            ("/a#b", TargetError::Fragment),
        ] {
            assert_eq!(Target::normalise(raw), Err(why), "{raw}");
        }
    }

    #[test]
    fn parts() {
        let target = Target::normalise("/a/../b?c=d").unwrap();
        assert_eq!((target.path(), target.query()), ("/b", Some("c=d")));
        let target = Target::normalise("/b?").unwrap();
        assert_eq!((target.path(), target.query()), ("/b", None));
    }

    proptest! {
        #[test]
        fn normal_form_is_stable(raw in "/[/.%a-fA-F0-9?&='\\\\ ~ä-]{0,40}") {
            if let Ok(target) = Target::normalise(&raw) {
                let again = Target::normalise(target.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), target.as_str());
                prop_assert_eq!(again.path(), target.path());
                prop_assert!(target.as_str().is_ascii());
                prop_assert!(target.path().split('/').all(|s| s != "." && s != ".."));
            }
        }
    }
}
