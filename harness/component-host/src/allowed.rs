use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

/// The hosts that a component may reach, `allowed_outbound_hosts` in its manifest.
///
/// An entry is `scheme://host[:port]`. Scheme, host and port may each be `*`; a host may be `*.example.com` (any
/// subdomain) or `self` (this application); a port may be a range `8000..9000`, whose end is not part of it, and is the
/// scheme's own where none is given.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone)]
struct Entry {
    scheme: Option<String>,
    host: Host,
    port: Port,
}

#[derive(Debug, Clone)]
enum Host {
    Any,
    /// With the dot in front.
    Subdomain(String),
    Itself,
    Name(String),
}

#[derive(Debug, Clone)]
enum Port {
    Any,
    One(u16),
    Range(Range<u16>),
}

impl AllowedHosts {
    /// # Errors
    /// What is wrong with the first entry that is not of the form above.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, String> {
        entries
            .iter()
            .map(|entry| {
                let entry = entry.as_ref().trim();
                Entry::parse(entry).map_err(|why| {
                    format!("{entry:?} {why}; an entry is scheme://host[:port], each of which may be *")
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this host may be reached; `port` is the scheme's own when it is not in the address.
    pub fn allow(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let Some(port) = port.or_else(|| well_known(scheme)) else { return false };
        self.0.iter().any(|entry| entry.covers(scheme, &host, port))
    }

    /// Whether the component may call its own application.
    pub fn allow_itself(&self) -> bool {
        let http = |entry: &Entry| {
            entry.scheme.as_deref().is_none_or(|scheme| scheme == "http" || scheme == "https")
        };
        self.0.iter().any(|entry| http(entry) && matches!(entry.host, Host::Any | Host::Itself))
    }
}

impl Entry {
    fn parse(entry: &str) -> Result<Self, String> {
        if entry.is_empty() {
            return Err(String::from(
                "is left when the variables are filled in: Spin then refuses every request",
            ));
        }
        let (scheme, rest) = entry.split_once("://").ok_or("has no scheme")?;
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            return Err(format!("has {scheme:?} for a scheme"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest);
        let port = match port {
            None => {
                let why = || format!("has no port, and {scheme:?} is not a scheme with a port of its own");
                Port::One(well_known(scheme).ok_or_else(why)?)
            }
            Some("*") => Port::Any,
            Some(port) => Port::parse(port).ok_or_else(|| format!("has {port:?} for a port"))?,
        };
        let scheme = (scheme != "*").then(|| scheme.to_ascii_lowercase());
        Ok(Self { scheme, host: Host::parse(host)?, port })
    }

    fn covers(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && match &self.host {
                Host::Any => true,
                Host::Subdomain(suffix) => host.ends_with(suffix),
                Host::Itself => false,
                Host::Name(name) => name == host,
            }
            && match &self.port {
                Port::Any => true,
                Port::One(allowed) => *allowed == port,
                Port::Range(range) => range.contains(&port),
            }
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, String> {
        let name = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        match name.as_str() {
            "" => Err(String::from("has no host")),
            "*" => Ok(Self::Any),
            "self" | "self.alt" => Ok(Self::Itself),
            _ if name.parse::<IpAddr>().is_ok() => Ok(Self::Name(name)),
            // Spin takes networks (10.0.0.0/8) here too.
            _ if name.contains('/') => {
                Err(String::from("has a path or a network in it, which this host does not know"))
            }
            _ => match name.strip_prefix("*.") {
                Some(domain) if !domain.contains('*') => Ok(Self::Subdomain(format!(".{domain}"))),
                _ if name.contains('*') => Err(String::from("has a * elsewhere than in front of a domain")),
                _ => Ok(Self::Name(name)),
            },
        }
    }
}

impl Port {
    fn parse(port: &str) -> Option<Self> {
        match port.split_once("..") {
            Some((from, to)) => Some(Self::Range(from.parse().ok()?..to.parse().ok()?)),
            None => port.parse().ok().map(Self::One),
        }
    }
}

/// `host:port`, where the host may be an IPv6 address in brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after = authority.rfind(']').unwrap_or(0);
    match authority[after..].rfind(':') {
        Some(at) => (&authority[..after + at], Some(&authority[after + at + 1..])),
        None => (authority, None),
    }
}

fn well_known(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" | "rediss" => Some(6379),
        _ => None,
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} allowed hosts", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, scheme: &str, host: &str, port: Option<u16>) -> bool {
        AllowedHosts::parse(&[entry]).expect("an entry").allow(scheme, host, port)
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        let entry = "http://origin.example:8080";
        assert!(allows(entry, "http", "origin.example", Some(8080)));
        assert!(allows(entry, "http", "ORIGIN.example", Some(8080)));
        assert!(!allows(entry, "https", "origin.example", Some(8080)));
        assert!(!allows(entry, "http", "other.example", Some(8080)));
        assert!(!allows(entry, "http", "origin.example", None));
    }

    #[test]
    fn a_scheme_has_its_own_port() {
        assert!(allows("https://origin.example", "https", "origin.example", None));
        assert!(allows("https://origin.example/", "https", "origin.example", Some(443)));
        assert!(!allows("https://origin.example", "https", "origin.example", Some(8443)));
        assert!(allows("redis://localhost", "redis", "localhost", Some(6379)));
    }

    #[test]
    fn wildcards() {
        assert!(allows("*://*:*", "http", "anything", Some(1)));
        assert!(allows("https://*.example.com", "https", "a.b.example.com", None));
        assert!(!allows("https://*.example.com", "https", "example.com", None));
        assert!(allows("http://127.0.0.1:8000..9000", "http", "127.0.0.1", Some(8999)));
        assert!(!allows("http://127.0.0.1:8000..9000", "http", "127.0.0.1", Some(9000)));
        assert!(allows("http://[::1]:*", "http", "[::1]", Some(81)));
    }

    #[test]
    fn the_application_itself() {
        let itself = |entry: &str| AllowedHosts::parse(&[entry]).expect("an entry").allow_itself();
        assert!(itself("http://self") && itself("*://*:*"));
        assert!(!itself("http://origin.example") && !itself("redis://*:*"));
        assert!(!allows("http://self", "http", "self", None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (entry, why) in [
            ("origin.example", "no scheme"),
            ("*://origin.example", "no port"),
            ("http://origin.example:http", "for a port"),
            ("http://a.*.example", "*"),
            ("http://origin.example/path", "path"),
            ("http://:80", "no host"),
            ("", "variables"),
        ] {
            let error = AllowedHosts::parse(&[entry]).expect_err(entry);
            assert!(error.contains(why) && error.contains(entry), "{error}");
        }
    }
}
