//! A request as hyper read it, in the pipeline's form.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Uri, Version};
use hyper::body::Incoming;
use levee::body::Pace;
use levee::classes::is_forwarding;
use levee::{Scheme, TrustedPeer};

use super::network::Network;
use crate::body::{Body, Intake};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The connection that a request came by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came<'a> {
    /// The address at the other end of the socket.
    pub(super) peer: IpAddr,
    /// The one at this end.
    pub(super) local: SocketAddr,
    pub(super) trusted: &'a [Network],
}

/// Translates. `pace` is the slowest that the body may come, `intake` counts what comes of it.
pub(super) fn translate(
    request: http::Request<Incoming>,
    came: &Came<'_>,
    pace: Pace,
    intake: &Arc<Intake>,
) -> levee::Request<Body> {
    let (parts, body) = request.into_parts();
    let Parts { method, uri, version, headers: mut fields, mut extensions, .. } = parts;
    if came.trusted.iter().any(|network| network.contains(came.peer)) {
        extensions.insert(TrustedPeer);
    }
    let mut authority = authority(&uri, &mut fields);
    if authority.is_empty() && version < Version::HTTP_11 && !fields.contains_key(HOST) {
        // Before HTTP/1.1 nobody had to say: then it is the address that was asked (RFC 9112, section 3.3).
        authority = came.local.to_string();
        if let Ok(host) = HeaderValue::from_str(&authority) {
            fields.insert(HOST, host);
        }
    }
    if version == Version::HTTP_2 {
        join_cookies(&mut fields);
    }
    let (client, scheme) = seen_by_proxies(came.peer, came.trusted, &fields);
    let target = match uri.path_and_query() {
        // Of another scheme than the edge serves: whole, it is no target, and the edge refuses it.
        Some(_) if !matches!(uri.scheme_str(), None | Some("http" | "https")) => uri.to_string(),
        Some(target) => target.as_str().to_owned(),
        // CONNECT alone has neither (RFC 9112, section 3.2.3).
        None => authority.clone(),
    };
    let client = Some(client);
    let body = Body::upload(body, pace, intake);
    levee::Request { method, scheme, authority, target, fields, body, client, extensions }
}

/// Authority, target and scheme of a request in HTTP/1.1's usual form, borrowed: as [`translate`] would have them. `None`: of
/// another form.
pub(super) fn line<'a, B>(
    request: &'a http::Request<B>,
    peer: IpAddr,
    trusted: &[Network],
) -> Option<(&'a str, &'a str, Scheme)> {
    if request.version() != Version::HTTP_11 || request.uri().authority().is_some() {
        return None;
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return None };
    let target = request.uri().path_and_query()?.as_str();
    let scheme = seen_by_proxies(peer, trusted, request.headers()).1;
    Some((host.to_str().ok()?, target, scheme))
}

/// The host that is meant: the target's before the field's, and then `Host` says the same (RFC 9112, section 3.2.2).
/// Where there is none, or more than one, what comes out is no host, and the edge refuses it.
fn authority(uri: &Uri, fields: &mut HeaderMap) -> String {
    if let Some(authority) = uri.authority() {
        if let Ok(host) = HeaderValue::from_str(authority.as_str()) {
            fields.insert(HOST, host);
        }
        return authority.as_str().to_owned();
    }
    let mut hosts = fields.get_all(HOST).iter();
    let mut host = hosts.next().map_or_else(String::new, text);
    for further in hosts {
        host.push_str(", ");
        host.push_str(&text(further));
    }
    host
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// HTTP/2 may split cookies, other protocols may not (RFC 9113, section 8.2.3).
fn join_cookies(fields: &mut HeaderMap) {
    let mut cookies = fields.get_all(COOKIE).iter();
    if cookies.next().is_none() || cookies.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = fields.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        fields.insert(COOKIE, joined);
    }
}

/// A forwarding field that is not believed, because the peer is no trusted proxy.
pub(super) fn not_believed<'a>(
    peer: IpAddr,
    trusted: &[Network],
    fields: &'a HeaderMap,
) -> Option<&'a HeaderName> {
    let is_trusted = || trusted.iter().any(|network| network.contains(peer));
    fields.keys().find(|name| is_forwarding(name)).filter(|_| !is_trusted())
}

/// Who the client is and how it came, as far as a trusted proxy says.
fn seen_by_proxies(peer: IpAddr, trusted: &[Network], fields: &HeaderMap) -> (IpAddr, Scheme) {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !is_trusted(peer) {
        return (peer, Scheme::Http);
    }
    let scheme = match fields.get(FORWARDED_PROTO) {
        Some(scheme) if scheme.as_bytes().eq_ignore_ascii_case(b"https") => Scheme::Https,
        _ => Scheme::Http,
    };
    // Each proxy appends whom it was asked by: from the right, the first that is no proxy of ours is the client.
    let mut client = peer;
    for line in fields.get_all(FORWARDED_FOR).iter().rev() {
        for address in line.to_str().unwrap_or_default().rsplit(',') {
            let Ok(address) = address.trim().parse::<IpAddr>() else { return (client, scheme) };
            client = address.to_canonical();
            if !is_trusted(client) {
                return (client, scheme);
            }
        }
    }
    (client, scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        fields
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let said =
            fields(&[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2"), ("x-forwarded-proto", "https")]);
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &proxies, &said), (ip("203.0.113.9"), Scheme::Https));
        assert_eq!(seen_by_proxies(ip("192.0.2.1"), &proxies, &said), (ip("192.0.2.1"), Scheme::Http));
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &[], &said), (ip("10.0.0.1"), Scheme::Http));
    }

    #[test]
    fn what_is_not_believed_is_named() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let said = fields(&[("accept", "*/*"), ("x-forwarded-for", "203.0.113.9")]);
        assert_eq!(not_believed(ip("192.0.2.1"), &proxies, &said).unwrap(), "x-forwarded-for");
        assert_eq!(not_believed(ip("10.0.0.1"), &[], &said).unwrap(), "x-forwarded-for");
        assert_eq!(not_believed(ip("10.0.0.1"), &proxies, &said), None);
        assert_eq!(not_believed(ip("192.0.2.1"), &proxies, &fields(&[("accept", "*/*")])), None);
    }

    #[test]
    fn what_a_proxy_cannot_have_said_ends_the_search() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let said = fields(&[("x-forwarded-for", "203.0.113.9, nonsense, 10.0.0.2")]);
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &proxies, &said).0, ip("10.0.0.2"));
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &proxies, &fields(&[])).0, ip("10.0.0.1"));
    }

    #[test]
    fn the_usual_form_is_read_without_a_copy() {
        let request = |uri: &'static str, hosts: &[&'static str]| {
            let mut request = http::Request::new(());
            *request.uri_mut() = Uri::from_static(uri);
            for host in hosts {
                request.headers_mut().append(HOST, HeaderValue::from_static(host));
            }
            request
        };
        let peer = ip("203.0.113.1");
        let usual = request("/a?b", &["x.example"]);
        assert_eq!(line(&usual, peer, &[]), Some(("x.example", "/a?b", Scheme::Http)));
        for unusual in
            [request("http://y.example/a", &["x.example"]), request("/a", &[]), request("/a", &["x", "y"])]
        {
            assert_eq!(line(&unusual, peer, &[]), None);
        }
        let mut older = request("/a", &["x.example"]);
        *older.version_mut() = Version::HTTP_2;
        assert_eq!(line(&older, peer, &[]), None);
    }

    #[test]
    fn cookies_are_one_field() {
        let mut split = fields(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut split);
        assert_eq!(split.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn the_target_names_the_host_before_the_field_does() {
        let mut said = fields(&[("host", "b.example")]);
        let uri = Uri::from_static("http://a.example:81/x");
        assert_eq!(authority(&uri, &mut said), "a.example:81");
        assert_eq!(said[HOST], "a.example:81");
        let origin_form = Uri::from_static("/x");
        assert_eq!(authority(&origin_form, &mut fields(&[("host", "b.example")])), "b.example");
        assert_eq!(authority(&origin_form, &mut fields(&[])), "");
        assert_eq!(authority(&origin_form, &mut fields(&[("host", "a"), ("host", "b")])), "a, b");
    }
}
