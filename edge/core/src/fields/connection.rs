//! Fields that belong to one connection and are never passed on (RFC 9110, section 7.6.1).

use http::{HeaderMap, HeaderName, header};

use super::list;

const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether `name` is always bound to one connection.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name) || name == "proxy-connection"
}

/// Removes the fields of one connection, and those that `Connection` names.
pub fn strip(fields: &mut HeaderMap) {
    if fields.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> =
            list::all(fields, "connection").filter_map(|name| name.parse().ok()).collect();
        for name in named {
            // A client must not be able to make the edge drop what frames or routes the message.
            if name != header::HOST && name != header::CONTENT_LENGTH {
                fields.remove(name);
            }
        }
    }
    for name in HOP_BY_HOP {
        fields.remove(name);
    }
    fields.remove("proxy-connection");
}

/// Whether a request asks for another protocol on this connection, such as WebSocket (RFC 9110, section 7.8).
pub fn is_upgrade(fields: &HeaderMap) -> bool {
    fields.contains_key(header::UPGRADE)
        && list::all(fields, "connection").any(|token| token.eq_ignore_ascii_case("upgrade"))
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
}
