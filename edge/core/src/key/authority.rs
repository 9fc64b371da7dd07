//! Host and port of a request (RFC 9110, section 7.2), in the one form that is served, keyed and forwarded.

use std::net::Ipv6Addr;

use crate::request::Scheme;

/// No name that can be resolved is longer (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;

/// An authority in the one form that is keyed: lower case, without the scheme's own port and without a last dot; an IPv6 address
/// as RFC 5952 writes it. `None` where it is none.
///
/// Of what RFC 3986, section 3.2 allows this is the part that hosts on the Internet have: no user information; a name of letters,
/// digits, `-`, `.`, `_` and `~`, which leaves out percent-encoding, or an IPv6 address in brackets; a port from 1 to 65535, or
/// none. What else could be written is read in different ways by different servers.
pub fn authority(scheme: Scheme, raw: &str) -> Option<String> {
    let (host, port) = split(raw)?;
    let mut authority = match host.strip_prefix('[') {
        Some(literal) => {
            let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
            format!("[{address}]")
        }
        None => name(host)?.to_ascii_lowercase(),
    };
    let own = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    if let Some(port) = number(port)?.filter(|port| *port != own) {
        authority.push(':');
        authority.push_str(&port.to_string());
    }
    Some(authority)
}

/// Host, and what stands behind the colon.
fn split(raw: &str) -> Option<(&str, &str)> {
    let end = match raw.strip_prefix('[') {
        Some(literal) => literal.find(']')? + 2,
        None => raw.find(':').unwrap_or(raw.len()),
    };
    let (host, rest) = raw.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Some((host, port)),
        None => rest.is_empty().then_some((host, "")),
    }
}

/// A name without its last dot, if it is one.
fn name(host: &str) -> Option<&str> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~'))
    };
    (name.len() <= LONGEST && name.split('.').all(is_label)).then_some(name)
}

/// `None`: it is no port. `Some(None)`: there is none.
fn number(port: &str) -> Option<Option<u16>> {
    if port.is_empty() {
        return Some(None);
    }
    // No sign, and no more digits than a port has.
    if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    port.parse().ok().filter(|port| *port != 0).map(Some)
}

/// The host of a normalised authority, without its port.
pub fn host(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => &authority[..at],
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_form_for_one_host() {
        for (scheme, raw, wanted) in [
            (Scheme::Https, "A.Example:443", "a.example"),
            (Scheme::Http, "a.example:443", "a.example:443"),
            (Scheme::Http, "a.example:80", "a.example"),
            (Scheme::Http, "a.example:0080", "a.example"),
            (Scheme::Http, "a.example.", "a.example"),
            (Scheme::Http, "a.example.:8080", "a.example:8080"),
            (Scheme::Http, "a.example:", "a.example"),
            (Scheme::Http, "a_b.example", "a_b.example"),
            (Scheme::Http, "127.0.0.1:65535", "127.0.0.1:65535"),
            (Scheme::Http, "[::1]:8080", "[::1]:8080"),
            (Scheme::Https, "[2001:DB8:0:0::1]:443", "[2001:db8::1]"),
            (Scheme::Http, "[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]"),
        ] {
            assert_eq!(authority(scheme, raw).as_deref(), Some(wanted), "{raw}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = format!("{}.example", "a".repeat(250));
        for raw in [
            "",
            ".",
            ":80",
            "a..b",
            ".example.com",
            "a.example..",
            "www.example.com:80.evil.com",
            "a:b:c",
            "a:80:80",
            "a:0",
            "a:65536",
            "a:100000",
            "a:+80",
            "a:-1",
            "a: 80",
            "a:80 ",
            "a:http",
            "::1",
            "::1:80",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]80",
            "[::1]:x",
            "[]",
            "[a]",
            "[v1.a]",
            "[fe80::1%25eth0]",
            "[[::1]]",
            "a@b",
            "user:pass@a",
            "a%",
            "a%2",
            "a%zz",
            "a%2eexample",
            "a%00",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a b",
            "a,b",
            "a, a",
            "a\tb",
            "\u{e4}.example",
            "http://a",
            "*",
            long.as_str(),
        ] {
            for scheme in [Scheme::Http, Scheme::Https] {
                assert_eq!(authority(scheme, raw), None, "{raw}");
            }
        }
    }

    #[test]
    fn hosts_without_their_ports() {
        assert_eq!(host("[::1]:8080"), "[::1]");
        assert_eq!(host("[::1]"), "[::1]");
        assert_eq!(host("localhost:8080"), "localhost");
    }

    proptest! {
        #[test]
        fn the_form_is_stable(raw in "[a-bA:.\\[\\]0-9%@_-]{0,12}") {
            if let Some(once) = authority(Scheme::Http, &raw) {
                let again = authority(Scheme::Http, &once);
                prop_assert_eq!(again.as_deref(), Some(once.as_str()));
                prop_assert!(!host(&once).is_empty());
            }
        }
    }
}
