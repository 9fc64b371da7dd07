//! A request as hyper read it, in the pipeline's form.

use std::net::IpAddr;

use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Uri, Version};
use hyper::body::Incoming;
use levee::Scheme;

use super::network::Network;
use crate::body::Body;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What is wrong with a request before anything is decided (RFC 9112, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the request has no Host field")]
    NoHost,
    #[error("the request has more than one Host field")]
    ManyHosts,
    #[error("the Host field is not text")]
    Host,
}

/// Translates. `peer` is the address at the other end of the socket.
pub(super) fn translate(
    request: http::Request<Incoming>,
    peer: IpAddr,
    trusted: &[Network],
) -> Result<levee::Request<Body>, Malformed> {
    let (parts, body) = request.into_parts();
    let Parts { method, uri, version, headers: mut fields, extensions, .. } = parts;
    let authority = authority(&uri, version, &mut fields)?;
    if version == Version::HTTP_2 {
        join_cookies(&mut fields);
    }
    let (client, scheme) = seen_by_proxies(peer, trusted, &fields);
    let target = match uri.path_and_query() {
        Some(target) => target.as_str().to_owned(),
        // CONNECT alone has neither (RFC 9112, section 3.2.3).
        None => authority.clone(),
    };
    Ok(levee::Request {
        method,
        scheme,
        authority,
        target,
        fields,
        body: body.into(),
        client: Some(client),
        extensions,
    })
}

/// The host that is meant. Afterwards `Host` says the same (RFC 9112, section 3.2.2).
fn authority(uri: &Uri, version: Version, fields: &mut HeaderMap) -> Result<String, Malformed> {
    let mut hosts = fields.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Malformed::ManyHosts);
    }
    if let Some(authority) = uri.authority() {
        let authority = authority.as_str().to_owned();
        let host = HeaderValue::from_str(&authority).map_err(|_| Malformed::Host)?;
        fields.insert(HOST, host);
        return Ok(authority);
    }
    match host {
        Some(host) => host.to_str().map(str::to_owned).map_err(|_| Malformed::Host),
        // What HTTP/1.0 need not say.
        None if version < Version::HTTP_11 => Ok(String::new()),
        None => Err(Malformed::NoHost),
    }
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
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
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
    fn what_a_proxy_cannot_have_said_ends_the_search() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let said = fields(&[("x-forwarded-for", "203.0.113.9, nonsense, 10.0.0.2")]);
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &proxies, &said).0, ip("10.0.0.2"));
        assert_eq!(seen_by_proxies(ip("10.0.0.1"), &proxies, &fields(&[])).0, ip("10.0.0.1"));
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
        assert_eq!(authority(&uri, Version::HTTP_11, &mut said), Ok("a.example:81".to_owned()));
        assert_eq!(said[HOST], "a.example:81");
        let origin_form = Uri::from_static("/x");
        assert_eq!(authority(&origin_form, Version::HTTP_11, &mut fields(&[])), Err(Malformed::NoHost));
        assert_eq!(authority(&origin_form, Version::HTTP_10, &mut fields(&[])), Ok(String::new()));
        let mut two = HeaderMap::new();
        two.append(HOST, HeaderValue::from_static("a"));
        two.append(HOST, HeaderValue::from_static("b"));
        assert_eq!(authority(&origin_form, Version::HTTP_11, &mut two), Err(Malformed::ManyHosts));
    }
}
