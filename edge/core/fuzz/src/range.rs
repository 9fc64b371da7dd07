//! Byte ranges: every part is cut out where it says.

use bytes::Bytes;
use http::{HeaderMap, Method};
use levee::config::Policy;
use levee::entry::Entry;
use levee::respond::from_entry;
use levee::respond::range::{Ranged, select};

use super::input::Input;
use super::stored::{Parts, START, plain};

/// A length (2), then the request's fields, an empty line, the response's fields. The body counts its bytes.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let length = usize::from(input.short() % 2_048);
    let request = input.fields();
    let response = input.fields();
    let body: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();

    match select(&request, length as u64) {
        Ranged::Whole | Ranged::Unsatisfiable => {}
        Ranged::One(part) => is_within(&[part], length),
        Ranged::Many(parts) => {
            assert!((2..=16).contains(&parts.len()));
            is_within(&parts, length);
        }
    }
    let parts = Parts { body: Bytes::from(body.clone()), ..plain("k".into(), response) };
    let entry = Entry::new(parts, &Policy::default());
    let answer = from_entry(&Method::GET, &request, &entry, &Policy::default(), START);
    match answer.status.as_u16() {
        206 => partial(&answer.fields, &answer.body, &body),
        200 => assert_eq!(answer.body, body),
        304 | 412 | 416 => assert!(answer.body.is_empty()),
        other => panic!("{other}"),
    }
}

fn is_within(parts: &[(u64, u64)], length: usize) {
    assert!(parts.iter().all(|&(first, last)| first <= last && last < length as u64));
    for (at, a) in parts.iter().enumerate() {
        assert!(parts[at + 1..].iter().all(|b| a.1 < b.0 || b.1 < a.0), "{parts:?} overlap");
    }
}

/// Reads a 206 as a client would.
pub fn partial(fields: &HeaderMap, sent: &[u8], whole: &[u8]) {
    let text = |name: &str| fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    assert_eq!(text("content-length"), sent.len().to_string());
    let Some(boundary) = text("content-type").strip_prefix("multipart/byteranges; boundary=") else {
        assert_eq!(sent, cut(text("content-range"), whole));
        return;
    };
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = sent.strip_prefix(delimiter.as_bytes()).expect("a delimiter");
    let mut parts = 0;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let blank = find(part, b"\r\n\r\n").expect("fields end");
        let (head, content) = (&part[..blank], &part[blank + 4..]);
        let head = String::from_utf8_lossy(head);
        let range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).expect("a range");
        let end = find(content, delimiter.as_bytes()).expect("a delimiter");
        assert_eq!(&content[..end], cut(range, whole));
        rest = &content[end + delimiter.len()..];
        parts += 1;
    }
    assert_eq!(rest, b"--\r\n");
    assert!(parts > 1);
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// What `Content-Range` names.
fn cut<'a>(range: &str, whole: &'a [u8]) -> &'a [u8] {
    let read = || {
        let (span, length) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?, length.parse::<usize>().ok()?))
    };
    let (first, last, length) = read().unwrap_or_else(|| panic!("Content-Range: {range}"));
    assert_eq!(length, whole.len());
    &whole[first..=last]
}
