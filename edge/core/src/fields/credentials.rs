//! Which request fields say who is asking.

use http::{HeaderMap, HeaderName};

use crate::config::{Credentials, Policy};

/// Fields by which clients usually identify themselves, beside what a policy names.
const USUAL: [&str; 23] = [
    "authorization",
    "cookie",
    "api-key",
    "apikey",
    "x-api-key",
    "x-api-token",
    "x-auth-token",
    "x-access-token",
    "x-session-token",
    "x-csrf-token",
    "x-amz-security-token",
    "x-goog-api-key",
    "x-functions-key",
    "ocp-apim-subscription-key",
    "cf-access-jwt-assertion",
    "x-ms-token-aad-access-token",
    // What proxies that log visitors in tell of them.
    "remote-user",
    "x-auth-request-access-token",
    "x-auth-request-email",
    "x-auth-request-user",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-user",
];

/// The fields of a request by which it says who asks, as a policy sees it. `None`: nothing that keeps an answer from being
/// shared.
pub fn found<'a>(fields: &'a HeaderMap, policy: &Policy) -> Option<&'a HeaderName> {
    match policy.credentials {
        Credentials::Strip | Credentials::Key { .. } => None,
        Credentials::Authorization if !policy.selects() => {
            fields.keys().find(|name| **name == http::header::AUTHORIZATION)
        }
        Credentials::Pass | Credentials::Authorization => {
            fields.keys().find(|name| is_credential(name.as_str(), &policy.credential_fields))
        }
    }
}

/// Whether `name` (lower case) carries credentials, by custom or because the policy names it.
pub fn is_credential(name: &str, named: &[String]) -> bool {
    USUAL.contains(&name) || named.iter().any(|field| field == name)
}

/// Names of the fields whose being there, or whose value, [`found`] and the key of a request depend on.
pub fn read_by(policy: &Policy) -> impl Iterator<Item = &str> {
    let (usual, named, cookie): (&[&str], &[String], _) = match &policy.credentials {
        Credentials::Strip => (&[], &[], None),
        Credentials::Authorization if !policy.selects() => (&USUAL[..1], &[], None),
        Credentials::Pass | Credentials::Authorization => (&USUAL, &policy.credential_fields, None),
        Credentials::Key { cookies, fields } => (&[], fields, (!cookies.is_empty()).then_some("cookie")),
    };
    usual.iter().copied().chain(named.iter().map(String::as_str)).chain(cookie)
}

/// The value of one cookie of a request (RFC 6265, section 5.4), whatever bytes it and its neighbours hold. Of two of one name
/// the first.
pub fn cookie<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let lines = fields.get_all(http::header::COOKIE).into_iter();
    lines.flat_map(|line| line.as_bytes().split(|&b| b == b';')).find_map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|&b| b == b'=')?;
        (&pair[..at] == name.as_bytes()).then_some(&pair[at + 1..])
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_cookie_is_found_beside_any_bytes() {
        let mut fields = HeaderMap::new();
        for line in [&b"flag; name=J\xf6rg;  lang=de=at ;lang=en"[..], b"sid=1"] {
            fields.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        assert_eq!(cookie(&fields, "name"), Some(&b"J\xf6rg"[..]));
        assert_eq!(cookie(&fields, "lang"), Some(&b"de=at"[..]));
        assert_eq!(cookie(&fields, "sid"), Some(&b"1"[..]));
        assert_eq!(cookie(&fields, "flag"), None);
    }
}
