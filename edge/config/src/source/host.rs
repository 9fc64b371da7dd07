//! Hosts that are served.

use std::net::Ipv6Addr;

use super::word::{Word, Wrong};

/// A host in lower case without a port: `api.example.com`, `*.example.com`, `127.0.0.1`, `[::1]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Host(pub(crate) String);

impl Word for Host {
    const WHAT: &'static str = "a host such as \"api.example.com\"";
    const PATTERN: &'static str = r"^((\*\.)?[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*|\[[0-9A-Fa-f:.]+\])$";

    fn parse(text: &str) -> Result<Self, Wrong> {
        if !text.is_ascii() {
            return Err(
                Wrong::new("is not ASCII").help("write the name in punycode, as DNS holds it (`xn--…`)")
            );
        }
        let lower = text.to_ascii_lowercase();
        if lower == "*" {
            return Err(Wrong::new("is not a host").help("to serve any host leave `hosts` out"));
        }
        if let Some((_, rest)) = lower.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            return Err(Wrong::new("is a URL, not a host").help(format!("write \"{host}\"")));
        }
        let name = lower.strip_prefix("*.").unwrap_or(&lower);
        if name.contains('*') {
            return Err(Wrong::new("has `*` where none may stand")
                .help("a wildcard stands for all names below one: \"*.example.com\""));
        }
        name_or_address(name)?;
        if name.len() != lower.len() && name.starts_with('[') {
            return Err(Wrong::new("is not a host: an address has no names below it"));
        }
        // As the edge writes an address.
        let address =
            lower.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok());
        Ok(Self(address.map_or(lower, |address| format!("[{address}]"))))
    }
}

/// Checks a host without wildcard, in lower case.
pub(crate) fn name_or_address(name: &str) -> Result<(), Wrong> {
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Wrong::new("is not an IPv6 address")),
        };
    }
    if name.parse::<Ipv6Addr>().is_ok() {
        return Err(Wrong::new("is an IPv6 address without brackets").help(format!("write \"[{name}]\"")));
    }
    if let Some((host, port)) = name.split_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(
            Wrong::new("has a port").help(format!("a host is served on every port: write \"{host}\""))
        );
    }
    if let Some(host) = name.strip_suffix('.')
        && !host.is_empty()
    {
        return Err(Wrong::new("ends in a dot").help(format!("write \"{host}\"")));
    }
    if name.len() > 253 {
        return Err(Wrong::new("is longer than 253 characters"));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.split('.').all(label) {
        return Ok(());
    }
    Err(Wrong::new("is not a host").help("a name alone, as in \"api.example.com\": no scheme, port or path"))
}
