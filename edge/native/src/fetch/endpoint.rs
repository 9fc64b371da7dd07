//! Where a request goes: what connections are kept by.

use http::Uri;
use levee::platform::FetchError;

/// Scheme, host and port of an origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) https: bool,
    /// Without the brackets of an IPv6 literal.
    pub(super) host: String,
    pub(super) port: u16,
    /// As `Host` says it: the port only where the URI has one.
    pub(super) authority: String,
}

impl Endpoint {
    pub(super) fn of(uri: &Uri) -> Result<Self, FetchError> {
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(FetchError::Internal(format!("`{uri}` is neither http nor https"))),
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return Err(FetchError::Internal(format!("`{uri}` names no host")));
        };
        let port = uri.port_u16();
        Ok(Self {
            https,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port.unwrap_or(if https { 443 } else { 80 }),
            authority: match port {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Endpoint {
        Endpoint::of(&uri.parse().unwrap()).unwrap()
    }

    #[test]
    fn ports_and_literals() {
        assert_eq!(of("http://a.example/x").port, 80);
        assert_eq!(of("https://a.example/x").port, 443);
        assert_eq!(of("https://a.example/x").authority, "a.example");
        let literal = of("http://[::1]:8081/x");
        assert_eq!((literal.host.as_str(), literal.port), ("::1", 8081));
        assert_eq!(literal.authority, "[::1]:8081");
    }

    #[test]
    fn what_is_not_http_is_refused() {
        assert!(Endpoint::of(&"ftp://a.example/".parse().unwrap()).is_err());
        assert!(Endpoint::of(&"/x".parse().unwrap()).is_err());
    }
}
