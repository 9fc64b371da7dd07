//! Who may look into an edge: its status page, and how it explains its answers.
//!
//! Whoever shows the token may. On the developer's own machine nobody has to, but what reaches a loopback address comes not
//! only from there: a proxy on the same host brings requests of others, and any page that the developer opens has the browser
//! ask. So each request is looked at by itself ([`is_local`]).

use base64ct::{Base64, Encoding};
use http::{HeaderMap, HeaderName, StatusCode, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use crate::edge::Access;
use crate::fields;
use crate::key;
use crate::request::Scheme;

/// The request field that shows the token where `Authorization` is the request's own. It is never passed on.
pub const TOKEN: &str = "levee-token";

/// Who asks to look into the edge.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub scheme: Scheme,
    /// Normalised ([`key::authority`]).
    pub authority: &'a str,
    /// As the client sent them.
    pub fields: &'a HeaderMap,
}

/// Lets through who may look into the edge, or says what is missing.
///
/// # Errors
/// 403 where nobody from elsewhere may, 401 where a token is needed.
pub fn check(access: &Access, visitor: &Visitor<'_>) -> Result<(), Problem> {
    if access.local && is_local(visitor) {
        return Ok(());
    }
    let Some(token) = access.token.as_deref().filter(|token| !token.is_empty()) else {
        let detail = if access.local {
            "without a token it is open on this machine alone: ask by a loopback address such as `localhost`, not through a \
             proxy and not from another site's page; or set the secret LEVEE_STATUS_TOKEN and show it"
        } else {
            "set the secret LEVEE_STATUS_TOKEN to turn it on"
        };
        return Err(Problem::new(StatusCode::FORBIDDEN, "status-off", "The status page is off", detail));
    };
    if shows_token(visitor, token) {
        return Ok(());
    }
    Err(Problem {
        authenticate: Some("Basic realm=\"Levee\", charset=\"UTF-8\""),
        ..Problem::new(
            StatusCode::UNAUTHORIZED,
            "token-needed",
            "A token is needed",
            "send `Authorization: Bearer TOKEN` with the value of LEVEE_STATUS_TOKEN; a browser asks: any name, the token as password",
        )
    })
}

/// Whether a request asks for what only its operator may know of it, and may.
pub fn is_debug(access: &Access, visitor: &Visitor<'_>) -> bool {
    visitor.fields.contains_key(TOKEN) && check(access, visitor).is_ok()
}

/// Whether a request comes from the machine that the edge runs on, as far as a request can show it: it names a loopback host,
/// which a page of another site cannot (DNS rebinding included); no proxy says that it brings it; and no page of another
/// origin has a browser ask.
///
/// A proxy that says nothing of itself cannot be told from a local client: behind one, a deployment sets a token.
fn is_local(visitor: &Visitor<'_>) -> bool {
    is_loopback(visitor.authority) && !is_forwarded(visitor.fields) && !is_cross_origin(visitor)
}

/// `localhost`, 127.0.0.0/8 and `[::1]`.
fn is_loopback(authority: &str) -> bool {
    let host = key::host(authority);
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Fields by which a proxy says that it brings a request, beside those of [`FAMILIES`].
const FORWARDING: [&str; 17] = [
    "ali-cdn-real-ip",
    "cdn-loop",
    "client-ip",
    "do-connecting-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "forwarded-for",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-nginx-proxy",
    "x-proxyuser-ip",
    "x-remote-addr",
    "x-remote-ip",
];

/// Beginnings of the names of such fields.
const FAMILIES: [&str; 9] = [
    "cf-",
    "proxy-",
    "x-amzn-",
    "x-appengine-",
    "x-azure-",
    "x-envoy-",
    "x-forwarded",
    "x-original-",
    "x-real-",
];

/// Whether a proxy says that it brings this request.
fn is_forwarded(fields: &HeaderMap) -> bool {
    fields.keys().any(|name| {
        let by_proxy = FORWARDING.contains(&name.as_str())
            || FAMILIES.iter().any(|family| name.as_str().starts_with(family));
        by_proxy && !names_this_machine(fields, name)
    })
}

/// `wrangler dev` tells of its local clients as Cloudflare tells of the distant ones. Who sends this field to pass for local
/// could leave it out just as well.
fn names_this_machine(fields: &HeaderMap, name: &HeaderName) -> bool {
    let is_loopback = |value: &str| value.trim().parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    name == "cf-connecting-ip"
        && fields.get_all(name).iter().all(|value| value.to_str().is_ok_and(is_loopback))
}

/// Whether a page of another origin has a browser ask (Fetch Metadata; Fetch, `Origin`; RFC 9110, section 10.1.3). What cannot
/// be read counts as another origin.
fn is_cross_origin(visitor: &Visitor<'_>) -> bool {
    let &Visitor { scheme, authority, fields } = visitor;
    let is_own = |url: &str| {
        let (of_url, rest) = url.split_once("://").unwrap_or(("", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        of_url == scheme.as_str() && key::authority(scheme, &rest[..end]).as_deref() == Some(authority)
    };
    let other = |name: &str, is_own: &dyn Fn(&str) -> bool| {
        fields.get_all(name).iter().any(|value| !value.to_str().is_ok_and(|value| is_own(value.trim())))
    };
    other("sec-fetch-site", &|site| matches!(site, "same-origin" | "none"))
        || other("origin", &is_own)
        || other("referer", &is_own)
}

/// Whether the token is shown: in a field of its own, as a bearer, or as the password of Basic, which browsers ask for. A
/// browser repeats a password to whatever page has it ask, so that one counts only for the edge's own pages.
fn shows_token(visitor: &Visitor<'_>, token: &str) -> bool {
    let fields = visitor.fields;
    if fields::text(fields, TOKEN).is_some_and(|shown| same(shown.trim().as_bytes(), token)) {
        return true;
    }
    let Some(authorization) = fields::text(fields, header::AUTHORIZATION.as_str()) else { return false };
    let (scheme, credentials) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(credentials.as_bytes(), token);
    }
    scheme.eq_ignore_ascii_case("basic")
        && !is_cross_origin(visitor)
        && password(credentials).is_some_and(|password| same(&password, token))
}

/// The password in the credentials of Basic (RFC 7617, section 2).
fn password(credentials: &str) -> Option<Vec<u8>> {
    let mut decoded = Base64::decode_vec(credentials).ok()?;
    let at = decoded.iter().position(|&b| b == b':')?;
    Some(decoded.split_off(at + 1))
}

/// Compares in a time that says nothing of the token, its length included: digests are compared.
fn same(shown: &[u8], token: &str) -> bool {
    Sha256::digest(shown).as_slice().ct_eq(Sha256::digest(token.as_bytes()).as_slice()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for &(name, value) in pairs {
            fields.append(name, value.parse().unwrap());
        }
        fields
    }

    fn status(access: &Access, authority: &str, pairs: &[(&'static str, &'static str)]) -> u16 {
        let fields = map(pairs);
        let visitor = Visitor { scheme: Scheme::Http, authority, fields: &fields };
        check(access, &visitor).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    fn local() -> Access {
        Access { local: true, token: None }
    }

    fn with_token(local: bool) -> Access {
        Access { local, token: Some("s3cret".into()) }
    }

    #[test]
    fn a_token_is_shown_as_bearer_as_password_or_in_its_own_field() {
        let shown = |value| status(&with_token(false), "a.example", &[("authorization", value)]);
        assert_eq!(shown("Bearer s3cret"), 200);
        assert_eq!(shown("bearer  s3cret"), 200);
        assert_eq!(shown("Basic YW55OnMzY3JldA=="), 200);
        for wrong in [
            "",
            "Bearer",
            "Bearer s3cre",
            "Bearer s3crett",
            "Bearer \"s3cret\"",
            "Basic YW55OnMzY3JlZA==",
            "Basic YW55OnMzY3JldA",
            "Basic czNjcmV0",
            "Basic !!",
            "Digest s3cret",
        ] {
            assert_eq!(shown(wrong), 401, "{wrong}");
        }
        assert_eq!(status(&with_token(false), "a.example", &[(TOKEN, "s3cret")]), 200);
        assert_eq!(status(&with_token(false), "a.example", &[(TOKEN, "")]), 401);
    }

    #[test]
    fn no_token_and_an_empty_one_open_nothing() {
        let none = Access { local: false, token: None };
        let empty = Access { local: false, token: Some(String::new()) };
        for access in [&none, &empty] {
            for fields in [&[][..], &[("authorization", "Bearer ")], &[("authorization", "Basic Og==")]] {
                assert_eq!(status(access, "localhost", fields), 403);
            }
        }
    }

    #[test]
    fn on_ones_own_machine_a_loopback_host_is_enough() {
        for host in ["localhost", "localhost:8787", "127.0.0.1", "127.3.2.1:80", "[::1]", "[::1]:8080"] {
            assert_eq!(status(&local(), host, &[]), 200, "{host}");
            assert_eq!(status(&with_token(true), host, &[]), 200, "{host}");
            assert_eq!(status(&with_token(false), host, &[]), 401, "{host}");
        }
        for host in [
            "www.example.com",
            "localhost.example.com",
            "127.0.0.1.nip.io",
            "128.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::2]",
            "[2001:db8::1]",
            "my-laptop",
            "a.localhost",
        ] {
            assert_eq!(status(&local(), host, &[]), 403, "{host}");
        }
    }

    #[test]
    fn what_a_proxy_brings_is_not_local() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-forwarded",
            "x-forwarded-anything",
            "x-real-ip",
            "via",
            "cf-ray",
            "cf-connecting-ip",
            "cf-visitor",
            "true-client-ip",
            "x-client-ip",
            "x-cluster-client-ip",
            "fastly-client-ip",
            "x-original-host",
            "cdn-loop",
        ] {
            assert_eq!(status(&local(), "localhost", &[(name, "192.0.2.1")]), 403, "{name}");
            let shown = [(name, "192.0.2.1"), ("authorization", "Bearer s3cret")];
            assert_eq!(status(&with_token(true), "localhost", &shown), 200, "{name}: with a token");
        }
        assert_eq!(status(&local(), "localhost", &[("x-forwarded-for", "127.0.0.1")]), 403);
        // As `wrangler dev` says it of a local client.
        assert_eq!(status(&local(), "localhost", &[("cf-connecting-ip", "127.0.0.1")]), 200);
        let two = [("cf-connecting-ip", "127.0.0.1"), ("cf-connecting-ip", "192.0.2.1")];
        assert_eq!(status(&local(), "localhost", &two), 403);
    }

    #[test]
    fn no_page_of_another_origin_is_answered() {
        let at = |pairs: &[(&'static str, &'static str)]| status(&local(), "localhost:8080", pairs);
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:8080")],
            &[("referer", "http://localhost:8080/.levee/")],
        ] {
            assert_eq!(at(own), 200, "{own:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "https://localhost:8080")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://localhost")],
            &[("origin", "http://evil.example")],
            &[("referer", "https://evil.example/localhost:8080")],
            &[("referer", "http://localhost:8080.evil.example/")],
        ] {
            assert_eq!(at(other), 403, "{other:?}");
        }
        // A browser that knows the password shows it to whoever has it ask.
        let basic = ("authorization", "Basic YW55OnMzY3JldA==");
        let site = ("sec-fetch-site", "cross-site");
        assert_eq!(status(&with_token(false), "a.example", &[basic, site]), 401);
        let bearer = ("authorization", "Bearer s3cret");
        assert_eq!(status(&with_token(false), "a.example", &[bearer, site]), 200);
    }
}
