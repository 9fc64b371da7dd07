//! From which site a client comes.

use http::HeaderValue;

use crate::key;
use crate::request::Scheme;

/// Whether a `Referer` names another authority than the one asked for, or none that can be read. Such a one is dropped where the
/// response will be shared: it says where a visitor comes from, and anyone can write a link.
///
/// `authority`: normalised ([`key::authority`]). `http` and `https` of one authority are one site here.
pub fn is_foreign(referer: &HeaderValue, authority: &str) -> bool {
    let is_own = || {
        let (scheme, rest) = referer.to_str().ok()?.split_once("://")?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        Some(key::authority(scheme, &rest[..end])? == authority)
    };
    is_own() != Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_authority_itself_is_its_own() {
        let foreign = |value: &'static str| is_foreign(&HeaderValue::from_static(value), "a.example");
        for own in [
            "https://a.example/",
            "https://A.example/x?y",
            "http://a.example",
            "https://a.example:443/",
            "HTTP://a.example:80/",
        ] {
            assert!(!foreign(own), "{own}");
        }
        for other in [
            "https://b.example/",
            "https://www.a.example/",
            "https://a.example.b.example/",
            "https://a.example:8443/",
            "https://a.example@b.example/",
            "https://b.example/https://a.example/",
            "//a.example/",
            "ftp://a.example/",
            "android-app://a.example/",
            "about:blank",
            "",
        ] {
            assert!(foreign(other), "{other}");
        }
        assert!(is_foreign(&HeaderValue::from_bytes(b"https://a.example/\xe4").unwrap(), "a.example"));
    }
}
