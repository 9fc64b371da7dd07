//! Byte ranges (RFC 9110, section 14) out of a complete stored response.

use std::fmt::Write;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::Answer;
use crate::fields::{self, list};

/// More parts than this, or parts that overlap, are not asked for in good faith: the whole is sent (section 14.2).
const MOST_PARTS: usize = 16;

/// First and last byte, both included.
pub type Part = (u64, u64);

/// What a `Range` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranged {
    Whole,
    One(Part),
    Many(Vec<Part>),
    Unsatisfiable,
}

/// Whether `Range` names more than one part.
pub fn asks_for_several(request: &HeaderMap) -> bool {
    request.get(header::RANGE).is_some_and(|range| range.as_bytes().contains(&b','))
}

/// Reads `Range` for a body of `length` bytes. What is malformed or of another unit is ignored.
pub fn select(request: &HeaderMap, length: u64) -> Ranged {
    let mut lines = request.get_all(header::RANGE).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Ranged::Whole };
    let Some((unit, set)) = line.to_str().ok().and_then(|line| line.split_once('=')) else {
        return Ranged::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranged::Whole;
    }
    let mut parts = Vec::new();
    let mut any = false;
    for spec in list::elements(set) {
        any = true;
        match parse(spec, length) {
            Some(Some(part)) => parts.push(part),
            Some(None) => {}
            None => return Ranged::Whole,
        }
    }
    match parts.as_slice() {
        _ if !any => Ranged::Whole,
        [] => Ranged::Unsatisfiable,
        &[part] => Ranged::One(part),
        parts if parts.len() > MOST_PARTS || overlap(parts) => Ranged::Whole,
        _ => Ranged::Many(parts),
    }
}

/// `None`: malformed. `Some(None)`: not within the body.
fn parse(spec: &str, length: u64) -> Option<Option<Part>> {
    let (first, last) = spec.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().unwrap_or(u64::MAX))
    };
    if first.is_empty() {
        let suffix = number(last)?;
        return Some((suffix > 0 && length > 0).then(|| (length.saturating_sub(suffix), length - 1)));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some((first < length).then(|| (first, last.min(length - 1))))
}

fn overlap(parts: &[Part]) -> bool {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[1].0 <= pair[0].1)
}

fn slice(body: &Bytes, part: Part) -> Bytes {
    // Within the body, as `select` has made sure, and so within what an address can hold.
    body.slice(part.0 as usize..=part.1 as usize)
}

/// Fields that describe the content of one message as it was sent, and so that of no other: what is sent without it, or with a
/// part of it, has none of them. `Repr-Digest` is of the representation, and stays (RFC 9530, sections 2 and 3). So is `Digest`
/// by the letter of RFC 3230; but servers have sent either under that name, which is why RFC 9530 has replaced it.
pub const OF_CONTENT: [HeaderName; 3] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
];

/// 416, with the length that is there (section 15.5.17): `length` in bytes.
///
/// Of the fields of the whole it has none that describes it, and none that lets a cache keep this answer: it would answer who asks
/// for the whole.
pub fn unsatisfiable(mut fields: HeaderMap, length: u64) -> Answer {
    let names: Vec<HeaderName> = fields.keys().filter(|name| is_of_the_whole(name)).cloned().collect();
    for name in names {
        fields.remove(name);
    }
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(&mut fields, &format!("bytes */{length}"));
    fields.insert(header::CONTENT_LENGTH, 0.into());
    Answer { status: StatusCode::RANGE_NOT_SATISFIABLE, fields, body: Bytes::new() }
}

/// Whether a field is about the response that a 416 stands in for: its content, its validators, its lifetime, its cookies.
fn is_of_the_whole(name: &HeaderName) -> bool {
    const ALONE: [&str; 12] = [
        "cache-tag",
        "digest",
        "etag",
        "expires",
        "last-modified",
        "link",
        "pragma",
        "repr-digest",
        "set-cookie",
        "signature",
        "signature-input",
        "surrogate-key",
    ];
    let name = name.as_str();
    ALONE.contains(&name)
        // `Cache-Control`, and what is targeted (RFC 9213).
        || name.ends_with("cache-control")
        || name == "surrogate-control"
        || (name.starts_with("content-") && !name.starts_with("content-security-policy"))
}

/// Makes the fields of a whole those of one part of it, which is of `of` bytes.
pub fn describe_part(fields: &mut HeaderMap, part: Part, of: u64) {
    without_content(fields);
    set(fields, &content_range(part, of));
    fields.insert(header::CONTENT_LENGTH, (part.1 - part.0 + 1).into());
}

/// Removes what describes content that is not sent, or not all of it ([`OF_CONTENT`]).
pub fn without_content(fields: &mut HeaderMap) {
    for name in OF_CONTENT {
        fields.remove(name);
    }
}

/// 206 with one part.
pub fn single(mut fields: HeaderMap, body: &Bytes, part: Part) -> Answer {
    describe_part(&mut fields, part, body.len() as u64);
    Answer { status: StatusCode::PARTIAL_CONTENT, fields, body: slice(body, part) }
}

/// 206 with several parts as `multipart/byteranges` (section 14.6).
pub fn multiple(mut fields: HeaderMap, body: &Bytes, parts: &[Part], secret: u64) -> Answer {
    let tag = fields.get(header::ETAG).map_or(&b""[..], HeaderValue::as_bytes);
    let boundary = boundary(secret, tag, body.len());
    let content_type = fields::text(&fields, "content-type").map(str::to_owned);
    let size: u64 = parts.iter().map(|part| part.1 - part.0 + 1).sum();
    // Beside the bytes of a part its delimiter and its fields: they are told in a few lines.
    let beside = 128 + boundary.len() + content_type.as_ref().map_or(0, String::len);
    let mut out = BytesMut::with_capacity(size as usize + (parts.len() + 1) * beside);
    for &part in parts {
        out.put_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        if let Some(content_type) = &content_type {
            out.put_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        let range = content_range(part, body.len() as u64);
        out.put_slice(format!("Content-Range: {range}\r\n\r\n").as_bytes());
        out.put_slice(&slice(body, part));
    }
    out.put_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    if let Ok(value) = HeaderValue::from_str(&format!("multipart/byteranges; boundary={boundary}")) {
        fields.insert(header::CONTENT_TYPE, value);
    }
    without_content(&mut fields);
    fields.remove(header::CONTENT_RANGE);
    fields.insert(header::CONTENT_LENGTH, out.len().into());
    Answer { status: StatusCode::PARTIAL_CONTENT, fields, body: out.freeze() }
}

/// A boundary that nobody who writes a body can foretell, and so none that comes up in one: `secret` is the instance's own. It is
/// the same for each request of one entry, so that parts may be asked for twice.
fn boundary(secret: u64, tag: &[u8], length: usize) -> String {
    let digest =
        Sha256::new_with_prefix(secret.to_le_bytes()).chain_update(length.to_le_bytes()).chain_update(tag);
    let mut boundary = String::from("levee-");
    for byte in &digest.finalize()[..16] {
        let _ = write!(boundary, "{byte:02x}");
    }
    boundary
}

fn content_range((first, last): Part, length: u64) -> String {
    format!("bytes {first}-{last}/{length}")
}

fn set(fields: &mut HeaderMap, content_range: &str) {
    if let Ok(value) = HeaderValue::from_str(content_range) {
        fields.insert(header::CONTENT_RANGE, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn select_of(range: &str, length: u64) -> Ranged {
        let mut fields = HeaderMap::new();
        fields.insert(header::RANGE, range.parse().unwrap());
        select(&fields, length)
    }

    #[test]
    fn forms() {
        assert_eq!(select_of("bytes=0-0", 10), Ranged::One((0, 0)));
        assert_eq!(select_of("bytes=5-", 10), Ranged::One((5, 9)));
        assert_eq!(select_of("bytes=-3", 10), Ranged::One((7, 9)));
        assert_eq!(select_of("bytes=-30", 10), Ranged::One((0, 9)));
        assert_eq!(select_of("bytes=0-1,4-5", 10), Ranged::Many(vec![(0, 1), (4, 5)]));
        assert_eq!(select_of("bytes=10-", 10), Ranged::Unsatisfiable);
        assert_eq!(select_of("bytes=-0", 10), Ranged::Unsatisfiable);
        for ignored in ["bytes=5-4", "bytes=a-", "lines=1-2", "bytes=0-4,2-6", "bytes=", "bytes"] {
            assert_eq!(select_of(ignored, 10), Ranged::Whole, "{ignored}");
        }
    }

    #[test]
    fn parts_are_cut_and_described() {
        let body = Bytes::from_static(b"0123456789");
        let answer = single(HeaderMap::new(), &body, (2, 4));
        assert_eq!(
            (&answer.body[..], &answer.fields["content-range"]),
            (&b"234"[..], &"bytes 2-4/10".parse().unwrap())
        );
        let many = multiple(HeaderMap::new(), &body, &[(0, 0), (9, 9)], 1);
        let text = String::from_utf8(many.body.to_vec()).unwrap();
        assert!(text.contains("Content-Range: bytes 9-9/10\r\n\r\n9\r\n--"), "{text}");
    }

    /// As an origin may send them, with a whole answer.
    fn whole() -> HeaderMap {
        let fields = [
            ("cache-control", "max-age=600"),
            ("cdn-cache-control", "max-age=600"),
            ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
            ("age", "7"),
            ("content-type", "text/plain"),
            ("content-encoding", "gzip"),
            ("content-language", "de"),
            ("content-location", "/a.de"),
            ("content-disposition", "attachment"),
            ("content-security-policy", "default-src 'none'"),
            ("content-digest", "sha-256=:YQ==:"),
            ("content-md5", "YQ=="),
            ("digest", "sha-256=YQ=="),
            ("repr-digest", "sha-256=:YQ==:"),
            ("etag", "\"1\""),
            ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("set-cookie", "a=1"),
            ("vary", "accept"),
            ("access-control-allow-origin", "*"),
            ("accept-ranges", "bytes"),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ];
        fields.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn changed(answer: &Answer) -> Vec<&'static str> {
        let before = whole();
        let mut gone: Vec<_> = ["content-range"].to_vec();
        gone.retain(|name| answer.fields.contains_key(*name));
        for name in before.keys() {
            if answer.fields.get(name) != before.get(name) {
                gone.push(match name.as_str() {
                    "content-digest" => "content-digest",
                    "content-md5" => "content-md5",
                    "digest" => "digest",
                    "content-type" => "content-type",
                    other => panic!("{other} was changed"),
                });
            }
        }
        gone.sort_unstable();
        gone
    }

    #[test]
    fn a_part_says_nothing_of_the_content_of_the_whole() {
        let body = Bytes::from_static(b"0123456789");
        let one = single(whole(), &body, (2, 4));
        assert_eq!(changed(&one), ["content-digest", "content-md5", "content-range", "digest"]);
        assert_eq!(one.fields["content-length"], "3");
        let many = multiple(whole(), &body, &[(0, 0), (9, 9)], 1);
        assert_eq!(changed(&many), ["content-digest", "content-md5", "content-type", "digest"]);
        assert_eq!(many.fields["content-length"], many.body.len().to_string());
    }

    #[test]
    fn a_416_is_kept_by_nobody_and_describes_nothing() {
        let answer = unsatisfiable(whole(), 10);
        let mut names: Vec<_> = answer.fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let kept = [
            "accept-ranges",
            "access-control-allow-origin",
            "age",
            "cache-control",
            "content-length",
            "content-range",
            "content-security-policy",
            "date",
            "vary",
        ];
        assert_eq!(names, kept);
        assert_eq!(answer.fields["content-range"], "bytes */10");
        assert_eq!(answer.fields["cache-control"], "no-store");
    }

    #[test]
    fn nobody_who_writes_a_body_can_foretell_the_boundary() {
        let of = |body: &'static [u8], secret| {
            let body = Bytes::from_static(body);
            let answer = multiple(HeaderMap::new(), &body, &[(0, 0), (2, 2)], secret);
            answer.fields[header::CONTENT_TYPE].to_str().unwrap().to_owned()
        };
        assert_eq!(of(b"abc", 1), of(b"abc", 1), "it is the same each time");
        assert_eq!(of(b"abc", 1), of(b"xyz", 1), "the bytes have no say in it, and are not gone through");
        assert_ne!(of(b"abc", 1), of(b"abc", 2));
    }

    proptest! {
        #[test]
        fn what_is_selected_lies_within(range in "bytes=[0-9,-]{0,20}", length in 0u64..30) {
            let parts = match select_of(&range, length) {
                Ranged::One(part) => vec![part],
                Ranged::Many(parts) => parts,
                _ => vec![],
            };
            for (first, last) in parts {
                prop_assert!(first <= last && last < length);
            }
        }
    }
}
