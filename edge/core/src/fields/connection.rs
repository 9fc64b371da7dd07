//! Fields that belong to one connection and are never passed on (RFC 9110, section 7.6.1).

use http::{HeaderMap, HeaderName, header};

use super::{credentials, list};

const HOP_BY_HOP: [HeaderName; 10] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether `name` is always bound to one connection.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
}

/// Fields that `Connection` cannot remove, beside those of [`KEPT_FAMILIES`]: what says who asks and whom, what may be stored and
/// for how long, what tells answers apart, and what guards a browser.
const KEPT: [&str; 44] = [
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "clear-site-data",
    "client-ip",
    "cookie",
    "date",
    "digest",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "forwarded-for",
    "from",
    "host",
    "last-event-id",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "permissions-policy",
    "pragma",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "repr-digest",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "true-client-ip",
    "user-agent",
    "vary",
    "via",
    "want-content-digest",
    "want-repr-digest",
    "warning",
    "www-authenticate",
    "x-host",
    "x-requested-with",
];

/// Beginnings of the names of such fields.
const KEPT_FAMILIES: [&str; 24] = [
    "accept",
    "access-control-",
    "cache-",
    "cdn-",
    "cf-",
    "content-",
    "cross-origin-",
    "fastly-",
    "if-",
    "levee-",
    "sec-",
    "signature",
    "surrogate-",
    "x-accel-",
    "x-amz-",
    "x-cache",
    "x-client-",
    "x-content-",
    "x-forwarded",
    "x-frame-",
    "x-http-method",
    "x-original-",
    "x-real-",
    "x-rewrite-",
];

/// Whether `Connection` may name this field as one that belongs to it.
///
/// RFC 9110, section 7.6.1 has a recipient remove whatever is named. But anyone can name `Cache-Control` in a response that
/// passes through it, or `Authorization` in a request, and the edge would decide by what it then no longer passes on. A field
/// that really belongs to one connection has no meaning beyond it: none of these is one.
fn may_be_named(name: &HeaderName) -> bool {
    let name = name.as_str();
    !(KEPT.contains(&name)
        || name.ends_with("-control")
        || KEPT_FAMILIES.iter().any(|family| name.starts_with(family))
        || credentials::is_credential(name, &[]))
}

/// Removes the fields of one connection, and those that `Connection` names and may name.
pub fn strip(fields: &mut HeaderMap) {
    strip_but(fields, |_| false);
}

/// The same, where `Connection` may not name what `is_kept` either.
pub fn strip_but(fields: &mut HeaderMap, is_kept: impl Fn(&str) -> bool) {
    if fields.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> =
            list::all(fields, "connection").filter_map(|name| name.parse().ok()).collect();
        for name in named.iter().filter(|name| may_be_named(name) && !is_kept(name.as_str())) {
            fields.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        fields.remove(name);
    }
}

/// Whether a request asks for another protocol on this connection (RFC 9110, section 7.8), whichever. Then it is not one that
/// the cache answers, also where a runtime has kept `Connection` to itself.
pub fn asks_for_upgrade(fields: &HeaderMap) -> bool {
    fields.contains_key(header::UPGRADE)
}

/// Whether a request may be upgraded: `Connection` says that it asks, and WebSocket (RFC 6455) is among what it asks for. Any
/// other protocol would be a tunnel in which the edge sees nothing any more: clear-text HTTP/2 above all.
pub fn may_be_upgraded(fields: &HeaderMap) -> bool {
    list::all(fields, "connection").any(|token| token.eq_ignore_ascii_case("upgrade"))
        && list::all(fields, "upgrade").any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_connection_names_goes_too() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("connection", "x-a, close"), ("x-a", "1"), ("keep-alive", "5"), ("x-b", "2")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        strip(&mut fields);
        assert_eq!(fields.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-b"]);
    }

    #[test]
    fn websocket_alone_is_upgraded() {
        let of = |upgrade: &'static str, connection: &'static str| {
            let mut fields = HeaderMap::new();
            fields.append("upgrade", HeaderValue::from_static(upgrade));
            fields.append("connection", HeaderValue::from_static(connection));
            (asks_for_upgrade(&fields), may_be_upgraded(&fields))
        };
        for upgraded in ["websocket", "WebSocket", "h2c, websocket"] {
            assert_eq!(of(upgraded, "keep-alive, Upgrade"), (true, true), "{upgraded}");
            assert_eq!(of(upgraded, "keep-alive"), (true, false), "{upgraded}");
        }
        for other in ["h2c", "TLS/1.0", "websocket2", "websocket/13", ""] {
            assert_eq!(of(other, "upgrade, http2-settings"), (true, false), "{other}");
        }
        assert!(!asks_for_upgrade(&HeaderMap::new()));
    }

    #[test]
    fn connection_cannot_remove_what_others_go_by() {
        for name in [
            "cache-control",
            "expires",
            "vary",
            "set-cookie",
            "age",
            "date",
            "etag",
            "last-modified",
            "pragma",
            "authorization",
            "cookie",
            "x-api-key",
            "host",
            "content-length",
            "content-type",
            "content-encoding",
            "content-security-policy",
            "cdn-cache-control",
            "cloudflare-cdn-cache-control",
            "surrogate-control",
            "surrogate-key",
            "cache-tag",
            "access-control-allow-origin",
            "www-authenticate",
            "x-frame-options",
            "x-forwarded-for",
            "x-forwarded-proto",
            "forwarded",
            "x-real-ip",
            "cf-connecting-ip",
            "via",
            "cdn-loop",
            "origin",
            "accept-encoding",
            "if-none-match",
            "range",
        ] {
            let mut fields = HeaderMap::new();
            for (field, value) in
                [("connection", "close, ".to_owned() + &name.to_ascii_uppercase()), (name, "1".into())]
            {
                fields.append(HeaderName::from_static(field), HeaderValue::from_str(&value).unwrap());
            }
            strip(&mut fields);
            assert_eq!(fields.keys().map(HeaderName::as_str).collect::<Vec<_>>(), [name]);
        }
    }
}
