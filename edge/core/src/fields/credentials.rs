//! Which request fields say who is asking.

use http::{HeaderMap, HeaderName};

/// Fields by which clients usually identify themselves, beside what a policy names.
const USUAL: [&str; 16] = [
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
];

/// Whether `name` (lower case) carries credentials, by custom or because the policy names it.
pub fn is_credential(name: &str, named: &[String]) -> bool {
    USUAL.contains(&name) || named.iter().any(|field| field == name)
}

/// The first field of a request that carries credentials.
pub fn first<'a>(fields: &'a HeaderMap, named: &[String]) -> Option<&'a HeaderName> {
    fields.keys().find(|name| is_credential(name.as_str(), named))
}

/// The value of one cookie of a request (RFC 6265, section 5.4).
pub fn cookie<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    fields
        .get_all(http::header::COOKIE)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
