//! Fields on their way between WASI and `http`.

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use spin_sdk::wasip3::http::types::{Fields, HeaderError};

/// What is of one connection alone (RFC 9110, section 7.6.1), and is never written: the runtime speaks for each connection by
/// itself, and most of these make the whole message an error there. `Host` follows the URL, and `Content-Length` the body.
static OF_THE_CONNECTION: [HeaderName; 13] = [
    CONNECTION,
    CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HOST,
    HeaderName::from_static("http2-settings"),
];

/// Reads lines, but for those whose name `is_taken`. What is not a field by `http`'s rules (the runtime has checked them
/// before) is left out.
pub(crate) fn read(fields: &Fields, mut is_taken: impl FnMut(&str, &[u8]) -> bool) -> HeaderMap {
    let lines = fields.copy_all();
    let mut map = HeaderMap::with_capacity(lines.len());
    for (name, value) in lines {
        if is_taken(&name, &value) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value));
        if let (Ok(name), Ok(value)) = (name, value) {
            map.append(name, value);
        }
    }
    map
}

/// As the runtime takes them; `length` is the body's, where it is said. A body without one goes out in chunks.
///
/// # Errors
/// What the runtime says of them.
pub(crate) fn write(fields: &HeaderMap, length: Option<u64>) -> Result<Fields, String> {
    Fields::from_list(&lines(fields, length)).map_err(refused)
}

/// The lines that are passed on, and the length.
fn lines(fields: &HeaderMap, length: Option<u64>) -> Vec<(String, Vec<u8>)> {
    let mut lines = Vec::with_capacity(fields.len() + 1);
    for (name, value) in fields {
        if !OF_THE_CONNECTION.contains(name) {
            lines.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
    }
    if let Some(length) = length {
        lines.push((CONTENT_LENGTH.as_str().to_owned(), length.to_string().into_bytes()));
    }
    lines
}

fn refused(error: HeaderError) -> String {
    match error {
        HeaderError::InvalidSyntax => "a field is not written as RFC 9110 has it".to_owned(),
        HeaderError::Forbidden => "a field is one that the runtime keeps to itself".to_owned(),
        HeaderError::Immutable => "the fields cannot be changed".to_owned(),
        HeaderError::SizeExceeded => "the fields are larger than the runtime allows".to_owned(),
        HeaderError::Other(reason) => reason.unwrap_or_else(|| "the runtime refuses a field".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_written_but_those_of_the_connection() {
        let mut map = HeaderMap::new();
        for (name, value) in [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("proxy-status", "levee")] {
            map.append(name, HeaderValue::from_static(value));
        }
        for name in &OF_THE_CONNECTION {
            map.append(name, HeaderValue::from_static("5"));
        }
        map.append("x", HeaderValue::from_bytes(b"\xe9").expect("a value"));
        let written = lines(&map, None);
        let has = |name: &str, value: &[u8]| written.contains(&(name.to_owned(), value.to_vec()));
        assert!(has("set-cookie", b"a=1") && has("set-cookie", b"b=2") && has("proxy-status", b"levee"));
        assert!(has("x", b"\xe9"), "bytes stay bytes");
        assert_eq!(written.len(), 4, "{written:?}");
    }

    #[test]
    fn the_length_is_the_bodys_and_not_the_fields() {
        let mut map = HeaderMap::new();
        map.insert(CONTENT_LENGTH, HeaderValue::from_static("3"));
        assert_eq!(lines(&map, Some(5)), [("content-length".to_owned(), b"5".to_vec())]);
        assert_eq!(lines(&map, None), []);
    }
}
