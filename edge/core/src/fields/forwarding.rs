//! Fields in which a proxy says who its client is and how it came (RFC 7239, `Forwarded`, and the older ones).

use http::{HeaderMap, HeaderName};

/// Their names. All that begin with `x-forwarded-` count too.
const NAMES: [&str; 10] = [
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-remote-addr",
];

/// The first field of a request that speaks of another client than the one that sent it. Underscores count as hyphens, because
/// gateways of applications read them so. `None`: the request has none.
pub fn find(fields: &HeaderMap) -> Option<&HeaderName> {
    fields.keys().find(|name| is_one(name.as_str()))
}

fn is_one(name: &str) -> bool {
    // This is asked of each field of each request, and hardly any begins so.
    if !matches!(
        name.as_bytes(),
        [b'x', b'-' | b'_', ..] | [b'c', b'l', ..] | [b'f', b'a' | b'o', ..] | [b't', b'r', ..]
    ) {
        return false;
    }
    begins(name, "x-forwarded-") || NAMES.iter().any(|known| name.len() == known.len() && begins(name, known))
}

fn begins(name: &str, known: &str) -> bool {
    let hyphen = |byte| if byte == b'_' { b'-' } else { byte };
    name.len() >= known.len() && name.bytes().zip(known.bytes()).all(|(a, b)| hyphen(a) == b)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn each_spelling_is_found() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_host",
            "x-forwarded-proto",
            "x-real-ip",
            "true-client-ip",
        ] {
            let mut fields = HeaderMap::new();
            fields.insert("accept", HeaderValue::from_static("*/*"));
            fields.insert(HeaderName::from_static(name), HeaderValue::from_static("192.0.2.1"));
            assert_eq!(find(&fields).map(HeaderName::as_str), Some(name));
        }
    }

    #[test]
    fn each_name_of_the_list_is_found() {
        assert!(NAMES.iter().all(|name| is_one(name)));
    }

    #[test]
    fn other_fields_are_not() {
        let mut fields = HeaderMap::new();
        for name in ["cookie", "from", "te", "traceparent", "x-forwarded", "x-real-ipv6", "x-requested-with"]
        {
            fields.insert(HeaderName::from_static(name), HeaderValue::from_static("192.0.2.1"));
        }
        assert_eq!(find(&fields), None);
    }
}
