//! The normal form of request targets.

use levee::route::Target;

/// The input is a target as it may arrive.
pub fn check(data: &[u8]) {
    let Ok(raw) = std::str::from_utf8(data) else { return };
    let Ok(target) = Target::normalise(raw) else { return };
    let text = target.as_str();
    let again = Target::normalise(text).expect("a normal form can be read");
    assert_eq!((again.as_str(), again.path()), (text, target.path()), "a normal form is its own");
    assert!(text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'\\'));
    assert!(!target.path().split('/').any(|segment| matches!(segment, "." | "..")));
    assert_eq!(target.query().is_some(), text.contains('?'));
    // What is keyed is what is sent: the URL parser of browsers and `fetch` leaves it alone, and so does `http`.
    let url = format!("https://a.example{text}");
    assert_eq!(url::Url::parse(&url).expect("a URL").as_str(), url);
    let uri = http::uri::PathAndQuery::try_from(text);
    if text.len() < usize::from(u16::MAX) {
        assert_eq!(uri.expect("a URI").as_str(), text);
    }
    equivalent(raw, text);
}

/// Decoded once, the normal form says what the raw form says: nothing is decoded twice, nothing is lost. Dot segments
/// and queries aside, whose structure changes.
fn equivalent(raw: &str, normal: &str) {
    let path = |text: &str| text.split('?').next().unwrap_or("").to_owned();
    let (raw, normal) = (path(raw), path(normal));
    let (raw, normal) = (decoded(&raw), decoded(&normal));
    if raw.windows(2).any(|pair| pair == b"/.") {
        return;
    }
    assert_eq!(raw, normal);
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&b| (b as char).to_digit(16));
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        match (b, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 3;
            }
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    out
}
