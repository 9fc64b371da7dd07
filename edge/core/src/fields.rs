//! HTTP fields that the cache reads or writes, each in its own file.

pub mod accept;
pub mod cache_control;
pub mod connection;
pub mod credentials;
pub mod date;
pub mod etag;
pub mod list;
pub mod structured;
pub mod vary;

use http::HeaderMap;

pub use cache_control::CacheControl;

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
