//! `Accept-Language` (RFC 9110, section 12.5.4).

use super::{parts, weight};

/// Browsers list the languages of a person, who speaks a few.
const MOST: usize = 24;

/// Language tags with weights. Of RFC 5646, section 2.1: a language of two or three letters and up to three subtags (script,
/// region, variant), or `*`.
pub(crate) fn languages(value: &[u8]) -> bool {
    value.len() <= 256
        && value.split(|&b| b == b',').count() <= MOST
        && ranges(value).all(|range| range.is_some())
}

/// Each language with its weight in thousandths; `None` for what is none.
pub(crate) fn ranges(value: &[u8]) -> impl Iterator<Item = Option<(&[u8], u16)>> {
    parts(value, b',').map(|element| {
        let mut parts = parts(element, b';');
        let tag = parts.next().filter(|tag| is_tag(tag))?;
        let weight = match parts.next() {
            Some(parameter) => {
                weight(parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?)?
            }
            None => 1000,
        };
        parts.next().is_none().then_some((tag, weight))
    })
}

fn is_tag(tag: &[u8]) -> bool {
    let mut subtags = tag.split(|&b| b == b'-');
    let language = subtags.next().unwrap_or_default();
    if tag == b"*" {
        return true;
    }
    (2..=3).contains(&language.len())
        && language.iter().all(u8::is_ascii_alphabetic)
        && subtags.clone().count() <= 3
        && subtags
            .all(|subtag| (2..=8).contains(&subtag.len()) && subtag.iter().all(u8::is_ascii_alphanumeric))
}
