//! Byte ranges (RFC 9110, section 14) out of a complete stored response.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};

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

/// 416, with the length that is there (section 15.5.17).
pub fn unsatisfiable(mut fields: HeaderMap, length: u64) -> Answer {
    for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ETAG, header::LAST_MODIFIED] {
        fields.remove(name);
    }
    set(&mut fields, &format!("bytes */{length}"));
    fields.insert(header::CONTENT_LENGTH, 0.into());
    Answer { status: StatusCode::RANGE_NOT_SATISFIABLE, fields, body: Bytes::new() }
}

/// 206 with one part.
pub fn single(mut fields: HeaderMap, body: &Bytes, part: Part) -> Answer {
    let bytes = slice(body, part);
    describe(&mut fields, part, body.len() as u64);
    fields.insert(header::CONTENT_LENGTH, bytes.len().into());
    Answer { status: StatusCode::PARTIAL_CONTENT, fields, body: bytes }
}

/// Makes the fields of a whole of `length` bytes those of one part, but for `Content-Length`.
pub fn describe(fields: &mut HeaderMap, part: Part, length: u64) {
    set(fields, &content_range(part, length));
}

/// 206 with several parts as `multipart/byteranges` (section 14.6).
pub fn multiple(mut fields: HeaderMap, body: &Bytes, parts: &[Part]) -> Answer {
    let boundary = boundary(body);
    let content_type = fields::text(&fields, "content-type").map(str::to_owned);
    let mut out = BytesMut::new();
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
    fields.remove(header::CONTENT_RANGE);
    fields.insert(header::CONTENT_LENGTH, out.len().into());
    Answer { status: StatusCode::PARTIAL_CONTENT, fields, body: out.freeze() }
}

/// A boundary that does not come up in the body, tried in turn: deterministic, so that a test can read it.
fn boundary(body: &Bytes) -> String {
    let mut counter = 0u64;
    loop {
        let boundary = format!("levee-{:08x}-{counter}", crc32fast::hash(body));
        let marker = format!("--{boundary}");
        if !body.windows(marker.len()).any(|window| window == marker.as_bytes()) {
            return boundary;
        }
        counter += 1;
    }
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
        let many = multiple(HeaderMap::new(), &body, &[(0, 0), (9, 9)]);
        let text = String::from_utf8(many.body.to_vec()).unwrap();
        assert!(text.contains("Content-Range: bytes 9-9/10\r\n\r\n9\r\n--"), "{text}");
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
