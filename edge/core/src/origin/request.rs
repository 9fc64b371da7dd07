//! The fields that the origin is sent.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{Credentials, Forward, Policy};
use crate::fields::{accept, connection, credentials, list};
use crate::identity;
use crate::request::Scheme;
use crate::respond::access::TOKEN;

/// Fields of a shareable request that reach the origin whatever the policy says.
const ALWAYS: [HeaderName; 4] =
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

/// How the client reached the edge: what the edge itself tells the origin.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    pub scheme: Scheme,
    pub authority: &'a str,
    pub client: Option<IpAddr>,
    /// Of the deployment ([`crate::identity`]).
    pub identity: &'a str,
}

/// Whether a field of a shareable request reaches the origin (so that an answer may depend on it).
pub fn is_forwarded(name: &str, policy: &Policy) -> bool {
    match &policy.forward {
        _ if is_keyed(name, policy) => true,
        Forward::All => {
            matches!(policy.credentials, Credentials::Pass | Credentials::Authorization)
                || !credentials::is_credential(name, &policy.credential_fields)
        }
        Forward::Fields(extra) => {
            ALWAYS.iter().any(|field| field == name) || extra.iter().any(|field| field == name)
        }
    }
}

/// Whether a field is part of the key by name.
fn is_keyed(name: &str, policy: &Policy) -> bool {
    let named = |names: &[String]| names.iter().any(|field| field == name);
    let credential = match &policy.credentials {
        Credentials::Key { fields, .. } => named(fields),
        _ => false,
    };
    credential || named(&policy.key.fields)
}

/// Names of the fields that reach the origin with every shareable request without being keyed. Where all fields do, and where
/// `forward` names more, the policy has taken that on itself.
pub fn unkeyed(policy: &Policy) -> Vec<HeaderName> {
    if policy.forward == Forward::All {
        return Vec::new();
    }
    let keyed = |name: &HeaderName| policy.key.fields.iter().any(|keyed| keyed == name.as_str());
    ALWAYS.into_iter().filter(|name| !keyed(name)).collect()
}

/// The fields of a shareable request: what the policy keys or forwards, and what the edge writes.
pub fn shared_fields(client: &HeaderMap, policy: &Policy, hop: &Hop<'_>) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(16);
    for name in client.keys() {
        if !is_forwarded(name.as_str(), policy) || CONDITIONS.contains(name) || name == header::HOST {
            continue;
        }
        for value in client.get_all(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    // What tells entries apart is what the origin is sent.
    connection::strip_but(&mut fields, |name| is_keyed(name, policy));
    fields.remove(header::EXPECT);
    fields.remove(TOKEN);
    if let Credentials::Key { cookies, .. } = &policy.credentials {
        let kept: Vec<Vec<u8>> = cookies
            .iter()
            .filter_map(|name| Some([name.as_bytes(), b"=", credentials::cookie(client, name)?].concat()))
            .collect();
        fields.remove(header::COOKIE);
        insert_bytes(&mut fields, header::COOKIE, &kept.join(&b"; "[..]));
    }
    normalise(&mut fields, &header::ACCEPT_ENCODING, accept::encodings);
    let languages = if policy.key.sort_languages { accept::languages_sorted } else { accept::languages };
    normalise(&mut fields, &header::ACCEPT_LANGUAGE, languages);
    // Origins that block what does not say who it is see the edge, unless the client's own is forwarded.
    if !is_forwarded(header::USER_AGENT.as_str(), policy) {
        insert(&mut fields, header::USER_AGENT, concat!("levee/", env!("CARGO_PKG_VERSION")));
    }
    keep_way(&mut fields, client);
    add_hop(&mut fields, hop);
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
pub fn whole_fields(client: &HeaderMap, hop: &Hop<'_>) -> HeaderMap {
    let mut fields = client.clone();
    connection::strip(&mut fields);
    fields.remove(header::EXPECT);
    fields.remove(TOKEN);
    if connection::may_be_upgraded(client) {
        fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        fields.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    if let Some(client) = hop.client {
        append_element(&mut fields, &HeaderName::from_static("x-forwarded-for"), &client.to_string());
    }
    add_hop(&mut fields, hop);
    fields
}

/// `Via` (RFC 9110, section 7.6.3), `CDN-Loop` (RFC 8586), and how the client reached the edge.
fn add_hop(fields: &mut HeaderMap, hop: &Hop<'_>) {
    append_element(fields, &header::VIA, "1.1 levee");
    append_element(fields, &CDN_LOOP, hop.identity);
    insert(fields, HeaderName::from_static("x-forwarded-host"), hop.authority);
    insert(fields, HeaderName::from_static("x-forwarded-proto"), hop.scheme.as_str());
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

    const HOP: Hop<'_> =
        Hop { scheme: Scheme::Https, authority: "a.example", client: None, identity: "levee-0a" };

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for &(name, value) in pairs {
            fields.append(name, HeaderValue::from_static(value));
        }
        fields
    }

    #[test]
    fn nothing_unkeyed_reaches_the_origin() {
        let client = map(&[
            ("accept-encoding", "GZIP, br"),
            ("x-forwarded-host", "evil.example"),
            ("x-original-url", "/admin"),
            ("user-agent", "x"),
            ("range", "bytes=0-1"),
            ("if-none-match", "\"1\""),
            ("x-tenant", "t"),
            ("cdn-loop", "other; a=\"b, levee-0b;c"),
        ]);
        let policy = Policy { forward: Forward::Fields(vec!["x-tenant".into()]), ..Policy::default() };
        let fields = shared_fields(&client, &policy, &HOP);
        assert_eq!(fields["accept-encoding"], "br,gzip");
        assert_eq!(fields["x-forwarded-host"], "a.example");
        assert_eq!(fields["x-tenant"], "t");
        for absent in ["x-original-url", "range", "if-none-match"] {
            assert!(!fields.contains_key(absent), "{absent}");
        }
        assert_ne!(fields["user-agent"], "x");
        assert_eq!(fields["cdn-loop"], "levee-0b, levee-0a");
    }

    #[test]
    fn connection_cannot_remove_what_is_keyed() {
        let client =
            map(&[("x-tenant", "1"), ("x-key", "2"), ("x-a", "3"), ("connection", "x-tenant, x-key, x-a")]);
        let policy = Policy {
            credentials: Credentials::Key { cookies: vec![], fields: vec!["x-key".into()] },
            key: crate::config::KeyPolicy { fields: vec!["x-tenant".into()], ..Default::default() },
            forward: Forward::All,
            ..Policy::default()
        };
        let fields = shared_fields(&client, &policy, &HOP);
        assert!(fields["x-tenant"] == "1" && fields["x-key"] == "2");
        assert!(!fields.contains_key("x-a"));
    }

    #[test]
    fn stripped_and_keyed_credentials() {
        let client = map(&[("cookie", "sid=1; lang=de"), ("authorization", "Bearer x")]);
        let strip = Policy { credentials: Credentials::Strip, forward: Forward::All, ..Policy::default() };
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
        assert_eq!(fields["accept-language"], HeaderValue::from_bytes(b"de,\xe4;q=0.5").unwrap());
    }

    #[test]
    fn only_a_websocket_is_asked_for() {
        let client = map(&[
            ("connection", "upgrade, HTTP2-Settings"),
            ("upgrade", "h2c, WebSocket"),
            ("http2-settings", "AAMA"),
        ]);
        let fields = whole_fields(&client, &HOP);
        assert!(fields["connection"] == "upgrade" && fields["upgrade"] == "websocket");
        assert!(!fields.contains_key("http2-settings"));
        for refused in [
            map(&[("connection", "upgrade"), ("upgrade", "h2c")]),
            map(&[("upgrade", "websocket")]),
            map(&[("connection", "upgrade")]),
            map(&[("http2-settings", "AAMA")]),
        ] {
            let fields = whole_fields(&refused, &HOP);
            for name in ["connection", "upgrade", "http2-settings"] {
                assert!(!fields.contains_key(name), "{refused:?}");
            }
        }
    }

    #[test]
    fn a_whole_request_keeps_all_but_its_connection() {
        let client = map(&[("x-a", "1"), ("connection", "x-b"), ("x-b", "2"), ("via", "1.0 old")]);
        let fields = whole_fields(&client, &Hop { client: Some([127, 0, 0, 1].into()), ..HOP });
        assert_eq!(fields["x-a"], "1");
        assert!(!fields.contains_key("x-b"));
        assert_eq!(fields["via"], "1.0 old, 1.1 levee");
        assert_eq!(fields["cdn-loop"], "levee-0a");
        assert_eq!(fields["x-forwarded-for"], "127.0.0.1");
    }
}
