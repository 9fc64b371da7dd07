//! `Cache-Control` and `Priority` of a request.

use super::{is_number, parts};

/// `Cache-Control`: the directives of requests (RFC 9111, section 5.2.1; RFC 5861), and those of responses that front ends send
/// by mistake. A number where one belongs, and nothing else.
pub(crate) fn cache_control(value: &[u8]) -> bool {
    const PLAIN: [&str; 9] = [
        "immutable",
        "must-revalidate",
        "no-cache",
        "no-store",
        "no-transform",
        "only-if-cached",
        "private",
        "proxy-revalidate",
        "public",
    ];
    const SECONDS: [&str; 6] =
        ["max-age", "max-stale", "min-fresh", "s-maxage", "stale-if-error", "stale-while-revalidate"];
    let is_among =
        |names: &[&str], name: &[u8]| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    value.len() <= 128
        && parts(value, b',').all(|directive| match directive.iter().position(|&b| b == b'=') {
            Some(at) => is_among(&SECONDS, &directive[..at]) && is_number(&directive[at + 1..]),
            None => is_among(&PLAIN, directive) || directive.eq_ignore_ascii_case(b"max-stale"),
        })
}

/// `Priority` (RFC 9218, section 4): urgency and incremental, each at most once.
pub(crate) fn priority(value: &[u8]) -> bool {
    let (mut urgency, mut incremental) = (0, 0);
    parts(value, b',').all(|member| {
        match member {
            [b'u', b'=', b'0'..=b'7'] => urgency += 1,
            b"i" | b"i=?0" | b"i=?1" => incremental += 1,
            _ => return false,
        }
        urgency <= 1 && incremental <= 1
    })
}
