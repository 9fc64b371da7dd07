//! HTTP fields that the cache reads or writes, each in its own file.

pub mod accept;
pub mod cache_control;
pub mod connection;
pub mod cookies;
pub mod credentials;
pub mod date;
pub mod directive;
pub mod etag;
pub mod list;
pub mod structured;
pub mod transfer;
pub mod vary;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use cache_control::CacheControl;

/// A copy that shares no memory with the original: values that were read from a connection are slices of what it has read.
pub fn owned(fields: &HeaderMap) -> HeaderMap {
    let mut copy = HeaderMap::with_capacity(fields.keys_len());
    for (name, value) in fields {
        let name = owned_name(name);
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone());
        copy.append(name, value);
    }
    copy
}

/// The same of one name.
pub(crate) fn owned_name(name: &HeaderName) -> HeaderName {
    HeaderName::from_bytes(name.as_str().as_bytes()).unwrap_or_else(|_| name.clone())
}

/// Bytes that fields take in memory, roughly: names, values, and what a map keeps beside them.
pub fn weight(fields: &HeaderMap) -> usize {
    // A bucket, its place in the table, and the allocation of a value.
    const LINE: usize = 160;
    fields.iter().map(|(name, value)| name.as_str().len() + value.len() + LINE).sum()
}

/// The first value of a field as text; `None` where it is missing or not visible ASCII.
pub fn text<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(|value| value.to_str().ok())
}

/// Seconds as RFC 9111, section 1.2.2 reads them: digits only; what is too large is the largest.
pub fn delta_seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX).min(1 << 31))
}
