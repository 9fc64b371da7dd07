//! The fields that the origin is sent.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::classes::{is_added_on_the_way, is_foreign};
use crate::config::{Credentials, Policy};
use crate::fields::{accept, connection, cookies, credentials, list};
use crate::identity;
use crate::request::Scheme;
use crate::respond::access::TOKEN;

/// Fields by which clients negotiate, so that errors may differ by them whether or not they say so.
const NEGOTIATED: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::ACCEPT_ENCODING, header::ORIGIN];

/// Conditions and ranges: on a fill the edge wants the whole answer and puts the client's conditions to it itself.
pub(crate) const CONDITIONS: [HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How the client reached the edge: what the edge itself tells the origin.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    pub scheme: Scheme,
    pub authority: &'a str,
    pub client: Option<IpAddr>,
    /// Whether a trusted proxy sent the request, so that its own forwarding fields hold where the request goes through whole.
    pub trusted: bool,
    /// Of the deployment ([`crate::identity`]).
    pub identity: &'a str,
}

/// Whether a field of a shareable request reaches the origin as the client sent it: all do, but for credentials that the policy
/// removes.
pub fn is_forwarded(name: &str, policy: &Policy) -> bool {
    is_keyed(name, policy)
        || matches!(policy.credentials, Credentials::Pass | Credentials::Authorization)
        || !credentials::is_credential(name, &policy.credential_fields)
}

/// Whether a field is part of the key by name.
pub(crate) fn is_keyed(name: &str, policy: &Policy) -> bool {
    let named = |names: &[String]| names.iter().any(|field| field == name);
    let credential = match &policy.credentials {
        Credentials::Key { fields, .. } => named(fields),
        _ => false,
    };
    credential || named(&policy.key.fields)
}

/// Names of the fields by which an error is told apart, beside what it says itself. A plain shared cache goes by `Vary` alone.
pub fn unkeyed(policy: &Policy) -> Vec<HeaderName> {
    if !policy.selects() {
        return Vec::new();
    }
    NEGOTIATED.into_iter().filter(|name| !is_keyed(name.as_str(), policy)).collect()
}

/// Whether the policy says by name what a field does: it is keyed, or counts for nothing. Such a field is never removed.
pub(crate) fn is_named(name: &str, policy: &Policy) -> bool {
    is_keyed(name, policy) || policy.forward.iter().any(|field| field == name)
}

/// The fields of a request whose response may be shared: the client's, and what the edge writes. What is left out is listed in
/// docs/fields.md: what belongs to one connection, conditions and ranges (the edge answers them), what clients say of how they
/// came, credentials that the policy removes, cookies that are ignored, and a `Referer` of another site.
pub fn shared_fields(client: &HeaderMap, policy: &Policy, hop: &Hop<'_>) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(client.keys_len() + 4);
    for name in client.keys() {
        let is_removed = CONDITIONS.contains(name)
            || !is_forwarded(name.as_str(), policy)
            || (is_added_on_the_way(name) && !is_named(name.as_str(), policy))
            || matches!(*name, header::HOST | header::EXPECT | header::VIA)
            || name == TOKEN;
        if is_removed {
            continue;
        }
        for value in client.get_all(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    // What tells entries apart is what the origin is sent.
    connection::strip_but(&mut fields, |name| is_keyed(name, policy));
    if cookies::are_ignored(client, policy) {
        fields.remove(header::COOKIE);
    }
    if let Credentials::Key { cookies: keyed, .. } = &policy.credentials {
        let kept: Vec<Vec<u8>> = keyed
            .iter()
            .filter_map(|name| Some([name.as_bytes(), b"=", cookies::cookie(client, name)?].concat()))
            .collect();
        fields.remove(header::COOKIE);
        insert_bytes(&mut fields, header::COOKIE, &kept.join(&b"; "[..]));
    }
    if policy.selects()
        && fields.get(header::REFERER).is_some_and(|referer| is_foreign(referer, hop.authority))
    {
        fields.remove(header::REFERER);
    }
    normalise(&mut fields, &header::ACCEPT_ENCODING, accept::encodings);
    if policy.key.sort_languages {
        normalise(&mut fields, &header::ACCEPT_LANGUAGE, accept::languages_sorted);
    }
    keep_way(&mut fields, client);
    // The client's address is the one input that tells nothing apart. Where the policy itself assigns lifetimes, the origin did
    // not say that its response is for others, so it does not learn who asks.
    let client = hop.client.filter(|_| !(policy.selects() && policy.assigns_lifetimes()));
    add_hop(&mut fields, policy, &Hop { client, ..*hop });
    fields
}

/// A fill tells which deployments of Levee its request has passed, and nothing else that is not keyed: a circle through several
/// is seen by that.
fn keep_way(fields: &mut HeaderMap, client: &HeaderMap) {
    fields.remove(CDN_LOOP);
    if let Some(hops) = list::joined(client, CDN_LOOP.as_str()) {
        let passed: Vec<&[u8]> = identity::passed(&hops).collect();
        insert_bytes(fields, CDN_LOOP, &passed.join(&b", "[..]));
    }
}

/// The fields of a request that goes through whole.
pub fn whole_fields(client: &HeaderMap, policy: &Policy, hop: &Hop<'_>) -> HeaderMap {
    let mut fields = client.clone();
    connection::strip(&mut fields);
    fields.remove(header::EXPECT);
    fields.remove(TOKEN);
    if !hop.trusted {
        let untrue: Vec<HeaderName> = fields
            .keys()
            .filter(|name| is_added_on_the_way(name) && !is_named(name.as_str(), policy))
            .cloned()
            .collect();
        for name in untrue {
            fields.remove(name);
        }
    }
    if connection::may_be_upgraded(client) {
        fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    add_hop(&mut fields, policy, hop);
    fields
}

/// `Via` (RFC 9110, section 7.6.3), `CDN-Loop` (RFC 8586), and how the client reached the edge.
fn add_hop(fields: &mut HeaderMap, policy: &Policy, hop: &Hop<'_>) {
    if policy.via {
        append_element(fields, &header::VIA, "1.1 levee");
    }
    append_element(fields, &CDN_LOOP, hop.identity);
    insert(fields, HeaderName::from_static("x-forwarded-host"), hop.authority);
    insert(fields, HeaderName::from_static("x-forwarded-proto"), hop.scheme.as_str());
    fields.remove(&FORWARDED_FOR);
    if let Some(client) = hop.client {
        insert(fields, FORWARDED_FOR, &client.to_string());
    }
}

fn normalise(fields: &mut HeaderMap, name: &HeaderName, normal: fn(&str) -> String) {
    let Some(joined) = list::joined(fields, name.as_str()) else { return };
    // Bytes above ASCII come through as they are.
    let value: Vec<u8> = normal(&list::latin1(&joined)).chars().map(|c| c as u8).collect();
    fields.remove(name);
    insert_bytes(fields, name.clone(), &value);
}

fn insert(fields: &mut HeaderMap, name: HeaderName, value: &str) {
    insert_bytes(fields, name, value.as_bytes());
}

fn insert_bytes(fields: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value)
        && !value.is_empty()
    {
        fields.insert(name, value);
    }
}

/// Adds an element to a list field, on one line.
fn append_element(fields: &mut HeaderMap, name: &HeaderName, element: &str) {
    let value = match list::joined(fields, name.as_str()) {
        Some(mut line) => {
            line.extend_from_slice(b", ");
            line.extend_from_slice(element.as_bytes());
            HeaderValue::from_bytes(&line)
        }
        None => HeaderValue::from_str(element),
    };
    if let Ok(value) = value {
        fields.insert(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOP: Hop<'_> = Hop {
        scheme: Scheme::Https,
        authority: "a.example",
        client: None,
        trusted: false,
        identity: "levee-0a",
    };

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for &(name, value) in pairs {
            fields.append(name, HeaderValue::from_static(value));
        }
        fields
    }

    #[test]
    fn the_origin_sees_what_the_client_sent_but_for_what_is_listed() {
        let client = map(&[
            ("accept-encoding", "GZIP, br"),
            ("accept-language", "de , en"),
            ("user-agent", "x"),
            ("git-protocol", "version=2"),
            ("x-original-url", "/admin"),
            ("referer", "https://a.example/before"),
            ("x-forwarded-host", "evil.example"),
            ("x_forwarded_for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("range", "bytes=0-1"),
            ("if-none-match", "\"1\""),
            ("via", "1.1 other"),
            ("cdn-loop", "other; a=\"b, levee-0b;c"),
        ]);
        let fields = shared_fields(&client, &Policy::default(), &HOP);
        for (name, value) in [
            ("accept-encoding", "br,gzip"),
            ("accept-language", "de , en"),
            ("user-agent", "x"),
            ("git-protocol", "version=2"),
            ("x-original-url", "/admin"),
            ("referer", "https://a.example/before"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "https"),
            ("cdn-loop", "levee-0b, levee-0a"),
        ] {
            assert_eq!(fields[name], value, "{name}");
        }
        for absent in ["range", "if-none-match", "via", "forwarded", "x_forwarded_for", "x-forwarded-for"] {
            assert!(!fields.contains_key(absent), "{absent}");
        }
        let foreign = map(&[("referer", "https://b.example/a.example")]);
        assert!(!shared_fields(&foreign, &Policy::default(), &HOP).contains_key("referer"));
    }

    #[test]
    fn forwarding_fields_hold_where_they_are_named_or_of_a_trusted_proxy() {
        let client = map(&[("x-forwarded-user", "ann"), ("x-forwarded-for", "6.6.6.6")]);
        let shared = |policy: &Policy, hop: &Hop<'_>| shared_fields(&client, policy, hop);
        let hop = Hop { client: Some([192, 0, 2, 1].into()), ..HOP };
        assert!(!shared(&Policy::default(), &hop).contains_key("x-forwarded-user"));
        let named = Policy { forward: vec!["x-forwarded-user".into()], ..Policy::default() };
        assert_eq!(shared(&named, &hop)["x-forwarded-user"], "ann");
        let fields = whole_fields(&client, &Policy::default(), &Hop { trusted: true, ..hop });
        assert!(fields["x-forwarded-user"] == "ann" && fields["x-forwarded-for"] == "192.0.2.1");
    }

    #[test]
    fn who_asks_is_not_told_where_the_policy_assigns_the_lifetime() {
        let hop = Hop { client: Some([192, 0, 2, 1].into()), ..HOP };
        let mut policy = Policy::default();
        assert_eq!(shared_fields(&HeaderMap::new(), &policy, &hop)["x-forwarded-for"], "192.0.2.1");
        policy.ttl.default = std::time::Duration::from_secs(1);
        assert!(!shared_fields(&HeaderMap::new(), &policy, &hop).contains_key("x-forwarded-for"));
    }

    #[test]
    fn connection_cannot_remove_what_is_keyed() {
        let client =
            map(&[("x-tenant", "1"), ("x-key", "2"), ("x-a", "3"), ("connection", "x-tenant, x-key, x-a")]);
        let policy = Policy {
            credentials: Credentials::Key { cookies: vec![], fields: vec!["x-key".into()] },
            key: crate::config::KeyPolicy { fields: vec!["x-tenant".into()], ..Default::default() },
            ..Policy::default()
        };
        let fields = shared_fields(&client, &policy, &HOP);
        assert!(fields["x-tenant"] == "1" && fields["x-key"] == "2");
        assert!(!fields.contains_key("x-a"));
    }

    #[test]
    fn stripped_and_keyed_credentials() {
        let client = map(&[("cookie", "sid=1; lang=de"), ("authorization", "Bearer x")]);
        let strip = Policy { credentials: Credentials::Strip, ..Policy::default() };
        let fields = shared_fields(&client, &strip, &HOP);
        assert!(!fields.contains_key("cookie") && !fields.contains_key("authorization"));
        let key = Policy {
            credentials: Credentials::Key { cookies: vec!["lang".into()], fields: vec![] },
            ..Policy::default()
        };
        assert_eq!(shared_fields(&client, &key, &HOP)["cookie"], "lang=de");
    }

    #[test]
    fn bytes_above_ascii_are_passed_on() {
        let mut client = HeaderMap::new();
        let line = HeaderValue::from_bytes(b"name=J\xf6rg; lang=de").unwrap();
        client.insert("cookie", line);
        client.insert("accept-language", HeaderValue::from_bytes(b"de, \xe4;q=0.5").unwrap());
        let policy = Policy {
            credentials: Credentials::Key { cookies: vec!["name".into(), "lang".into()], fields: vec![] },
            ..Policy::default()
        };
        let fields = shared_fields(&client, &policy, &HOP);
        assert_eq!(fields["cookie"], HeaderValue::from_bytes(b"name=J\xf6rg; lang=de").unwrap());
        assert_eq!(fields["accept-language"], HeaderValue::from_bytes(b"de, \xe4;q=0.5").unwrap());
    }

    #[test]
    fn only_a_websocket_is_asked_for() {
        let client = map(&[
            ("connection", "upgrade, HTTP2-Settings"),
            ("upgrade", "h2c, WebSocket"),
            ("http2-settings", "AAMA"),
        ]);
        let fields = whole_fields(&client, &Policy::default(), &HOP);
        assert!(fields["connection"] == "upgrade" && fields["upgrade"] == "websocket");
        assert!(!fields.contains_key("http2-settings"));
        for refused in [
            map(&[("connection", "upgrade"), ("upgrade", "h2c")]),
            map(&[("upgrade", "websocket")]),
            map(&[("connection", "upgrade")]),
            map(&[("http2-settings", "AAMA")]),
        ] {
            let fields = whole_fields(&refused, &Policy::default(), &HOP);
            for name in ["connection", "upgrade", "http2-settings"] {
                assert!(!fields.contains_key(name), "{refused:?}");
            }
        }
    }

    #[test]
    fn a_whole_request_keeps_all_but_its_connection() {
        let client = map(&[("x-a", "1"), ("connection", "x-b"), ("x-b", "2"), ("via", "1.0 old")]);
        let client = [client, map(&[("x-forwarded-for", "6.6.6.6"), ("x_forwarded_host", "evil.example")])];
        let client = client.into_iter().flatten().filter_map(|(name, value)| Some((name?, value))).collect();
        let hop = Hop { client: Some([127, 0, 0, 1].into()), ..HOP };
        let via = Policy { via: true, ..Policy::default() };
        let fields = whole_fields(&client, &via, &hop);
        assert_eq!(fields["x-a"], "1");
        assert!(!fields.contains_key("x_forwarded_host"));
        assert!(!fields.contains_key("x-b"));
        assert_eq!(fields["via"], "1.0 old, 1.1 levee");
        assert_eq!(fields["cdn-loop"], "levee-0a");
        assert_eq!(fields["x-forwarded-for"], "127.0.0.1");
    }
}
