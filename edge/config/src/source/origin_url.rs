//! The URL of an origin.

use super::host::name_or_address;
use super::word::{Word, Wrong};

/// `http` or `https`, host in lower case, port where given; no path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OriginUrl(pub(crate) String);

impl Word for OriginUrl {
    const WHAT: &'static str = "a URL such as \"https://eu.example.net\"";
    const PATTERN: &'static str = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\\s]+/?$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let wrong = Wrong::new("is not a URL: it has no scheme");
            return Err(if text.contains("//") || text.is_empty() {
                wrong.help("as in \"https://eu.example.net\"")
            } else {
                wrong.help(format!("write \"https://{text}\" (or http://)"))
            });
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(
                Wrong::new(format!("has the scheme `{scheme}`")).help("an origin is asked by http or https")
            );
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        if authority.contains('@') {
            return Err(Wrong::new("holds credentials")
                .help("no secret stands in this file, nor in a URL: name scheme, host and port alone"));
        }
        // `https://host/` is the same URL as `https://host` (RFC 3986, section 6.2.3).
        if !matches!(after, "" | "/") {
            let what = match (after.split(['?', '#']).next(), after.contains('?')) {
                (Some("" | "/"), true) => "a query",
                (Some("" | "/"), false) => "a fragment",
                _ => "a path",
            };
            return Err(Wrong::new(format!("has {what}")).help(format!(
                "an origin answers the paths that clients ask for: write \"{scheme}://{authority}\""
            )));
        }
        if !authority.is_ascii() {
            return Err(
                Wrong::new("is not ASCII").help("write the host in punycode, as DNS holds it (`xn--…`)")
            );
        }
        let authority = authority.to_ascii_lowercase();
        // The colons of an IPv6 address stand before its bracket.
        let at = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority[at..].find(':') {
            Some(colon) => (&authority[..at + colon], Some(&authority[at + colon + 1..])),
            None => (authority.as_str(), None),
        };
        if host.is_empty() {
            return Err(Wrong::new("names no host"));
        }
        name_or_address(host)
            .map_err(|wrong| Wrong { why: format!("has a wrong host: `{host}` {}", wrong.why), ..wrong })?;
        if let Some(port) = port
            && (!port.bytes().all(|b| b.is_ascii_digit()) || !port.parse::<u16>().is_ok_and(|port| port > 0))
        {
            return Err(
                Wrong::new(format!("has the wrong port `{port}`")).help("a port is a number from 1 to 65535")
            );
        }
        Ok(Self(format!("{scheme}://{authority}")))
    }
}
