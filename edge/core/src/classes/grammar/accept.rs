//! `Accept` (RFC 9110, section 12.5.1).

use super::{parts, weight};
use crate::classes::AcceptClass;

/// Browsers name at most ten, Java and old Androids a few more.
const MOST: usize = 20;

/// The media types that clients ask for without meaning a representation of one origin's own. A type that is not among them (an
/// API's version, a manifest of Docker's, ActivityPub) selects one of several, and is no ordinary value.
const KNOWN: [&str; 52] = [
    "*",
    "*/*",
    "application/ecmascript",
    "application/font-woff",
    "application/font-woff2",
    "application/javascript",
    "application/json",
    "application/ogg",
    "application/problem+json",
    "application/signed-exchange",
    "application/vnd.apple.mpegurl",
    "application/x-ecmascript",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/xhtml+xml",
    "application/xml",
    "audio/*",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "font/*",
    "font/woff",
    "font/woff2",
    "image/*",
    "image/apng",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/heic-sequence",
    "image/jpeg",
    "image/jxl",
    "image/jxr",
    "image/png",
    "image/sharpp",
    "image/svg+xml",
    "image/tpg",
    "image/webp",
    "image/wxpic",
    "image/x-icon",
    "text/*",
    "text/css",
    "text/event-stream",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/xml",
    "video/*",
    "video/mp4",
    "video/ogg",
    "video/webm",
];

/// Types that an origin may serve in place of what everyone else gets. First in a list they select.
const SELECTING: [&str; 4] = ["application/xml", "text/*", "text/plain", "text/xml"];

/// What browsers send most, each whole, so that it is not read part by part on each request.
const FREQUENT: [(&[u8], AcceptClass); 9] = [
    (b"*/*", AcceptClass::Other),
    (b"text/css,*/*;q=0.1", AcceptClass::Other),
    (b"application/json", AcceptClass::Json),
    (b"application/json, text/plain, */*", AcceptClass::Json),
    (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", AcceptClass::Html),
    (b"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", AcceptClass::Image),
    (b"image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", AcceptClass::Image),
    (
        b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
        AcceptClass::Html,
    ),
    (
        b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
        AcceptClass::Html,
    ),
];

/// The class of a value that many clients send. `None`: it has to be read.
pub(crate) fn frequent(value: &[u8]) -> Option<AcceptClass> {
    FREQUENT.iter().find(|(known, _)| *known == value).map(|(_, class)| *class)
}

/// Known media types with weights, of which the first does not ask for a form of its own ([`SELECTING`]), and among them HTML,
/// JSON, an event stream, or anything (`*/*`): a list that names one form and no other asks for that form.
pub(crate) fn accept(value: &[u8]) -> bool {
    frequent(value).is_some() || is_accept(value)
}

fn is_accept(value: &[u8]) -> bool {
    let is_one_of =
        |name: &[u8], names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    let (mut count, mut is_general) = (0, false);
    let is_known = ranges(value).all(|range| {
        count += 1;
        range.is_some_and(|(name, _)| {
            is_general |= is_one_of(name, &["*/*", "*", "text/html", "application/xhtml+xml"])
                || is_one_of(name, &["application/json", "text/event-stream"]);
            is_one_of(name, &KNOWN) && !(count == 1 && is_one_of(name, &SELECTING))
        })
    });
    value.len() <= 384 && is_known && is_general && count <= MOST
}

/// Each media range with its weight in thousandths. `None` for one with another parameter than a weight: only a signed exchange has a
/// version, and a character set is let through where it is UTF-8.
pub(crate) fn ranges(value: &[u8]) -> impl Iterator<Item = Option<(&[u8], u16)>> {
    parts(value, b',').map(|element| {
        let mut parts = parts(element, b';');
        let name = parts.next().unwrap_or_default();
        let mut weighted = 1000;
        for parameter in parts {
            match parameter {
                [b'q' | b'Q', b'=', text @ ..] => weighted = weight(text)?,
                b"v=b3" if name.eq_ignore_ascii_case(b"application/signed-exchange") => {}
                _ if parameter.eq_ignore_ascii_case(b"charset=utf-8") => {}
                _ => return None,
            }
        }
        Some((name, weighted))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn what_is_frequent_is_what_it_would_be_read_as() {
        for (value, class) in FREQUENT {
            let name = String::from_utf8_lossy(value);
            assert!(is_accept(value), "{name}");
            let mut fields = HeaderMap::new();
            // With an empty element at its end it has to be read.
            fields.append("accept", format!("{name},").parse().unwrap());
            assert_eq!(AcceptClass::of(&fields), class, "{name}");
        }
    }
}
